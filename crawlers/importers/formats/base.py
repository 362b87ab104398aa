"""What every format tells of itself: how its rows are known and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from crawlers.importers.cells import Cells
from crawlers.importers.containers.rows import Fault, Row

REPOST = "repost of another's post"
PROMOTED = "promoted post"
DELETED = "deleted by its author"
REMOVED = "removed by moderators"

# Marks of Twitter and TikTok for texts without a language: only links, hashtags, media and the like.
_NO_LANGUAGE = re.compile(r"q..|zxx|und?|art")


def as_it_stands(text: str) -> str:
    """Return a plain text unchanged."""
    return text


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which files tell posts.

    `expects` says in words what its rows hold, `fits` whether a row is of this format, `cells` what it tells, or why
    it is left out. `clean` makes its texts plain. `source` is the source name of all its posts, None where each row
    has its own. `unfold` parts a row that may hold several posts. `header` are columns by which a CSV's header is known.
    """

    name: str
    expects: str
    fits: Callable[[Row], bool]
    cells: Callable[[Row], Cells | str]
    clean: Callable[[str], str] = as_it_stands
    source: str | None = None
    unfold: Callable[[Row], Iterable[Row | Fault]] | None = None
    header: frozenset[str] = frozenset()

    def unfolded(self, rows: Iterable[Row | Fault]) -> Iterable[Row | Fault]:
        """Return rows that are one post each."""
        return rows if self.unfold is None else self._parted(rows, self.unfold)

    @staticmethod
    def _parted(rows: Iterable[Row | Fault], unfold: Callable[[Row], Iterable[Row | Fault]]) -> Iterator[Row | Fault]:
        for row in rows:
            if isinstance(row, Fault):
                yield row
            else:
                yield from unfold(row)


def first_of(row: Row, columns: Iterable[str]) -> Any:
    """Return the first value that is not empty under one of these columns, else None."""
    for column in columns:
        value = row.get(column)
        if value is not None and value != "":
            return value
    return None


def inner_of(row: Row, columns: Iterable[str]) -> Row:
    """Return the first JSON object under one of these columns, else an empty one."""
    return next((row[column] for column in columns if isinstance(row.get(column), dict)), {})


def language(code: object) -> Any:
    """Return a declared language; None for the platforms' marks of none."""
    return None if isinstance(code, str) and _NO_LANGUAGE.fullmatch(code) else code
