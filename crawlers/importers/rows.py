"""Rows of JSON Lines and CSV files, streamed, whatever state the file is in.

UTF-8 or UTF-16, with or without a byte-order mark, gzipped or not. A row that can't be read becomes a `Fault` with its
reason; only a file that can't be read at all raises InputError.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from citystudy.errors import InputError

LINE_LIMIT = 8 * 1024 * 1024
HEADER_LIMIT = 64 * 1024 * 1024
PEEKED_ROWS = 100

TOO_LONG = f"line over {LINE_LIMIT // 1024 // 1024} MB"
NOT_UTF8 = "not UTF-8"
NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not a JSON object"
TOO_MANY_FIELDS = "more fields than columns"
UNREADABLE = "row unreadable"
BROKE_OFF = "file broke off"

_UNDECODED = re.compile("[\udc80-\udcff]")  # what Python's surrogateescape makes of bytes that are not UTF-8
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that can't be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `get` returns the value of a column, None where there is none."""

    get: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its columns (of JSON Lines those of the first rows, nested ones dotted), rows, and bytes read."""

    columns: Sequence[str]
    rows: Iterator[Row | Fault]
    position: Callable[[], int]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a file of rows; raises InputError with the mend when there is nothing in it to read."""
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    with raw:
        try:
            with _text(path, raw) as file:
                yield _table(path, file, raw)
        except (OSError, UnicodeError) as error:
            raise InputError(f"{path}: can't be read on: {error}; make a fresh copy of the file") from None


def _text(path: Path, raw: IO[bytes]) -> IO[str]:
    """Return the file's text, unpacked and decoded; invalid UTF-8 becomes letters that no text holds."""
    start = raw.read(4)
    raw.seek(0)
    if start.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: is a ZIP archive or spreadsheet; unpack it, or save the sheet as CSV UTF-8")
    packed = start.startswith(b"\x1f\x8b")
    data: Any = gzip.GzipFile(fileobj=raw) if packed else raw
    try:
        encoding = _encoding(data.read(4))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: is a broken gzip file; make a fresh copy of it") from None
    data.seek(0)
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    return io.TextIOWrapper(data, encoding=encoding, errors=errors, newline="")


def _table(path: Path, file: IO[str], raw: IO[bytes]) -> Table:
    first = _first_letter(file)
    file.seek(0)
    if not first:
        raise InputError(f"{path}: the file is empty; give one row a line (JSON Lines) or a CSV file with a header")
    if first == "[":
        raise InputError(
            f"{path}: holds one JSON array, expected one JSON object a line; turn it with: jq -c '.[]' {path.name} > rows.jsonl"
        )
    names_json = any(suffix in {".jsonl", ".ndjson", ".json"} for suffix in path.suffixes)
    names_csv = any(suffix in {".csv", ".tsv"} for suffix in path.suffixes)
    if names_json or (first == "{" and not names_csv):
        return _json_table(file, raw)
    return _csv_table(path, file, raw)


def _encoding(start: bytes) -> str:
    """Return the encoding that a file's first four bytes tell, with or without a byte-order mark."""
    if start[:4] in {b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"}:
        return "utf-32"
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if len(start) > 1 and (start[0] == 0) != (start[1] == 0):
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return "utf-8-sig"


def _first_letter(file: IO[str]) -> str:
    try:
        while letters := file.read(4096):
            if letters.strip():
                return letters.strip()[0]
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    return ""


def _lines(file: IO[str], limit: int = LINE_LIMIT) -> Iterator[str | Fault]:
    """Yield lines of at most `limit` letters; a longer one is passed over without being held in memory."""
    try:
        while line := file.readline(limit + 1):
            if len(line) <= limit:
                yield line
                continue
            while line and not line.endswith("\n"):
                line = file.readline(limit)
            yield Fault(TOO_LONG)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Fault(BROKE_OFF)


# JSON Lines


def _json_table(file: IO[str], raw: IO[bytes]) -> Table:
    rows = _json_rows(file)
    first = list(islice(rows, PEEKED_ROWS))
    columns: dict[str, None] = {}
    for row in first:
        if isinstance(row, Row):
            columns.update(dict.fromkeys(row.get("")))
    return Table(list(columns), chain(first, rows), raw.tell)


def _json_rows(file: IO[str]) -> Iterator[Row | Fault]:
    for line in _lines(file):
        if isinstance(line, Fault):
            yield line
        elif _UNDECODED.search(line):
            yield Fault(NOT_UTF8)
        elif line.strip():
            yield _json_row(line)


def _json_row(line: str) -> Row | Fault:
    try:
        value = json.loads(line, strict=False)  # not strict: NUL and other controls inside strings are cleaned later
    except (ValueError, RecursionError):
        return Fault(NOT_JSON)
    if not isinstance(value, dict):
        return Fault(NOT_AN_OBJECT)
    return Row(lambda column: _at(value, column) if column else _paths(value))


def _at(value: Mapping[str, Any], column: str) -> Any:
    """Return what stands under a name, or under a dotted path of names."""
    if column in value:
        return value[column]
    found: Any = value
    for name in column.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _paths(value: Mapping[str, Any], before: str = "", depth: int = 3) -> list[str]:
    paths = []
    for name, inner in value.items():
        paths.append(before + name)
        if isinstance(inner, dict) and depth > 1:
            paths.extend(_paths(inner, f"{before}{name}.", depth - 1))
    return paths


# CSV


def _csv_table(path: Path, file: IO[str], raw: IO[bytes]) -> Table:
    header_line = next((line for line in _lines(file, HEADER_LIMIT) if isinstance(line, Fault) or line.strip()), "")
    if isinstance(header_line, Fault):
        raise InputError(f"{path}: line 1: is over {HEADER_LIMIT // 1024 // 1024} MB, expected a CSV header")
    if _UNDECODED.search(header_line):
        raise InputError(f"{path}: line 1: is not UTF-8; save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')")
    csv.field_size_limit(LINE_LIMIT)
    delimiter = max(_DELIMITERS, key=header_line.count)
    try:
        names = next(csv.reader([header_line], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(
            f"{path}: line 1: is no CSV header ({error}); give a header with the names of the columns"
        ) from None
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name.strip().lstrip("\ufeff"), place)
    return Table(list(places), _csv_rows(file, delimiter, places, len(names)), raw.tell)


def _csv_rows(file: IO[str], delimiter: str, places: Mapping[str, int], width: int) -> Iterator[Row | Fault]:
    faults: list[Fault] = []

    def readable() -> Iterator[str]:
        for line in _lines(file):
            if isinstance(line, Fault):
                faults.append(line)
            else:
                yield line

    reader = csv.reader(readable(), delimiter=delimiter)
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
            yield _csv_row(cells, places, width)
    yield from faults


def _csv_row(cells: list[str], places: Mapping[str, int], width: int) -> Row | Fault:
    if len(cells) > width and any(cells[width:]):
        return Fault(TOO_MANY_FIELDS)
    if any(_UNDECODED.search(cell) for cell in cells):
        return Fault(NOT_UTF8)

    def get(column: str) -> str | None:
        place = places.get(column)
        return cells[place] or None if place is not None and place < len(cells) else None

    return Row(get)
