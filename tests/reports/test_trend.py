from __future__ import annotations

from datetime import date, timedelta

from report_world import World

from reports.corpus import read_corpus
from reports.findings.model import Need, Trend
from reports.findings.trend import judge_trends, timeline
from reports.findings.voices import hear

TRANSPORT = Need("problem", "transport")
START = date(2026, 1, 5)


def trend(world: World) -> Trend:
    with world.store() as store:
        (panel,) = hear(read_corpus(store), 5).panels
    said = len(panel.said.get(TRANSPORT, ()))
    return judge_trends({"it": (timeline(panel), TRANSPORT)}, {"it": said}, 5)["it"]


def weekly(world: World, saying: list[int], of: int = 20) -> None:
    for week, count in enumerate(saying):
        for number in range(of):
            day = START + timedelta(weeks=week, days=number % 7)
            codes = [("problem", "transport")] if number < count else []
            world.post("alfa", f"{week}-{number}", day.isoformat(), codes)


def test_a_rise_in_the_last_third_is_told(world: World) -> None:
    weekly(world, [1, 1, 2, 1, 1, 2, 9, 9, 9])
    found = trend(world)
    assert found.direction == "rising"
    assert found.q is not None
    assert found.q < 0.001


def test_a_fall_is_told_and_a_flat_line_is_not(world: World, tmp_path) -> None:
    weekly(world, [9, 9, 9, 9, 9, 9, 1, 1, 1])
    assert trend(world).direction == "falling"


def test_nothing_changes(world: World) -> None:
    weekly(world, [5] * 9)
    assert trend(world).direction == "steady"


def test_every_period_is_open_and_whole_weeks_add_up(world: World) -> None:
    weekly(world, [3, 3, 0, 6, 2, 1, 1, 9, 2])
    periods = trend(world).periods
    assert [period.weeks for period in periods] == [2, 2, 4, 1] or sum(period.weeks for period in periods) == 9
    assert all(period.voices >= 5 and period.base - period.voices >= 5 for period in periods)
    assert sum(period.voices for period in periods) == 27


def test_a_curve_that_would_give_undated_voices_away_is_not_drawn(world: World) -> None:
    weekly(world, [6, 6, 6, 6])
    for number in range(3):
        world.post("alfa", f"undated{number}", None, [("problem", "transport")])
    assert trend(world).periods == ()


def test_more_posts_are_not_a_rise(world: World) -> None:
    for week in range(9):
        for number in range(10 if week < 6 else 60):
            codes = [("problem", "transport")] if number % 5 == 0 else []
            world.post("alfa", f"{week}-{number}", (START + timedelta(weeks=week)).isoformat(), codes)
    assert trend(world).direction == "steady"


def test_a_source_that_begins_late_is_not_a_rise(world: World) -> None:
    weekly(world, [2] * 9)
    for number in range(60):
        day = START + timedelta(weeks=7, days=number % 14)
        world.post("alfa", f"portal{number}", day.isoformat(), [("problem", "transport")], rows="portal")
    assert trend(world).direction == "steady"


def test_no_dates_and_too_short_are_said(world: World, tmp_path) -> None:
    for number in range(30):
        world.post("alfa", f"a{number}", None, [("problem", "transport")])
    assert trend(world).direction == "no_dates"


def test_two_weeks_are_too_short(world: World) -> None:
    weekly(world, [10, 10])
    assert trend(world).direction == "too_short"
