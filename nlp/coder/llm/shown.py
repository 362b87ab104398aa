"""What leaves this machine: a passage's clauses, redacted once more, and nothing else of its post."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from citystudy.privacy import redact
from nlp.coder.interface import Passage

PASSAGE_CHARACTERS = 8_000
REQUEST_CHARACTERS = 24_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage's redacted clauses, and the (start, end) code-point offsets at which each stands in its text."""

    clauses: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def characters(self) -> int:
        """How many code points are shown."""
        return sum(map(len, self.clauses))


def shown(passage: Passage) -> Shown:
    """Return what a model may see of a passage that has clauses: those within its first 8,000 code points.

    Where something personal reaches over several clauses, they are shown as one.
    """
    text, first = passage.text, passage.clauses[0]
    spans = tuple(span for span in passage.clauses if span[1] - first[0] <= PASSAGE_CHARACTERS) or (first,)
    start, end = first[0], spans[-1][1]
    clauses = tuple(redact(text[a:b]) for a, b in spans)
    whole = redact(text[start:end])
    between = [text[before:after] for (_, before), (after, _) in pairwise(spans)]
    if whole != "".join(part for pair in zip(clauses, (*between, ""), strict=True) for part in pair):
        clauses, spans = (whole,), ((start, end),)
    return Shown(tuple(clause[:PASSAGE_CHARACTERS] for clause in clauses), spans)


def batches(passages: Mapping[str, Shown], most: int) -> Iterator[dict[str, Shown]]:
    """Yield the passages in order, at most `most` and, but for a single one, 24,000 code points at a time."""
    batch: dict[str, Shown] = {}
    characters = 0
    for key, passage in passages.items():
        if batch and (len(batch) == most or characters + passage.characters > REQUEST_CHARACTERS):
            yield batch
            batch, characters = {}, 0
        batch[key] = passage
        characters += passage.characters
    if batch:
        yield batch
