"""Every fault of a server, played against every source: counted, told, never fatal, and nothing is lost by it."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from doubles import all_doubles
from fault_server import Asked, Reply, cut_gzip
from world import World

pytestmark = pytest.mark.slow

COUNT = 20  # three pages of each source


def answer_of(world: World, name: str, asked: Asked) -> Reply:
    """Return what the double would have answered."""
    answer = world.doubles[name].site.answers.get(asked.path, Reply(status=404))
    return answer if isinstance(answer, Reply) else answer(asked)


def with_bom(real: Reply) -> Reply:
    body = real.body.encode() if isinstance(real.body, str) else real.body
    if real.headers.get("Content-Encoding") or real.status != 200:
        return real
    return Reply(b"\xef\xbb\xbf" + body, real.status, real.headers)


def in_another_charset(real: Reply) -> Reply:
    body = real.body if isinstance(real.body, str) else real.body.decode("utf-8", "replace")
    return Reply(body.encode("cp1256", "replace"), real.status, real.headers)


def soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


# Faults that pass: the second time the server answers as it should.
PASSING: dict[str, Callable[[Reply], Reply]] = {
    "429, seconds": lambda real: Reply(status=429, headers={"Retry-After": "1"}),
    "429, a date": lambda real: Reply("slow down", status=429, headers={"Retry-After": soon()}),
    "500": lambda real: Reply("<html>oops</html>", status=500),
    "broken off": lambda real: Reply(real.body, headers=real.headers, hang_up=True),
}
# Faults that stay until the operator's next crawl.
STAYING: dict[str, Callable[[Reply], Reply]] = {
    "503": lambda real: Reply(status=503),
    "429 for an hour": lambda real: Reply(status=429, headers={"Retry-After": "3600"}),
    "no answer": lambda real: Reply(real.body, headers=real.headers, wait=60),
    "cut gzip": lambda real: cut_gzip(real.body if isinstance(real.body, bytes) else real.body.encode()),
    "not gzip": lambda real: Reply(b"plain", headers={"Content-Encoding": "gzip"}),
    "redirects without end": lambda real: Reply(status=302, headers={"Location": "/again"}),
    "an error page": lambda real: Reply(
        "<!DOCTYPE html><html><head><title>Oops</title></head><body><h1>Service unavailable</h1></body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    ),
    "nothing": lambda real: Reply(headers=real.headers),
    "50 MB": lambda real: Reply(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}),
    "half": lambda real: Reply(real.body[: len(real.body) // 2], headers=real.headers),
}
# Answers that are odd and can be read all the same.
READABLE = {"a byte-order mark": with_bom}
# What can be read of it is kept; letters that are lost are not stored as others.
DOUBTFUL = {"another charset": in_another_charset}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, all_doubles(), COUNT, timeout=2)
    yield made
    made.close()


def play(world: World, fault: Callable[[Reply], Reply], *, from_request: int, times: int) -> None:
    """Play a fault on each site, `times` times from its nth request on."""
    for name, double in world.doubles.items():
        asked_for: Counter[str] = Counter()

        def faulty(asked: Asked, name: str = name, asked_for: Counter[str] = asked_for) -> Reply | None:
            if asked.path == "/again":
                return Reply(status=302, headers={"Location": "/again"})
            asked_for["all"] += 1
            first = asked_for["all"] - from_request
            return fault(answer_of(world, name, asked)) if 0 <= first < times else None

        double.site.fault = faulty


def heal(world: World) -> None:
    for double in world.doubles.values():
        double.site.fault = None


def assert_whole(world: World) -> None:
    """Every post of every source is stored once, as it was written."""
    rows = world.rows()
    for name, double in world.doubles.items():
        stored = Counter(world.opened(row) for row in rows[name])
        assert stored == Counter(double.native_id(number) for number in double.posts), name
        texts = {world.opened(row): row["text"] for row in rows[name]}
        assert texts == {double.native_id(number): post.text for number, post in double.posts.items()}, name


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_waited_for(world: World, fault: str) -> None:
    play(world, PASSING[fault], from_request=2, times=1)
    results = world.crawl()
    assert {name: result.parked for name, result in results.items() if result.parked} == {}
    assert_whole(world)


@pytest.mark.parametrize("fault", READABLE)
def test_what_is_odd_is_read(world: World, fault: str) -> None:
    play(world, READABLE[fault], from_request=1, times=1000)
    results = world.crawl()
    assert {name: result.parked for name, result in results.items() if result.parked} == {}
    assert_whole(world)


@pytest.mark.parametrize("from_request", [1, 2])
@pytest.mark.parametrize("fault", STAYING)
def test_what_stays_parks_the_target_and_loses_nothing(world: World, fault: str, from_request: int) -> None:
    play(world, STAYING[fault], from_request=from_request, times=1000)
    for name, result in world.crawl().items():
        asked = len(world.doubles[name].site.paths())
        assert result.parked or asked <= from_request or result.dropped, (name, result.outcome)
        assert result.outcome not in {"going on", "not reached"}, name
        assert "Error" not in (result.parked or ""), (name, result.parked)
    heal(world)
    world.crawl()
    assert_whole(world)


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_letters_that_are_lost_are_not_stored_as_others(world: World, fault: str) -> None:
    play(world, DOUBTFUL[fault], from_request=1, times=1000)
    results = world.crawl()
    assert all(result.outcome not in {"going on", "not reached"} for result in results.values())
    for name, rows in world.rows().items():
        rubbish = [row["text"] for row in rows if "\ufffd" in row["text"] or "????" in row["text"]]
        assert not rubbish, (name, rubbish[:2])
    heal(world)
    world.crawl()
    assert_whole(world)
