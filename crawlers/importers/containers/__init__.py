"""How bytes become rows: gzip and zstd; JSON Lines, a JSON document, CSV and Parquet, streamed in whatever state.

UTF-8 or UTF-16, with or without a byte-order mark. A row that can't be read becomes a `Fault` with its reason; only a
file that can't be read at all raises InputError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from citystudy.errors import InputError
from crawlers.importers.containers.csv_table import csv_table
from crawlers.importers.containers.json_document import document_table, is_document
from crawlers.importers.containers.json_lines import is_json_lines, json_lines_table
from crawlers.importers.containers.rows import Fault, Row, Table, at
from crawlers.importers.containers.unpacking import head_of, text_of

__all__ = ["Fault", "Row", "Table", "at", "open_table"]

_PARQUET = b"PAR1"


@contextmanager
def open_table(path: Path, headers: Sequence[frozenset[str]] = ()) -> Iterator[Table]:
    """Open a file of rows; raises InputError with the mend when there is nothing in it to read.

    `headers` are sets of columns each of which shows that a line is a CSV's header, where other lines stand before it.
    """
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    with raw:
        try:
            start = raw.read(4)
            raw.seek(0)
            if start == _PARQUET:
                from crawlers.importers.containers.parquet import parquet_table

                with parquet_table(path) as table:
                    yield table
            else:
                with text_of(path, raw, start) as file:
                    yield _text_table(path, file, raw, headers)
        except (OSError, UnicodeError) as error:
            raise InputError(f"{path}: can't be read on: {error}; make a fresh copy of the file") from None


def _text_table(path: Path, file: IO[str], raw: IO[bytes], headers: Sequence[frozenset[str]]) -> Table:
    head = head_of(file)
    if head.startswith("["):
        raise InputError(
            f"{path}: holds one JSON array, expected one JSON object a line; turn it with: jq -c '.[]' {path.name} > rows.jsonl"
        )
    if not head:
        raise InputError(f"{path}: the file is empty; give one row a line (JSON Lines) or a CSV file with a header")
    if is_document(head):
        return document_table(path, file, raw)
    if is_json_lines(head):
        return json_lines_table(file, raw)
    return csv_table(path, file, raw, headers)
