"""A readable name for a topic: the phrase its voices share, else its first words.

A label is never one person's sentence: a phrase must be said by several voices.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from nlp.topics.words import SurfaceForms, Term, commonest

_JOIN = r"[ \u200c#_’'-]*"
_NEXT = re.compile(_JOIN)
_NEXT_BUT_ONE = re.compile(rf"{_JOIN}(?:[^\W_]+{_JOIN})?")
_FEWEST_VOICES = 3
_SMALLEST_SHARE = 0.2
_PAIR = 2
_LONGEST = 3
_WORDS = 3
_COMMA = {"ar": "، ", "fa": "، "}


def topic_label(
    texts: Sequence[str],
    term_lists: Sequence[Sequence[Term]],
    voices: Sequence[str],
    weights: Mapping[str, float],
    surfaces: SurfaceForms,
    lang: str,
) -> str:
    """Return a topic's label from its statements and its top words, weighed, the first first."""
    phrase = _shared_phrase(texts, term_lists, voices, weights)
    if phrase is not None:
        return phrase
    return _COMMA.get(lang, ", ").join(surfaces.most_common(word) for word in list(weights)[:_WORDS])


def _shared_phrase(
    texts: Sequence[str], term_lists: Sequence[Sequence[Term]], voices: Sequence[str], weights: Mapping[str, float]
) -> str | None:
    said_by: dict[tuple[str, ...], set[str]] = {}
    written: dict[tuple[str, ...], Counter[str]] = {}
    for text, found, voice in zip(texts, term_lists, voices, strict=True):
        for at in range(len(found)):
            for length in range(_PAIR, _LONGEST + 1):
                run = found[at : at + length]
                if len(run) < length or not _adjoining(text, run):
                    continue
                keys = tuple(term.key for term in run)
                if len(set(keys)) == length and all(key in weights for key in keys):
                    said_by.setdefault(keys, set()).add(voice)
                    written.setdefault(keys, Counter())[
                        text[run[0].start : run[-1].end].replace("#", "").replace("_", " ")
                    ] += 1
    fewest = max(_FEWEST_VOICES, round(_SMALLEST_SHARE * len(set(voices))))
    candidates = [keys for keys, who in said_by.items() if len(who) >= fewest]
    if not candidates:
        return None
    best = min(candidates, key=lambda keys: (-len(said_by[keys]) * sum(weights[key] for key in keys), keys))
    return commonest(written[best])


def _adjoining(text: str, run: Sequence[Term]) -> bool:
    """Say whether the terms stand side by side; between two there may be one small word ("cost of living")."""
    inside = _NEXT_BUT_ONE if len(run) == _PAIR else _NEXT
    return all(
        before.end <= after.start and inside.fullmatch(text, before.end, after.start) for before, after in pairwise(run)
    )
