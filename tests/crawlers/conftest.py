"""A study that reads from web servers on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_server import Site

from citystudy.config import read_study
from citystudy.privacy import Secret
from citystudy.store import Store


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def make() -> Site:
        sites.append(Site())
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()


class Folder:
    """A study folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study_path = path / "study.toml"
        (path / "study.secret").write_text("a secret of the tests, 16 bytes at least")

    def write(self, *targets: str, cities: str = "", limits: str = "", delay: float = 0) -> Path:
        """Write a study of one city, Kazan, with these targets (TOML inline), and cities more."""
        tables = "\n".join(f"[[cities.targets]]\n{target}" for target in targets)
        self.study_path.write_text(
            f"""
            [study]
            name = "test"
            question = "What is missing?"
            contact = "tests@example.org"
            [limits]
            delay_seconds = {delay}
            timeout_seconds = 2
            retries = 1
            {limits}
            [[cities]]
            name = "Kazan"
            country = "RU"
            languages = ["ru"]
            aliases = {{ ru = ["Казань"], en = ["The Third Capital"] }}
            {tables}
            {cities}
            """
        )
        return self.study_path

    @property
    def secret(self) -> Secret:
        return Secret.of(read_study(self.study_path))

    def store(self) -> Store:
        return Store(read_study(self.study_path).database_path)

    def posts(self) -> list[dict[str, object]]:
        """Return the stored posts, oldest first, their sealed ids opened."""
        with self.store() as store:
            rows = list(store.query("SELECT * FROM post ORDER BY created_at, id"))
        return [{**row, "opened": self.secret.unseal(row["sealed"])} for row in rows]

    def database_bytes(self) -> bytes:
        """Return everything of the database that is on the disk."""
        return b"".join(path.read_bytes() for path in sorted(self.path.glob("study.db*")))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
