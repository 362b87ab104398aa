"""What a file of rows gives, whatever it is packed in: rows like JSON objects, and faults where a row can't be read."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

from backports.zstd import ZstdError

LINE_LIMIT = 8 * 1024 * 1024
PEEKED_ROWS = 100
PEEKED_LETTERS = 2 * LINE_LIMIT  # a hundred pages of an API would fill the memory

TOO_LONG = f"line over {LINE_LIMIT // 1024 // 1024} MB"
NOT_UTF8 = "not UTF-8"
NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not a JSON object"
BROKE_OFF = "file broke off"

# What is raised where a packed file ends too early or is damaged.
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, ZstdError)

_UNDECODED = re.compile("[\udc80-\udcff]")  # what Python's surrogateescape makes of bytes that are not UTF-8

_JSON = json.JSONDecoder(strict=False)  # not strict: NUL and other controls inside strings are cleaned later

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that can't be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its columns (nested ones dotted), its first rows, all rows with these, and bytes of the file read."""

    columns: Sequence[str]
    first: Sequence[Row | Fault]
    rows: Iterator[Row | Fault]
    position: Callable[[], int]


def peeked(
    rows: Iterator[Row | Fault],
    position: Callable[[], int],
    letters: Callable[[], int] = int,
    columns: Sequence[str] | None = None,
) -> Table:
    """Return a table whose first rows have been looked at: so many, or of so many letters, as memory takes.

    Its columns are those of the first rows where they are not given.
    """
    first: list[Row | Fault] = []
    for row in rows:
        first.append(row)
        if len(first) == PEEKED_ROWS or letters() > PEEKED_LETTERS:
            break
    if columns is None:
        seen: dict[str, None] = {}
        for row in first:
            if not isinstance(row, Fault):
                seen.update(dict.fromkeys(_paths(row)))
        columns = list(seen)
    return Table(columns, first, chain(first, rows), position)


def at(row: Row, column: str) -> Any:
    """Return what stands under a name, or under a dotted path of names; None where nothing does."""
    if column in row:
        return row[column]
    found: Any = row
    for name in column.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


class Lines:
    """Lines of at most `limit` letters; a longer one is passed over without being held in memory."""

    def __init__(self, file: IO[str], limit: int = LINE_LIMIT) -> None:
        self.letters = 0
        self._file = file
        self._limit = limit

    def __iter__(self) -> Iterator[str | Fault]:
        """Yield line after line; `letters` counts what was yielded."""
        limit, readline = self._limit, self._file.readline
        try:
            while line := readline(limit + 1):
                letters = len(line)
                if letters <= limit:
                    self.letters += letters
                    yield line
                    continue
                while line and not line.endswith("\n"):
                    line = readline(limit)
                yield Fault(TOO_LONG)
        except BROKEN:
            yield Fault(BROKE_OFF)


def json_row(text: str) -> Row | Fault:
    """Return the JSON object that a text holds."""
    if _UNDECODED.search(text):
        return Fault(NOT_UTF8)
    try:
        value = _JSON.decode(text)
    except (ValueError, RecursionError):
        return Fault(NOT_JSON)
    return value if isinstance(value, dict) else Fault(NOT_AN_OBJECT)


def decoded(text: str) -> bool:
    """Tell whether all of a text's bytes were UTF-8."""
    return _UNDECODED.search(text) is None


def _paths(row: Row, before: str = "", depth: int = 3) -> list[str]:
    paths = []
    for name, inner in row.items():
        paths.append(before + name)
        if isinstance(inner, dict) and depth > 1:
            paths.extend(_paths(inner, f"{before}{name}.", depth - 1))
    return paths
