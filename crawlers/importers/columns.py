"""Which column of a file holds what: a small TOML file, or columns of the same names."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citystudy.errors import InputError

COUNTS = ("rating", "likes", "replies", "reposts", "views")
FIELDS = (
    "id",
    "text",
    "title",
    "source",
    "city",
    "created_at",
    "edited_at",
    "lang",
    "author",
    "url",
    "thread",
    "parent",
    "latitude",
    "longitude",
    *COUNTS,
)
FIXED = ("source", "city", "lang")
SHOWN_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns a user named (field → column), and values that hold for every row of the file."""

    origin: str = "the column map"
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, path: Path, seen: Sequence[str]) -> dict[str, str]:
        """Return the file's column of each field, same-named ones by default.

        Raises InputError when a column named in the map is not in the file, or a needed one is missing.
        """
        known = dict.fromkeys(seen)
        for name, column in self.columns.items():
            if column not in known:
                raise InputError(
                    f"{self.origin}: columns.{name}: {path.name} has no column '{column}'{_hint(column, seen)}"
                )
        folded = {column.strip().casefold(): column for column in reversed(seen)}
        found = {name: folded[name] for name in FIELDS if name in folded and name not in self.values}
        found.update(self.columns)
        if "text" not in found and "title" in found:
            found["text"] = found["title"]
            del found["title"]
        for name in ("id", "text", "source", "city"):
            if name not in found and name not in self.values:
                raise InputError(
                    f"{path}: no column '{name}'{_hint(name, seen)}. Name the right one in a column map (--map FILE): "
                    f'[columns] {name} = "…"'
                    + (f', or give it to every row: [values] {name} = "…"' if name in FIXED else "")
                )
        return found


def read_column_map(path: Path) -> ColumnMap:
    """Read a column map; raises InputError that names the key and the mend."""
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such column map; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None
    for name in data:
        if name not in {"columns", "values"}:
            raise InputError(f"{path}: {name}: unknown table, expected [columns] or [values]")
    return ColumnMap(
        origin=str(path), columns=_table(path, data, "columns", FIELDS), values=_table(path, data, "values", FIXED)
    )


def _table(path: Path, data: Mapping[str, Any], name: str, fields: Sequence[str]) -> dict[str, str]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: {name}: found {table!r}, expected a table: [{name}]")
    for key, value in table.items():
        if key not in fields:
            raise InputError(f"{path}: {name}.{key}: unknown field{_hint(key, fields)}")
        if not isinstance(value, str) or not value:
            raise InputError(f'{path}: {name}.{key}: found {value!r}, expected a text such as "{key}"')
    return table


def _hint(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known[:10_000], n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(known) - SHOWN_COLUMNS:,} more" if len(known) > SHOWN_COLUMNS else ""
    return f" (there are: {', '.join(known[:SHOWN_COLUMNS])}{more})" if known else ""
