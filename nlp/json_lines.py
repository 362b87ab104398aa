"""Lines of JSON, each parsed or told what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that can't be used: its number, from 1, and what was expected."""

    line: int
    reason: str


def parsed(lines: Iterable[bytes], *, expected: str) -> Iterator[tuple[int, Any] | BadRow]:
    """Yield for each line that is not blank its number, from 1, and its value; `expected` shows what a line holds."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            yield BadRow(number, "found bytes that are not UTF-8; save the file as UTF-8")
        except (ValueError, RecursionError):
            yield BadRow(number, f"not valid JSON; expected one object a line: {expected}")
