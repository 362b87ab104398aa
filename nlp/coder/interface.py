"""What every coder is: something that reads passages of one language and returns the statements in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from citystudy.store import Statement


@dataclass(frozen=True, slots=True)
class Passage:
    """A post's full text and its clauses, as (start, end) code-point offsets in order."""

    text: str
    clauses: tuple[tuple[int, int], ...]


class Coder(Protocol):
    """Codes passages of one language.

    A statement's span covers one or more clauses; its score is the probability that kind and theme are both right.
    """

    @property
    def identity(self) -> str:
        """What a coding depends on besides the passage: two coders of one identity code alike."""

    def code(self, passages: Sequence[Passage]) -> Sequence[Sequence[Statement] | None]:
        """Return for each passage its statements, the surest first, no pair of kind and theme twice.

        None stands for a passage that could not be coded: what it says is unknown, which is not nothing.
        """
