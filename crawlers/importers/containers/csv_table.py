"""CSV with any common delimiter, whatever stands before its header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from citystudy.errors import InputError
from crawlers.importers.containers.rows import LINE_LIMIT, NOT_UTF8, Fault, Lines, Row, Table, decoded, peeked

HEADER_LIMIT = 64 * 1024 * 1024
LINES_BEFORE_HEADER = 40

TOO_MANY_FIELDS = "more fields than columns"
UNREADABLE = "row unreadable"

_DELIMITERS = ",;\t|"


def csv_table(path: Path, file: IO[str], raw: IO[bytes], headers: Sequence[frozenset[str]]) -> Table:
    """Return the rows of a CSV file under the first line with all columns of one of `headers`, else under its first."""
    csv.field_size_limit(HEADER_LIMIT)
    number, header = _first_line(path, file)
    rest = Lines(file)
    after: Iterable[str | Fault] = rest
    if not _shows(header, headers):
        number, header, after = _header_below(number, header, iter(rest), headers)
    if not decoded(header):
        raise InputError(f"{path}: line {number}: is not UTF-8; save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')")
    delimiter = _delimiter(header)
    names = _names(header, delimiter)
    if names is None:
        raise InputError(f"{path}: line {number}: is no CSV header; give a header with the names of the columns")
    csv.field_size_limit(LINE_LIMIT)
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    rows = _rows(after, delimiter, places, len(names))
    return peeked(rows, raw.tell, lambda: rest.letters, columns=list(places))


def _first_line(path: Path, file: IO[str]) -> tuple[int, str]:
    """Return the first line that is not blank, and its number."""
    for number, line in enumerate(Lines(file, HEADER_LIMIT), 1):
        if isinstance(line, Fault):
            raise InputError(f"{path}: line {number}: is over {HEADER_LIMIT // 1024 // 1024} MB, expected a CSV header")
        if line.strip():
            return number, line
    return 1, ""


def _header_below(
    number: int, first: str, rest: Iterator[str | Fault], headers: Sequence[frozenset[str]]
) -> tuple[int, str, Iterable[str | Fault]]:
    """Return the number and text of the header, and the lines after it: it may stand below lines of another sort."""
    later = list(islice(rest, LINES_BEFORE_HEADER))
    for place, line in enumerate(later, 1):
        if isinstance(line, str) and _shows(line, headers):
            return number + place, line, chain(later[place:], rest)
    return number, first, chain(later, rest)


def _shows(line: str, headers: Sequence[frozenset[str]]) -> bool:
    names = frozenset(_names(line, _delimiter(line)) or ())
    return any(header <= names for header in headers)


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _names(header: str, delimiter: str) -> list[str] | None:
    try:
        return [name.strip().lstrip("\ufeff") for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return None


def _rows(
    readable: Iterable[str | Fault], delimiter: str, places: Mapping[str, int], width: int
) -> Iterator[Row | Fault]:
    faults: list[Fault] = []

    def whole() -> Iterator[str]:
        for line in readable:
            if isinstance(line, Fault):
                faults.append(line)
            else:
                yield line

    reader = csv.reader(whole(), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            yield Fault(UNREADABLE)
            continue
        yield from faults
        faults.clear()
        if any(cells):
            yield _row(cells, places, width)
    yield from faults


def _row(cells: list[str], places: Mapping[str, int], width: int) -> Row | Fault:
    if len(cells) > width and any(cells[width:]):
        return Fault(TOO_MANY_FIELDS)
    if not all(map(decoded, cells)):
        return Fault(NOT_UTF8)
    return _Cells(cells, places)


class _Cells(Mapping[str, Any]):
    """A row's cells by column; an empty one is None."""

    __slots__ = ("_cells", "_places")

    def __init__(self, cells: list[str], places: Mapping[str, int]) -> None:
        self._cells = cells
        self._places = places

    def __getitem__(self, column: str) -> str | None:
        place = self._places[column]
        return self._cells[place] or None if place < len(self._cells) else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
