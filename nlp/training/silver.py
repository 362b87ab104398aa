"""Posts whose public labels imply codes, used at a lower weight beside the hand-coded ones (docs/models.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from nlp.training.texts import rows, shared_folder

ALL_BUT_WISHES = frozenset({"problem", "preference"})  # a label of praise or blame tells nothing of wishes


@dataclass(frozen=True, slots=True)
class SilverPost:
    """A text of a public set with what its label implies: of the kinds in `known` it carries `kinds`, and `themes`.

    No themes: the label tells nothing of the theme. `weight` is that of the example beside a hand-coded post's 1, by
    cross-validation.
    """

    set: str
    text: str
    known: frozenset[str]
    kinds: frozenset[str]
    weight: float
    themes: frozenset[str] = field(default=frozenset())


def silver_posts(lang: str) -> Iterator[SilverPost]:
    """Yield the silver posts of a language."""
    yield from {"en": _english, "ar": _arabic, "fa": _persian, "ru": _russian}[lang]()


def _english() -> Iterator[SilverPost]:
    for row in rows("data/complaints-en/dev/complaints.jsonl"):
        complains = frozenset({"problem"} if row["label"] == 1 else ())
        # A random tweet is no complaint to a company; it may still tell of a problem.
        if not str(row["domain"]).startswith("random"):
            yield SilverPost("complaints-en", str(row["text"]), frozenset({"problem"}), complains, 1.0)
    # Hotels are left out: advice to other travellers, labelled a suggestion there, is no wish by the codebook.
    for name in ("trial_uservoice", "train_uservoice"):
        for row in rows(f"data/suggestions-en/dev/{name}.jsonl"):
            suggests = frozenset({"wish"} if row["label"] == 1 else ())
            yield SilverPost("suggestions-en", str(row["text"]), frozenset({"wish"}), suggests, 0.15)


def _arabic() -> Iterator[SilverPost]:
    for row in rows("data/saudi-places-ar/dev/reviews.jsonl"):
        if row["label"] != "neutral":
            kind = "preference" if row["label"] == "positive" else "problem"
            yield SilverPost("saudi-places-ar", str(row["text"]), ALL_BUT_WISHES, frozenset({kind}), 0.3)


def _persian() -> Iterator[SilverPost]:
    kinds = {1: {"preference"}, 2: {"preference"}, -1: {"problem"}, -2: {"problem"}, 3: {"problem", "preference"}}
    for row in rows("data/sentiment-fa/dev/parsinlu_food.jsonl"):
        kind = kinds.get(int(str(row["sentiment"])))
        if kind:
            yield SilverPost(
                "parsinlu-food", str(row["review"]), ALL_BUT_WISHES, frozenset(kind), 0.3, frozenset({"food"})
            )


def kursk_appeals() -> Iterator[tuple[str, list[str]]]:
    """Yield the appeals whose theme has one of ours, each with the accepted themes, the likeliest first."""
    folder = shared_folder()
    if folder is None:
        return
    themes = json.loads((folder / "data/kursk-appeals-ru/theme_map.json").read_text(encoding="utf-8"))
    for row in rows("data/kursk-appeals-ru/dev/appeals.jsonl"):
        if accepted := themes.get(row["theme"]):
            yield str(row["text"]), accepted


def _russian() -> Iterator[SilverPost]:
    for text, accepted in kursk_appeals():
        # Of the appeals that were coded by hand, 91 in 100 state a problem; more than half ask for something too.
        told = frozenset({"problem"})
        yield SilverPost("kursk-appeals-ru", text, told, told, 0.3, frozenset(accepted[:1]))
