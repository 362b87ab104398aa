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
DATES = ("created_at", "edited_at")
FIELDS = (
    "id",
    "text",
    "title",
    "source",
    "city",
    *DATES,
    "lang",
    "author",
    "author_name",
    "url",
    "thread",
    "parent",
    "repost_of",
    "latitude",
    "longitude",
    *COUNTS,
)
FIXED = ("source", "city", "lang")
NEEDED = ("id", "text", "source", "city")
TABLES = ("columns", "values", "dates", "sources")
SHOWN_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which columns hold what (field → columns, the first with a value counts), and values for every row of the file.

    A field that is given one column must have it; of a list of columns those count that the file has, and an empty
    list leaves the field out. `dates` are patterns (strptime) of dates that are not written as usual, `sources` other
    names for what the source column says, and `recognised_by` columns that show which line is the header.
    """

    origin: str = "the column map"
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    recognised_by: frozenset[str] = frozenset()

    @property
    def header(self) -> frozenset[str]:
        """Columns that a line must have to be the header; empty where any line may be it."""
        return self.recognised_by or frozenset(name for name in self.columns.values() if isinstance(name, str))

    def resolve(
        self, path: Path, seen: Sequence[str], given: Mapping[str, str], cities: Sequence[str] = ()
    ) -> dict[str, tuple[str, ...]]:
        """Return the file's columns of each field, same-named ones by default; `given` are values for every row.

        Raises InputError when a column named in the map is not in the file, or a needed one is missing; `cities` are
        those that may be given.
        """
        known = dict.fromkeys(seen)
        folded = {column.strip().casefold(): column for column in reversed(seen)}
        found: dict[str, tuple[str, ...]] = {name: (folded[name],) for name in FIELDS if name in folded}
        for name, columns in self.columns.items():
            if not isinstance(columns, str):
                found[name] = tuple(column for column in columns if column in known)
            elif columns in known:
                found[name] = (columns,)
            else:
                raise InputError(
                    f"{self.origin}: columns.{name}: {path.name} has no column '{columns}'{hint(columns, seen)}"
                )
        found = {name: columns for name, columns in found.items() if columns}
        if "text" not in found and "title" in found:
            found["text"] = found.pop("title")
        for name in NEEDED:
            if name not in found and name not in given:
                guess = "" if name in self.columns else hint(name, seen)
                raise InputError(
                    f"{path}: no column '{name}'{guess}. Name the right one in a column map (--map FILE): "
                    f'[columns] {name} = "…"'
                    + (f', or give it to every row: --{name} NAME, or [values] {name} = "…"' if name in FIXED else "")
                    + (f" (the study's cities: {shown(cities)})" if name == "city" and cities else "")
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
    header = _texts(path, "recognised_by", data.pop("recognised_by", ()))
    for name in data:
        if name not in TABLES:
            raise InputError(f"{path}: {name}: unknown table, expected [columns], [values], [dates] or [sources]")
    columns = _table(path, data, "columns", FIELDS)
    dates = _table(path, data, "dates", DATES)
    values = _table(path, data, "values", FIXED)
    sources = _table(path, data, "sources")
    return ColumnMap(
        origin=str(path),
        columns={
            name: value if isinstance(value, str) else _texts(path, f"columns.{name}", value)
            for name, value in columns.items()
        },
        values={name: _text(path, f"values.{name}", value) for name, value in values.items()},
        dates={name: _texts(path, f"dates.{name}", value) for name, value in dates.items()},
        sources={name.casefold(): _text(path, f"sources.{name}", value) for name, value in sources.items()},
        recognised_by=frozenset(header),
    )


def _table(path: Path, data: Mapping[str, Any], name: str, known: Sequence[str] | None = None) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: {name}: found {table!r}, expected a table: [{name}]")
    for key in table:
        if known is not None and key not in known:
            raise InputError(f"{path}: {name}.{key}: unknown field{hint(key, known)}")
    return table


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f'{path}: {key}: found {value!r}, expected a text such as "{key.rpartition(".")[2]}"')
    return value


def _texts(path: Path, key: str, value: object) -> tuple[str, ...]:
    """Return a text, or a list of texts, as texts."""
    return tuple(_text(path, key, text) for text in (value if isinstance(value, list | tuple) else [value]))


def hint(word: str, known: Sequence[str]) -> str:
    """Return ", did you mean …" where a known word is close, else what words are known."""
    close = difflib.get_close_matches(word, known[:10_000], n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f" (there are: {shown(known)})" if known else ""


def shown(columns: Sequence[str]) -> str:
    """Return the first of many columns as one text."""
    more = f" and {len(columns) - SHOWN_COLUMNS:,} more" if len(columns) > SHOWN_COLUMNS else ""
    return ", ".join(columns[:SHOWN_COLUMNS]) + more
