"""JSON Lines: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from crawlers.importers.containers.rows import Fault, Lines, Row, Table, json_row, peeked


def is_json_lines(head: str) -> bool:
    """Tell whether a text begins as JSON Lines; its first line may be broken."""
    first, *later = head.splitlines()
    objects = sum(line.startswith("{") for line in later)
    return first.startswith("{") or 2 * objects > sum(map(bool, later))


def json_lines_table(file: IO[str], raw: IO[bytes]) -> Table:
    """Return the rows of a JSON Lines file."""
    lines = Lines(file)
    return peeked(_rows(lines), raw.tell, lambda: lines.letters)


def _rows(lines: Lines) -> Iterator[Row | Fault]:
    for line in lines:
        if isinstance(line, Fault):
            yield line
        elif line.strip():
            yield json_row(line)
