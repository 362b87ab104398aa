"""Posts from files: exports of other tools, and JSON Lines, CSV and Parquet by a map of columns."""

from __future__ import annotations

from crawlers.importers.columns import ColumnMap, read_column_map
from crawlers.importers.importer import ImportProgress, ImportResult, import_file

__all__ = ["ColumnMap", "ImportProgress", "ImportResult", "import_file", "read_column_map"]
