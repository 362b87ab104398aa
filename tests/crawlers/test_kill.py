"""SIGKILL at any moment of a crawl of every source: nothing lost, nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles import all_doubles
from world import World

from citystudy.config import read_study
from citystudy.store import Store
from tests.servers.killing import crawl_killed

pytestmark = pytest.mark.slow

COUNT = 40  # five pages of each source
KILLS = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, all_doubles(), COUNT)
    yield made
    made.close()


def test_a_crawl_killed_again_and_again_ends_equal_to_the_sources(world: World) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    sources = len(world.doubles)
    for _ in range(KILLS):
        crawl_killed(world.study, chance.randint(1, sources // 3), chance)
    with Store(read_study(world.study).database_path) as store:
        stored = store.count("post")
    assert 0 < stored < sources * COUNT, (seed, "the kills came too late, or too early, to prove anything")

    results = world.crawl()

    assert {name: result.parked for name, result in results.items() if result.parked} == {}, seed
    rows = world.rows()
    for name, double in world.doubles.items():
        ids = Counter(world.opened(row) for row in rows[name])
        assert ids == Counter(double.native_id(number) for number in double.posts), (seed, name)
    with Store(read_study(world.study).database_path) as store:
        sums = next(store.query("SELECT SUM(new) AS new, SUM(edited) AS edited, SUM(deleted) AS deleted FROM crawl"))
    assert sums == {"new": sources * COUNT, "edited": 0, "deleted": 0}, seed
