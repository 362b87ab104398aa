"""Parquet, read by DuckDB in batches; nothing is fetched from a network."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from citystudy.errors import InputError
from crawlers.importers.containers.rows import BROKE_OFF, Fault, Row, Table, peeked

BATCH_ROWS = 1000

_OFFLINE: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
}


@contextmanager
def parquet_table(path: Path) -> Iterator[Table]:
    """Give the rows of a Parquet file; raises InputError when its footer can't be read."""
    literal = glob.escape(str(path))
    with closing(duckdb.connect(":memory:", config=_OFFLINE)) as connection:
        try:
            counted = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [literal]).fetchone()
            answer = connection.execute("SELECT * FROM read_parquet(?)", [literal])
        except duckdb.Error:
            raise InputError(f"{path}: is a broken Parquet file; make a fresh copy of it") from None
        columns = [column[0] for column in answer.description or ()]
        read = _Read(answer.fetchmany, columns)
        size, total = path.stat().st_size, int(counted[0] or 0) if counted else 0
        yield peeked(read.rows(), lambda: size * read.count // total if total else size, columns=columns)


class _Read:
    """The rows of an answer, and how many of them were handed on."""

    def __init__(self, fetch: Callable[[int], list[tuple[Any, ...]]], columns: Sequence[str]) -> None:
        self.count = 0
        self._fetch = fetch
        self._columns = columns

    def rows(self) -> Iterator[Row | Fault]:
        try:
            while batch := self._fetch(BATCH_ROWS):
                for values in batch:
                    self.count += 1
                    yield {column: _plain(value) for column, value in zip(self._columns, values, strict=True)}
        except duckdb.Error:
            yield Fault(BROKE_OFF)


def _plain(value: Any) -> Any:
    """Return a value as JSON would hold it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
