"""The default coder: the linear model that ships with the package."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from citystudy.store import Statement
from nlp.coder.decide import statements
from nlp.coder.interface import Passage
from nlp.coder.model import LinearModel


class LinearCoder:
    """Codes by a linear model: a post's kinds first, then the clause that carries each."""

    def __init__(self, model: LinearModel, *, cut: float) -> None:
        self._model = model
        self._cut = cut

    @cached_property
    def identity(self) -> str:
        """Return the digest of the model's weights, and the cut."""
        return f"default {self._model.digest} {self._cut}"

    def code(self, passages: Sequence[Passage]) -> list[list[Statement]]:
        """Return for each passage its statements, the surest first."""
        posts = self._model.probabilities([passage.text for passage in passages])
        coded = [i for i, kinds in enumerate(posts.kinds) if kinds.max() >= self._cut and passages[i].clauses]
        clauses = self._model.probabilities(
            [passages[i].text[start:end] for i in coded for start, end in passages[i].clauses]
        )
        found: list[list[Statement]] = [[] for _ in passages]
        at = 0
        for i in coded:
            here = slice(at, at + len(passages[i].clauses))
            at = here.stop
            found[i] = statements(
                passages[i].clauses,
                posts.kinds[i],
                posts.themes[i],
                clauses.kinds[here],
                clauses.themes[here],
                cut=self._cut,
            )
        return found
