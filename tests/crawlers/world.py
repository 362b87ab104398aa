"""A study that reads every source from its double."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doubles import Double
from fault_server import Site

from citystudy.config import read_study
from citystudy.privacy import Secret
from citystudy.store import Store
from crawlers.crawl import TargetResult, crawl

STUDY = """
[study]
name = "every source"
question = "What is missing?"
contact = "tests@example.org"

[limits]
delay_seconds = 0
timeout_seconds = {timeout}
retries = 1
second_look_hours = {hours}
max_response_mb = 5

[credentials]
{credentials}

[[cities]]
name = "Kazan"
country = "RU"
languages = ["ru", "ar", "fa", "en"]
aliases = { ru = ["Казань"] }
latitude = 55.79
longitude = 49.12
"""


class World:
    """Doubles by their module's name, and the study of one city that reads them all."""

    def __init__(self, folder: Path, kinds: Sequence[type[Double]], count: int, *, timeout: float = 10) -> None:
        self.folder = folder
        self.doubles = {kind.__module__.rsplit(".", 1)[1]: kind(Site(), count) for kind in kinds}
        self.study = folder / "study.toml"
        (folder / "study.secret").write_text("a secret of the tests, 16 bytes at least")
        keyed = {double.source: double.key for double in self.doubles.values() if double.key is not None}
        os.environ.update({f"CITYSTUDY_TEST_{source.upper()}": key for source, key in keyed.items()})
        credentials = "\n".join(f'{source} = "env:CITYSTUDY_TEST_{source.upper()}"' for source in keyed)
        targets = "".join(f"\n[[cities.targets]]\n{double.target()}\n" for double in self.doubles.values())
        self._text = STUDY.replace("{credentials}", credentials).replace("{timeout}", str(timeout)) + targets
        self.look_again_after(36)
        read = read_study(self.study)
        self.secret = Secret.of(read)
        self._database = read.database_path
        ids = [city.target_id(target) for city, target in read.targets()]
        self.target_of = dict(zip(self.doubles, ids, strict=True))

    def look_again_after(self, hours: int) -> None:
        """Write the study so that posts are looked at a second time when they are that old."""
        self.study.write_text(self._text.replace("{hours}", str(hours)))

    def crawl(self) -> dict[str, TargetResult]:
        """Crawl the study; return the results by double."""
        results = {result.target: result for result in crawl(self.study)}
        return {name: results[target] for name, target in self.target_of.items()}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return the stored posts by double."""
        with Store(self._database) as store:
            found = list(store.query("SELECT * FROM post ORDER BY created_at, id"))
        return {name: [row for row in found if row["target"] == target] for name, target in self.target_of.items()}

    def tombstones(self) -> set[str]:
        """Return the keys that have a tombstone."""
        with Store(self._database) as store:
            return {row["key"] for row in store.query("SELECT key FROM tombstone")}

    def opened(self, row: dict[str, Any]) -> str:
        """Return a row's native id."""
        return str(self.secret.unseal(row["sealed"])["id"])

    def bytes_on_disk(self) -> bytes:
        """Return everything of the database and the crawl's log that is on the disk."""
        files = [*self.folder.glob("study.db*"), *self.folder.glob("*.log")]
        return b"".join(file.read_bytes() for file in sorted(files))

    def close(self) -> None:
        """Close the sites."""
        for double in self.doubles.values():
            double.site.close()
