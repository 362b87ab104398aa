from __future__ import annotations

import random

import pytest
from report_world import World, study_of

from citystudy.errors import InputError
from reports.corpus import moment, read_corpus


def test_as_of_leaves_out_what_is_newer_and_keeps_undated_posts_gathered_by_then(world: World) -> None:
    old = world.post("alfa", "a", "2026-01-01", [("problem", "transport")])
    new = world.post("alfa", "b", "2026-05-01", [("problem", "transport")])
    undated = world.post("alfa", "c", None)
    with world.store() as store:
        assert {post.key for post in read_corpus(store).posts} == {old, new, undated}
        assert read_corpus(store).as_of == "2026-05-01T10:00:00Z"
        before = read_corpus(store, moment("2026-04-01"))
        assert {post.key for post in before.posts} == {old}, "the undated post was gathered in June"
        assert len(before.statements) == len(before.texts) == 1
        later = read_corpus(store, moment("2026-06-02"))
        assert {post.key for post in later.posts} == {old, new, undated}


def test_a_day_means_its_end_and_a_time_is_brought_to_utc() -> None:
    assert moment("2026-01-31") == "2026-01-31T23:59:59Z"
    assert moment("2026-01-31T03:00:00+03:00") == "2026-01-31T00:00:00Z"
    assert moment("2026-01-31T03:00:00Z") == "2026-01-31T03:00:00Z"


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", "", "31.01.2026"])
def test_a_wrong_date_is_told_with_the_mend(wrong: str) -> None:
    with pytest.raises(InputError, match="expected a date such as"):
        moment(wrong)


def test_the_digest_does_not_depend_on_the_order_of_gathering(world: World, tmp_path) -> None:
    world.crowd("alfa", 12, 6, topic="x")
    world.echoes.append([world.post("alfa", "a"), world.post("alfa", "b")])
    with world.store() as store:
        first = read_corpus(store)
    world.study = study_of(tmp_path / "again")
    with world.store(order=lambda posts: random.Random(3).sample(posts, len(posts))) as store:
        second = read_corpus(store)
    assert first == second


def test_rows_dropped_at_gathering_are_counted_by_city(world: World) -> None:
    world.post("alfa", "a")
    world.dropped = {"no_text": 3}
    with world.store() as store:
        assert read_corpus(store).dropped == {"alfa": {"no_text": 3}}
