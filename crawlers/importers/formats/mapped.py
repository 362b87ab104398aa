"""Files read by a map of columns: a user's own, and the exports of Talkwalker, Meltwater and Brandwatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from crawlers.importers.cells import Cells
from crawlers.importers.columns import ColumnMap, read_column_map
from crawlers.importers.containers.rows import Row, at
from crawlers.importers.formats.base import REPOST, Format
from crawlers.markup import plain

PLAIN = "plain"
_SAYS_NO = {"", "0", "no", "false"}


@cache
def vendor_maps() -> Mapping[str, ColumnMap]:
    """Return the maps that come with citystudy, by the vendor's name."""
    maps = {}
    folder = resources.files("crawlers.importers").joinpath("maps")
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")):
        with resources.as_file(folder.joinpath(name)) as path:
            maps[path.stem] = read_column_map(path)
    return maps


def mapped(
    name: str, column_map: ColumnMap, path: Path, seen: Sequence[str], given: Mapping[str, str], cities: Sequence[str]
) -> Format:
    """Return the format of a file with these columns; raises InputError when what is needed is not there.

    `given` are values for every row, `cities` those that may be given.
    """
    found = column_map.resolve(path, seen, given, cities)
    return Format(
        name=name,
        expects="columns: " + (", ".join(sorted(column_map.recognised_by)) or "id, text, source and city"),
        fits=_any_row,
        cells=_reader(found, column_map),
        clean=plain,
    )


def _any_row(row: Row) -> bool:  # noqa: ARG001  any row may be of a file whose columns are right
    return True


def _reader(found: Mapping[str, tuple[str, ...]], column_map: ColumnMap) -> Callable[[Row], Cells | str]:
    firsts = {name: columns[0] for name, columns in found.items() if name != "author_name"}
    others = {name: columns[1:] for name, columns in found.items() if name in firsts and len(columns) > 1}
    names = found.get("author_name", ())

    def cells(row: Row) -> Cells | str:
        told: Cells = {name: at(row, column) for name, column in firsts.items()}
        for name, columns in others.items():
            if told[name] in (None, ""):
                told[name] = next((value for c in columns if (value := at(row, c)) not in (None, "")), None)
        if "repost_of" in told and _says_something(told["repost_of"]):
            return REPOST
        for name, patterns in column_map.dates.items():
            told[name] = _dated(told.get(name), patterns)
        if column_map.sources and isinstance(told.get("source"), str):
            told["source"] = column_map.sources.get(told["source"].strip().casefold(), told["source"])
        told["author_names"] = (told.get("author"), *(at(row, column) for column in names))
        return told

    return cells


def _says_something(value: object) -> bool:
    return value is not None and value is not False and str(value).strip().casefold() not in _SAYS_NO


def _dated(value: Any, patterns: Sequence[str]) -> Any:
    """Return the moment that one of the patterns reads in a value, without a zone in UTC; else the value itself."""
    if not isinstance(value, str):
        return value
    for pattern in patterns:
        try:
            moment = datetime.strptime(value.strip(), pattern)  # noqa: DTZ007  the user's pattern may hold a zone
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except ValueError:
            continue
    return value
