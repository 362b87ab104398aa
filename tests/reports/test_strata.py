from __future__ import annotations

from datetime import date

from report_world import TARGETS, World, study_of

from reports.corpus import read_corpus
from reports.findings.model import Need
from reports.findings.strata import shared_strata, tables_for, why_alone
from reports.findings.voices import Heard, hear

TRANSPORT = Need("problem", "transport")


def heard(world: World) -> Heard:
    with world.store() as store:
        return hear(read_corpus(store), 5)


def test_cities_meet_in_the_days_they_share(world: World) -> None:
    world.crowd("alfa", 56, 28)
    world.crowd("beta", 56, 14)
    for number in range(40):
        world.post("beta", f"early{number}", f"2026-02-{1 + number % 28:02d}", [("problem", "transport")])
    (stratum,) = shared_strata(heard(world).panels)
    assert (stratum.first, stratum.last) == (date(2026, 3, 1), date(2026, 3, 28))
    assert tables_for([stratum], "alfa", TRANSPORT) == [(28, 56, 14, 56)]
    assert tables_for([stratum], "beta", TRANSPORT) == [(14, 56, 28, 56)]


def test_a_city_outside_the_window_is_dropped_and_the_window_taken_anew(tmp_path, world: World) -> None:
    cities = [{"name": n, "country": "GB", "languages": ["en"], "targets": TARGETS} for n in ("Alfa", "Beta", "Old")]
    world.study = study_of(tmp_path, cities=cities)
    world.crowd("alfa", 40)
    world.crowd("beta", 50)
    for number in range(60):
        world.post("old", f"old{number}", f"2020-01-{1 + number % 28:02d}")
    (stratum,) = shared_strata(heard(world).panels)
    assert list(stratum.cities) == ["alfa", "beta"]
    assert stratum.first == date(2026, 3, 1)


def test_undated_posts_incomparable_targets_and_languages_stay_apart(world: World) -> None:
    for city in ("alfa", "beta"):
        world.crowd(city, 40, rows="maps")
        for number in range(40):
            world.post(city, f"u{number}", None)
    world.crowd("alfa", 40, lang="en", rows="portal")
    world.crowd("beta", 40, lang="ar", rows="portal")
    assert shared_strata(heard(world).panels) == ()


def test_known_and_unknown_authors_are_never_compared(world: World) -> None:
    world.crowd("alfa", 40)
    world.crowd("beta", 40, author=None)
    result = heard(world)
    assert shared_strata(result.panels) == ()
    assert {why_alone(panel) for panel in result.panels} == {"no_shared_stratum"}


def test_thirty_voices_are_needed(world: World) -> None:
    world.crowd("alfa", 29)
    world.crowd("beta", 40)
    result = heard(world)
    assert shared_strata(result.panels) == ()
    assert [why_alone(panel) for panel in result.panels] == ["too_few_voices", "no_shared_stratum"]


def test_why_a_city_stands_alone(world: World) -> None:
    world.crowd("alfa", 40, rows="maps")
    for number in range(40):
        world.post("beta", f"b{number}", None)
    assert [why_alone(panel) for panel in heard(world).panels] == ["not_comparable", "no_dates"]


def test_an_author_of_two_places_counts_in_the_one_with_most_posts(world: World) -> None:
    world.crowd("alfa", 30)
    world.crowd("beta", 40)
    world.crowd("alfa", 30, rows="portal")
    world.crowd("beta", 40, rows="portal")
    for _ in range(3):
        world.post("alfa", "both", "2026-03-05", [("problem", "transport")], rows="portal")
    world.post("alfa", "both", "2026-03-05", [("problem", "transport")])
    tables = tables_for(shared_strata(heard(world).panels), "alfa", TRANSPORT)
    assert tables == [(0, 30, 0, 40), (1, 31, 0, 40)]
