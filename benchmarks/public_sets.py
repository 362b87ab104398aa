"""The public sets that measure the coder, as rows of text with what their labels say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score

from citystudy.store import Statement
from nlp.training.silver import kursk_appeals
from nlp.training.texts import rows


@dataclass(frozen=True, slots=True)
class PublicRow:
    """A row of a public set: `label` is 1 or 0, or for themes the accepted ones."""

    set: str
    text: str
    label: int
    themes: frozenset[str] = frozenset()


def public_rows(lang: str) -> Iterator[PublicRow]:
    """Yield the rows of the public sets in a language; none in Persian."""
    yield from {"en": _english, "ar": _arabic, "fa": lambda: (), "ru": _russian}[lang]()


def _english() -> Iterator[PublicRow]:
    for row in rows("data/complaints-en/dev/complaints.jsonl"):
        random = str(row["domain"]).startswith("random")
        name = "complaints-en, random rows" if random else "complaints-en"
        yield PublicRow(name, str(row["text"]), int(row["label"] == 1))
    for file, name in (("trial_uservoice", "forums"), ("train_uservoice", "forums, train"), ("trial_hotel", "hotels")):
        for row in rows(f"data/suggestions-en/dev/{file}.jsonl"):
            yield PublicRow(f"suggestions-en, {name}", str(row["text"]), int(row["label"] == 1))


def _arabic() -> Iterator[PublicRow]:
    for row in rows("data/saudi-places-ar/dev/reviews.jsonl"):
        if row["label"] != "neutral":
            yield PublicRow("saudi-places-ar", str(row["text"]), int(row["label"] == "positive"))


def _russian() -> Iterator[PublicRow]:
    for text, accepted in kursk_appeals():
        yield PublicRow("kursk-appeals-ru", text, 1, frozenset(accepted))


def public_scores(judged: Sequence[tuple[PublicRow, Sequence[Statement]]]) -> Iterator[tuple[str, str, float, str]]:
    """Yield for each set its name, what is measured, the figure, and the goal."""
    of_set: dict[str, list[tuple[PublicRow, Sequence[Statement]]]] = {}
    for row, found in judged:
        of_set.setdefault(row.set, []).append((row, found))
    complaints = of_set.get("complaints-en", [])
    if complaints:
        yield "complaints-en", "macro-F1 of problems, without random rows", _f1(complaints, "problem", "macro"), "≥ .80"
        whole = complaints + of_set.get("complaints-en, random rows", [])
        yield (
            "complaints-en",
            "macro-F1 of problems, all rows",
            _f1(whole, "problem", "macro"),
            "published .79 (features)",
        )
    for name in ("suggestions-en, forums", "suggestions-en, forums, train", "suggestions-en, hotels"):
        if name in of_set:
            yield name, "F1 of wishes", _f1(of_set[name], "wish", "binary"), "≥ .60"
    for name in ("suggestions-en, hotels",):
        if name in of_set:
            truth = [row.label for row, _ in of_set[name]]
            advice = [any(s.kind in {"wish", "preference"} for s in found) for _, found in of_set[name]]
            yield name, "F1 of wishes and recommendations together", float(f1_score(truth, advice)), "none set"
    if reviews := of_set.get("saudi-places-ar"):
        polar = [(row.label, kinds) for row, found in reviews if (kinds := _polarity(found)) is not None]
        yield "saudi-places-ar", "share coded problem or preference", len(polar) / len(reviews), "≥ .60"
        yield "saudi-places-ar", "polarity right, of those coded", sum(a == b for a, b in polar) / len(polar), "≥ .88"
    if appeals := of_set.get("kursk-appeals-ru"):
        right = [bool(row.themes & {s.theme for s in found}) for row, found in appeals]
        coded = [bool(found) for _, found in appeals]
        yield "kursk-appeals-ru", "share with an accepted theme, of all", float(np.mean(right)), "≥ .82"
        yield "kursk-appeals-ru", "share coded at all", float(np.mean(coded)), "none set"


def _f1(judged: Sequence[tuple[PublicRow, Sequence[Statement]]], kind: str, average: str) -> float:
    truth = [row.label for row, _ in judged]
    return float(f1_score(truth, [int(any(s.kind == kind for s in found)) for _, found in judged], average=average))


def _polarity(found: Sequence[Statement]) -> int | None:
    """Return 1 where praise is surer than blame, 0 where blame is; None where neither is coded."""
    polar = [statement for statement in found if statement.kind in {"problem", "preference"}]
    return int(polar[0].kind == "preference") if polar else None
