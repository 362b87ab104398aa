"""The coders that judge by probabilities: of whole posts first, then of their clauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from citystudy.store import Statement
from nlp.coder.decide import statements
from nlp.coder.interface import Passage
from nlp.coder.model import Probabilities


class Judge(Protocol):
    """A model that gives probabilities of kinds and themes: over n-grams, or over sentence embeddings."""

    @property
    def digest(self) -> str:
        """Hex digits that change with anything its probabilities depend on."""

    @property
    def certainty(self) -> tuple[float, float]:
        """Slope and offset of a statement's score (nlp.coder.decide)."""

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities of kinds and themes of `texts`."""


class LinearCoder:
    """Codes by a linear model: a post's kinds first, then the clause that carries each."""

    def __init__(self, model: Judge, *, name: str, cut: float) -> None:
        self._model = model
        self._name = name
        self._cut = cut

    @property
    def identity(self) -> str:
        """Return the coder's name, the digest of its model's weights, and the cut."""
        return f"{self._name} {self._model.digest} {self._cut}"

    def code(self, passages: Sequence[Passage]) -> list[list[Statement]]:
        """Return for each passage its statements, the surest first."""
        posts = self._model.probabilities([passage.text for passage in passages])
        coded = [i for i, kinds in enumerate(posts.kinds) if kinds.max() >= self._cut and passages[i].clauses]
        clauses = self._model.probabilities(
            [passages[i].text[start:end] for i in coded for start, end in passages[i].clauses]
        )
        found: list[list[Statement]] = [[] for _ in passages]
        of_clauses = clauses.split([len(passages[i].clauses) for i in coded])
        for i, here in zip(coded, of_clauses, strict=True):
            found[i] = statements(
                passages[i].clauses,
                posts.kinds[i],
                posts.themes[i],
                here.kinds,
                here.themes,
                cut=self._cut,
                certainty=self._model.certainty,
            )
        return found
