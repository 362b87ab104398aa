"""A study of what real servers on this machine hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from loopback import NotHereError

from citystudy.config import read_study
from citystudy.privacy import Secret
from citystudy.store import Store

ServerT = TypeVar("ServerT")

STUDY = """
[study]
name = "servers"
question = "Does the database equal the server?"
contact = "tests@example.org"

[limits]
delay_seconds = 0
second_look_hours = 0

[[cities]]
name = "Kazan"
country = "RU"
languages = ["ru", "ar", "fa", "en"]
"""


class StudyFolder:
    """A study's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study = path / "study.toml"
        (path / "study.secret").write_text("a secret of the tests against servers")

    def read_from(self, *targets: str) -> Path:
        """Write the study with these targets, lines of TOML each."""
        self.study.write_text(STUDY + "".join(f"\n[[cities.targets]]\n{target}\n" for target in targets))
        return self.study

    @property
    def secret(self) -> Secret:
        return Secret.of(read_study(self.study))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return what a query finds in the database."""
        with Store(read_study(self.study).database_path) as store:
            return list(store.query(sql))

    def posts(self) -> dict[str, dict[str, Any]]:
        """Return the stored posts by native id, oldest first."""
        rows = self.rows("SELECT * FROM post ORDER BY created_at, id")
        return {self.secret.unseal(row["sealed"])["id"]: row for row in rows}

    def bytes_on_disk(self) -> bytes:
        """Return everything of the database and of the crawl's log that is on the disk, the write-ahead log too."""
        files = [*self.path.glob("study.db*"), *self.path.glob("*.log")]
        return b"".join(file.read_bytes() for file in sorted(files))


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


@pytest.fixture
def run_server() -> Iterator[Callable[[str, Callable[[Path], AbstractContextManager[ServerT]]], ServerT]]:
    """Run a server in a folder of its own until the test ends; the test skips where the server can't be had."""
    with TemporaryDirectory(prefix="server") as folder, ExitStack() as running:

        def run(name: str, server: Callable[[Path], AbstractContextManager[ServerT]]) -> ServerT:
            try:
                return running.enter_context(server(Path(folder)))
            except NotHereError as why:
                pytest.skip(f"{name}: {why}; install it with: make servers")

        yield run
