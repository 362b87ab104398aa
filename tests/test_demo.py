"""The demonstration from end to end: real spiders on a real server, analysis, report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from citystudy.demo.server import demo_posts

# What the writers of the demonstration's posts planted in each city.
PLANTED = {
    ("leeds", "problem", "transport"),
    ("leeds", "wish", "personal_care"),
    ("leeds", "preference", "food"),
    ("amman", "problem", "utilities"),
    ("amman", "wish", "education"),
    ("amman", "preference", "leisure"),
    ("shiraz", "problem", "connectivity"),
    ("shiraz", "wish", "leisure"),
    ("shiraz", "preference", "food"),
    ("kazan", "problem", "streets"),
    ("kazan", "wish", "health"),
    ("kazan", "preference", "leisure"),
}


def demo(folder: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "citystudy", "demo", "--folder", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, object]:
    return demo(folder)


def test_the_strongest_niche_needs_are_those_its_writers_planted(first: dict[str, object]) -> None:
    headline = {(f["city"], f["need"]["kind"], f["need"]["theme"]) for f in first["headline"]}  # type: ignore[attr-defined]
    assert len(headline) == 3
    assert headline <= PLANTED


def test_every_post_written_is_gathered(first: dict[str, object]) -> None:
    assert sum(target["new"] for target in first["gathered"]) == len(demo_posts())  # type: ignore[attr-defined]


def test_the_report_stands_in_four_languages(first: dict[str, object], folder: Path) -> None:
    index = Path(first["report"]["index"])  # type: ignore[index]
    assert index.is_relative_to(folder)
    assert {"en", "ar", "fa", "ru"} <= {path.name for path in index.parent.iterdir()}


def test_no_author_is_named_in_the_database(first: dict[str, object], folder: Path) -> None:
    stored = b"".join(path.read_bytes() for path in folder.glob("study.db*"))
    for author in (b"seacroft_stan", b"abu_laith_tabarbour", b"rifat_zorge", b"kaveh_modem"):
        assert author not in stored


def test_a_second_run_finds_nothing_new_and_makes_the_same_report(first: dict[str, object], folder: Path) -> None:
    second = demo(folder)
    assert second["analysed"]["read"] == 0  # type: ignore[index]
    assert second["report"]["id"] == first["report"]["id"]  # type: ignore[index]
