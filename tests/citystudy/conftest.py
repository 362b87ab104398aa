"""A study of one city with one target, and its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from citystudy.config import Study, read_study
from citystudy.store import Post, Store, now

MINIMAL = """
[study]
name = "test"
question = "What is missing?"
contact = "tests@example.org"

[[cities]]
name = "Amman"
country = "JO"
languages = ["ar", "en"]

[[cities.targets]]
source = "feed"
kind = "forum"
url = "https://forum.example/latest.rss"
"""
TARGET = "amman/feed/https://forum.example/latest.rss"


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(text: str | bytes) -> Path:
        path = tmp_path / "study.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def study(write_study: Callable[[str], Path]) -> Study:
    return read_study(write_study(MINIMAL))


@pytest.fixture
def store(study: Study) -> Iterator[Store]:
    with Store(study.database_path) as store:
        store.register(study)
        yield store


def a_post(key: str, text: str = "no water since Tuesday", *, title: str = "", **more: object) -> Post:
    fields: dict[str, object] = {"target": TARGET, "city": "amman", "sealed": "sealed", "fetched_at": now()}
    return Post(key=key, text=text, title=title, **{**fields, **more})  # type: ignore[arg-type]
