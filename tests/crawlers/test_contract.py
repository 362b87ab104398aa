"""What every source must hold: all sources read in one study, over three crawls, against their doubles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from doubles import Double, Written, all_doubles
from world import World

from crawlers.crawl import TargetResult

COUNT = 26
ADDED = (27, 28, 29)
EDITED = 24
DELETED = 25
AGAIN = "Всё починили, спасибо / تم الإصلاح / درست شد"


@dataclass
class History:
    """What three crawls brought: everything, nothing new, and what was added, edited and deleted meanwhile."""

    world: World
    results: list[dict[str, TargetResult]]
    rows: list[dict[str, list[dict[str, Any]]]]
    first: dict[str, dict[int, Written]]
    on_disk: bytes


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    world = World(tmp_path_factory.mktemp("contract"), all_doubles(), COUNT)
    try:
        first = {name: dict(double.posts) for name, double in world.doubles.items()}
        results, rows = [world.crawl()], [world.rows()]
        results.append(world.crawl())
        rows.append(world.rows())
        for double in world.doubles.values():
            for number in ADDED:
                double.write(number)
            double.edit(EDITED, AGAIN)
            double.delete(DELETED)
        world.look_again_after(0)
        results.append(world.crawl())
        rows.append(world.rows())
        yield History(world, results, rows, first, world.bytes_on_disk())
    finally:
        world.close()


NAMES = [kind.__module__.rsplit(".", 1)[1] for kind in all_doubles()]
each_source = pytest.mark.parametrize("name", NAMES)


def by_id(world: World, name: str, rows: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return a source's rows by their opened native ids, which must differ."""
    opened = [world.opened(row) for row in rows[name]]
    assert len(set(opened)) == len(opened)
    return dict(zip(opened, rows[name], strict=True))


def expected_ids(double: Double, posts: dict[int, Written]) -> set[str]:
    return {double.native_id(number) for number in posts}


@each_source
def test_every_post_comes_once(history: History, name: str) -> None:
    double = history.world.doubles[name]
    result = history.results[0][name]
    assert (result.parked, result.outcome, result.new) == (None, "finished", COUNT)
    assert set(by_id(history.world, name, history.rows[0])) == expected_ids(double, history.first[name])


@each_source
def test_each_field_is_what_the_source_said(history: History, name: str) -> None:
    double = history.world.doubles[name]
    rows = by_id(history.world, name, history.rows[0])
    secret = history.world.secret
    for number, post in history.first[name].items():
        row = rows[double.native_id(number)]
        assert row["text"] == post.text
        assert row["city"] == "kazan"
        assert row["city_basis"] in {"target", "coordinates", "country"}
        wanted = secret.pseudonym(double.source, double.author_id(post)) if double.keeps_authors else None
        assert row["author"] == wanted
        stored = post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ") if double.keeps_dates else None
        assert row["created_at"] == stored
        assert row["fetched_at"] <= datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@each_source
def test_times_are_utc_and_what_is_unknown_is_null(history: History, name: str) -> None:
    zulu = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    for row in history.rows[2][name]:
        for moment in ("created_at", "edited_at", "fetched_at"):
            assert row[moment] is None or zulu.fullmatch(row[moment])
        assert row["declared_lang"] != ""
        assert row["counts"] not in {"{}", ""}
        assert (row["latitude"] is None) == (row["longitude"] is None)
        assert (row["latitude"], row["longitude"]) != (0.0, 0.0)


@each_source
def test_a_second_crawl_of_the_same_brings_nothing(history: History, name: str) -> None:
    result = history.results[1][name]
    assert (result.parked, result.new, result.edited, result.deleted) == (None, 0, 0, 0)
    first, second = history.rows[0][name], history.rows[1][name]
    assert [{**row, "looked_at": None} for row in second] == [{**row, "looked_at": None} for row in first]


@each_source
def test_what_was_added_edited_and_deleted_reaches_the_database(history: History, name: str) -> None:
    double = history.world.doubles[name]
    result = history.results[2][name]
    assert (result.parked, result.new) == (None, len(ADDED))
    rows = by_id(history.world, name, history.rows[2])
    expected = expected_ids(double, double.posts)
    if not double.sees_deletions:
        expected.add(double.native_id(DELETED))
    assert set(rows) == expected
    assert (result.edited, result.deleted) == (int(double.sees_edits), int(double.sees_deletions))
    if double.sees_edits:
        assert rows[double.native_id(EDITED)]["text"] == AGAIN


@each_source
def test_a_deleted_post_leaves_a_tombstone_and_no_text(history: History, name: str) -> None:
    double = history.world.doubles[name]
    if not double.sees_deletions:
        pytest.skip("this source can't tell what was deleted")
    key = history.world.secret.key(double.source, double.native_id(DELETED))
    assert key in history.world.tombstones()


@each_source
def test_no_author_stands_readable_in_the_database_or_the_log(history: History, name: str) -> None:
    double = history.world.doubles[name]
    for post in [*history.first[name].values(), *double.posts.values()]:
        for readable in [*double.readable(post), double.native_id(post.number), double.author_id(post)]:
            assert readable.encode() not in history.on_disk, readable
    if double.key is not None:
        assert double.key.encode() not in history.on_disk


def test_every_spider_has_a_double() -> None:
    spiders = {path.stem for path in Path("crawlers/spiders").glob("*.py")} - {"__init__", "base"}
    doubled = Counter(kind.source for kind in all_doubles())
    assert set(doubled) == spiders
