"""How rows become posts: one module a format, each with its `FORMAT`; files of other columns by a map."""

from __future__ import annotations

from crawlers.importers.formats import fourcat, pushshift, telegram_export, twarc, zeeschuimer
from crawlers.importers.formats.base import Format

_ALL = (zeeschuimer.FORMAT, fourcat.FORMAT, twarc.FORMAT, pushshift.FORMAT, telegram_export.FORMAT)

FORMATS: dict[str, Format] = {known.name: known for known in _ALL}
