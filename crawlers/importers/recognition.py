"""Which format a file is of, told by its first rows; a wrong guess is said with what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from citystudy.errors import InputError
from crawlers.importers.columns import ColumnMap, hint, shown
from crawlers.importers.containers import Fault, Table
from crawlers.importers.formats import FORMATS
from crawlers.importers.formats.base import Format
from crawlers.importers.formats.mapped import PLAIN, mapped, vendor_maps

LEAST_SHARE = 0.5


def format_names() -> list[str]:
    """Return the names of all formats."""
    return [*FORMATS, *vendor_maps(), PLAIN]


def headers(column_map: ColumnMap | None) -> list[frozenset[str]]:
    """Return the sets of columns each of which shows that a line is a CSV's header."""
    if column_map is not None:
        return [column_map.header]
    maps = [vendor.header for vendor in vendor_maps().values()]
    return [*maps, *(known.header for known in FORMATS.values() if known.header)]


def check_asked(asked: str | None, column_map: ColumnMap | None) -> None:
    """Raise InputError where the format asked for is not known, or does not go with a column map."""
    if asked is not None and asked not in format_names():
        raise InputError(f"--format {asked}: unknown format{hint(asked, format_names())}")
    if asked in FORMATS and column_map is not None:
        by_map = ", ".join([*vendor_maps(), PLAIN])
        raise InputError(
            f"--format {asked}: its columns are known, a column map goes with {by_map} only; leave --map or --format out"
        )


def recognise(
    path: Path,
    table: Table,
    asked: str | None,
    column_map: ColumnMap | None,
    given: Mapping[str, str],
    cities: Sequence[str],
) -> Format:
    """Return the format of a file: the one asked for, else that of a column map, else the one its first rows fit.

    `given` are values for every row, `cities` those that may be given. Raises InputError with what was seen where the
    file is not of the format asked for, or of none that is known.
    """
    likely, share = _likeliest(table)
    if asked is not None and asked in FORMATS:
        if asked != likely and not _share_of(FORMATS[asked], table):
            raise _not_as_asked(path, table, asked, FORMATS[asked].expects, likely)
        return FORMATS[asked]
    if column_map is not None:
        return mapped(asked or PLAIN, column_map, path, table.columns, given, cities)
    name = asked or likely
    if name is not None and name in FORMATS and share > LEAST_SHARE:
        return FORMATS[name]
    if name is not None and name in vendor_maps():
        vendor = vendor_maps()[name]
        if not vendor.recognised_by <= set(table.columns):
            raise _not_as_asked(path, table, name, "columns " + ", ".join(sorted(vendor.recognised_by)), likely)
        return mapped(name, vendor, path, table.columns, given, cities)
    try:
        return mapped(PLAIN, ColumnMap(), path, table.columns, given, cities)
    except InputError as error:
        raise InputError(f"{error}. {_not_recognised(table, likely, share)}") from None


def _likeliest(table: Table) -> tuple[str | None, float]:
    """Return the name of the format that most of the first rows fit, and how many of them: 0 to 1."""
    if _is_plain(table):
        return PLAIN, 1.0
    columns = set(table.columns)
    for name, vendor in vendor_maps().items():
        if vendor.recognised_by <= columns:
            return name, 1.0
    shares = {name: _share_of(known, table) for name, known in FORMATS.items()}
    best = max(shares, key=lambda name: shares[name])
    return (best, shares[best]) if shares[best] else (None, 0.0)


def _share_of(known: Format, table: Table) -> float:
    rows = [row for row in known.unfolded(table.first) if not isinstance(row, Fault)]
    return sum(map(known.fits, rows)) / len(rows) if rows else 0.0


def _is_plain(table: Table) -> bool:
    """Tell whether most of the first rows have all that is needed under its plain name."""
    folded = {column.strip().casefold(): column for column in reversed(table.columns)}
    needed = [folded.get(name) for name in ("id", "source", "city")]
    texts = [folded[name] for name in ("text", "title") if name in folded]
    rows = [row for row in table.first if not isinstance(row, Fault)]
    plain = [row for row in rows if all(name in row for name in needed) and any(name in row for name in texts)]
    return len(plain) > LEAST_SHARE * len(rows)


def _seen(table: Table) -> str:
    known = set(table.columns)
    outer = [column for column in table.columns if column.rpartition(".")[0] not in known]
    return f"columns {shown(outer)}" if outer else "no row that can be read"


def _not_as_asked(path: Path, table: Table, asked: str, expects: str, likely: str | None) -> InputError:
    other = f"; it looks like {likely}" if likely else ""
    return InputError(
        f"{path}: is not what --format {asked} reads: expected {expects}; found {_seen(table)}{other}; leave --format "
        "out, or name another"
    )


def _not_recognised(table: Table, likely: str | None, share: float) -> str:
    exports = ", ".join(name for name in format_names() if name != PLAIN)
    if likely is None:
        return f"The file was not recognised as an export either ({exports}); found {_seen(table)}"
    return (
        f"Only {share:.0%} of its first rows look like {likely}; if that is what it is, say --format {likely}; "
        f"found {_seen(table)}"
    )
