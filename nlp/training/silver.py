"""Posts whose public labels imply codes, used at a lower weight beside the hand-coded ones (docs/models.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.training.texts import rows, shared_folder


@dataclass(frozen=True, slots=True)
class SilverPost:
    """A text with the kinds (None: not told) and themes that its public label implies; wishes are never told."""

    text: str
    kinds: frozenset[str] | None
    themes: frozenset[str] | None


def silver_posts(lang: str) -> Iterator[SilverPost]:
    """Yield the silver posts of a language; English has none that help."""
    of_language = {"ar": _arabic, "fa": _persian, "ru": _russian}
    if lang in of_language:
        yield from of_language[lang]()


def _arabic() -> Iterator[SilverPost]:
    for row in rows("data/saudi-places-ar/dev/reviews.jsonl"):
        if row["label"] != "neutral":
            kind = "preference" if row["label"] == "positive" else "problem"
            yield SilverPost(str(row["text"]), frozenset({kind}), None)


def _persian() -> Iterator[SilverPost]:
    kinds = {1: {"preference"}, 2: {"preference"}, -1: {"problem"}, -2: {"problem"}, 3: {"problem", "preference"}}
    for row in rows("data/sentiment-fa/dev/parsinlu_food.jsonl"):
        kind = kinds.get(int(str(row["sentiment"])))
        if kind:
            yield SilverPost(str(row["review"]), frozenset(kind), frozenset({"food"}))


def _russian() -> Iterator[SilverPost]:
    folder = shared_folder()
    if folder is None:
        return
    themes = json.loads((folder / "data/kursk-appeals-ru/theme_map.json").read_text(encoding="utf-8"))
    for row in rows("data/kursk-appeals-ru/dev/appeals.jsonl"):
        accepted = themes.get(row["theme"])
        if accepted:
            yield SilverPost(str(row["text"]), None, frozenset(accepted[:1]))
