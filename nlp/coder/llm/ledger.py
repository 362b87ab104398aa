"""What a study's language model was paid and what it said: a small SQLite file beside the study's database.

A request is written down at the most it may cost before it is sent, and at its true cost, together with the codings it
brought, in one transaction once it is answered: killed in between, it counts at the most. No text of a post is kept,
only the SHA-256 under which a passage's coding is found again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Self

from sqlite_utils import Database

from citystudy.errors import StoreError
from citystudy.store import Statement, chunks, now
from nlp.coder.interface import Passage

_TABLES = (
    """CREATE TABLE IF NOT EXISTS request (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, model TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER,
        cost REAL NOT NULL, answered INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS coding (
        key TEXT PRIMARY KEY, statements TEXT NOT NULL, request INTEGER NOT NULL REFERENCES request
    ) STRICT, WITHOUT ROWID""",
)


def coding_key(passage: Passage, model: str, prompt_version: str) -> str:
    """Return the SHA-256 under which a model's coding of a passage is kept."""
    parts = [model, prompt_version, passage.clauses, passage.text]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Ledger:
    """The requests and codings of one study; a context that closes its file. Raises StoreError with the mend."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            connection = sqlite3.connect(path)
            self._db = Database(connection)
            try:
                for table in _TABLES:
                    self._db.execute(table)
            except BaseException:
                connection.close()
                raise

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._db.close()

    def known(self, keys: Sequence[str]) -> dict[str, tuple[Statement, ...]]:
        """Return the codings that are kept under any of the keys."""
        found = {}
        with self._explained():
            for chunk in chunks(keys):
                marks = ", ".join("?" * len(chunk))
                for row in self._db.query(f"SELECT key, statements FROM coding WHERE key IN ({marks})", chunk):
                    found[row["key"]] = tuple(Statement(*fields) for fields in json.loads(row["statements"]))
        return found

    def spent(self) -> float:
        """Return what all requests cost, those without an answer at the most they may have."""
        with self._explained():
            return float(next(self._db.query("SELECT COALESCE(SUM(cost), 0) AS spent FROM request"))["spent"])

    def reserve(self, model: str, most: float) -> int:
        """Write down a request about to be sent, at the most it may cost; return its id."""
        row = {"at": now(), "model": model, "cost": most, "answered": 0}
        with self._explained():
            return int(self._db.table("request").insert(row, pk="id").last_pk)  # type: ignore[arg-type]  # of an INTEGER PRIMARY KEY

    def release(self, request: int) -> None:
        """Strike out a request that was not answered and costs nothing."""
        with self._explained():
            self._db.execute("DELETE FROM request WHERE id = ?", [request])

    def settle(
        self,
        request: int,
        tokens: tuple[int, int] | None,
        cost: float,
        codings: Mapping[str, Sequence[Statement]],
    ) -> None:
        """Write down an answer's tokens (input, output; None where not told), its cost, and the codings it brought."""
        read, written = tokens or (None, None)
        with self._explained(), self._db.atomic():
            self._db.table("request").update(
                request, {"input_tokens": read, "output_tokens": written, "cost": cost, "answered": 1}
            )
            self._db.table("coding").upsert_all(
                (
                    {"key": key, "statements": json.dumps([astuple(s) for s in statements]), "request": request}
                    for key, statements in codings.items()
                ),
                pk="key",
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path}: {error}; check that the disk has room and that this user may write there. It holds "
                "what the language model was paid and what it said: a damaged file is best restored from a copy"
            ) from error
