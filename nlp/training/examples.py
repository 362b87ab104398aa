"""What the models learn from: texts with what is known of their kinds and themes, each with a weight."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from citystudy.codeframe import KINDS
from citystudy.text import normalise
from nlp.clauses import clause_offsets
from nlp.training.silver import SilverPost
from nlp.training.texts import CodedPost

FOLDS = 5
OPENING = 8  # words
CLAUSE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Example:
    """A text to learn from: of the kinds in `known` it carries `kinds`; no themes says nothing of themes.

    `whole` tells a post from a clause of it.
    """

    text: str
    known: frozenset[str]
    kinds: frozenset[str]
    themes: frozenset[str]
    weight: float
    whole: bool = True


def of_coded(posts: Iterable[CodedPost]) -> Iterator[Example]:
    """Yield each post and, where all its codes have spans, its clauses."""
    every = frozenset(KINDS)
    for post in posts:
        yield Example(
            post.text, every, frozenset(c.kind for c in post.codes), frozenset(c.theme for c in post.codes), weight=1.0
        )
        if not post.codes or not all(code.span for code in post.codes):
            continue
        for start, end in clause_offsets(post.text):
            touched = [c for c in post.codes if c.span and _overlap((start, end), c.span)]
            yield Example(
                post.text[start:end],
                every,
                frozenset(c.kind for c in touched),
                frozenset(c.theme for c in touched),
                weight=CLAUSE_WEIGHT,
                whole=False,
            )


def of_silver(posts: Iterable[SilverPost]) -> Iterator[Example]:
    """Yield an example for each silver post."""
    for post in posts:
        yield Example(post.text, post.known, post.kinds, post.themes, weight=post.weight)


def fold_of(text: str, lang: str) -> int:
    """Return a text's fold by the hash of its opening: copies and near-copies share a fold."""
    return int(opening_digest(text, lang), 16) % FOLDS


def opening_digest(text: str, lang: str) -> str:
    """Return the SHA-256 (hex) of a text's first words as normalised; copies and near-copies share it."""
    words = [word for word in normalise(text, lang).split() if word.isalpha()]
    return hashlib.sha256(" ".join(words[:OPENING]).encode()).hexdigest()


def _overlap(clause: tuple[int, int], span: tuple[int, int]) -> bool:
    common = min(clause[1], span[1]) - max(clause[0], span[0])
    return common * 2 >= min(clause[1] - clause[0], span[1] - span[0])
