from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from citystudy.config import read_study
from crawlers.importers import ColumnMap, ImportResult, import_file

SOURCES = (
    "reddit",
    "twitter",
    "telegram",
    "tiktok",
    "tiktok-comments",
    "instagram",
    "threads",
    "linkedin",
    "forum",
)


def ndjson(*rows: Any) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for row in rows)


class Exports:
    """A study that takes rows of every platform for Kazan, and exports to import into it."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder
        targets = (f'source = "import"\nkind = "community"\nrows = "{source}"' for source in SOURCES)
        self.study = read_study(folder.write(*targets))

    def __call__(self, content: bytes, name: str = "export", **options: Any) -> ImportResult:
        """Import a file whose name says nothing, every row for Kazan unless told otherwise."""
        path = self.folder.path / name
        path.write_bytes(content)
        return self.read(path, **options)

    def read(
        self,
        path: Path,
        columns: ColumnMap | None = None,
        format_name: str | None = None,
        values: dict[str, str] | None = None,
    ) -> ImportResult:
        values = {"city": "Kazan"} if values is None else values
        with self.folder.store() as store:
            result = import_file(
                self.study, self.folder.secret, store, path, columns, values=values, format_name=format_name
            )
        assert result.rows == result.new + result.edited + result.unchanged + result.dropped.total()
        return result

    def posts(self) -> dict[str, dict[str, Any]]:
        """Return the stored posts by their native ids, counts read."""
        return {
            post["opened"]["id"]: {**post, "counts": json.loads(post["counts"]) if post["counts"] else None}
            for post in self.folder.posts()
        }

    def pseudonym(self, source: str, author: str) -> str:
        return str(self.folder.secret.pseudonym(source, author))

    def key(self, source: str, native_id: str) -> str:
        return str(self.folder.secret.key(source, native_id))

    def named(self, *words: str) -> list[str]:
        """Return those words that stand in clear on the disk."""
        database = self.folder.database_bytes()
        return [word for word in words if word.encode() in database]


@pytest.fixture
def exports(folder: Any) -> Exports:
    return Exports(folder)
