from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.store import History
from crawlers.crawl import crawl
from crawlers.health import Now, fell, gave_nothing, lost_fields

WEEKLY = History(
    posts=400, showed=True, per_day=10.0, days=7.0, filled={"author": 1.0, "created_at": 0.99, "title": 0.3}
)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Now(listed=0, new=0, quiet=False), "gave no posts; the last crawl saw some (400 are stored)"),
        (Now(listed=20, new=0, quiet=False), "gave no new posts in 7.0 days; about 70 were to be expected"),
        (Now(listed=0, new=0, quiet=True), "gave no new posts in 7.0 days; about 70 were to be expected"),
        (Now(listed=20, new=1, quiet=False), None),
    ],
)
def test_a_target_that_gave_posts_and_gives_none(now: Now, said: str | None) -> None:
    assert gave_nothing(WEEKLY, now) == said


def test_a_quiet_hour_and_a_first_crawl_are_no_alarm() -> None:
    assert gave_nothing(History(posts=400, showed=True, per_day=10.0, days=0.04), Now(0, 0, quiet=True)) is None
    assert gave_nothing(History(), Now(0, 0, quiet=False)) is None


@pytest.mark.parametrize(("new", "alarm"), [(0, False), (1, True), (13, True), (14, False), (70, False)])
def test_a_fall_of_more_than_four_fifths(new: int, alarm: bool) -> None:
    assert (fell(WEEKLY, Now(listed=new, new=new, quiet=False)) is not None) == alarm


@given(per_day=st.floats(0, 1.4), new=st.integers(0, 10))
def test_a_small_target_never_falls(per_day: float, new: int) -> None:
    assert fell(History(400, showed=True, per_day=per_day, days=7.0), Now(new, new, quiet=False)) is None


def test_fields_that_vanished_are_named() -> None:
    now = Now(listed=30, new=30, quiet=False, filled={"created_at": 30})
    assert lost_fields(WEEKLY, now) == "no author in any of 30 posts; nearly all had it before"
    assert lost_fields(WEEKLY, Now(30, 30, quiet=False, filled={"author": 1, "created_at": 30})) is None
    assert lost_fields(WEEKLY, Now(4, 4, quiet=False)) is None, "too few to tell"
    assert lost_fields(History(posts=5, filled={"author": 1.0}), now) is None, "too few before"


def test_a_crawl_tells_which_target_is_not_as_it_was(site: Any, folder: Any) -> None:
    posts: list[dict[str, Any]] = [
        {
            "id": str(1000 + n),
            "uri": f"https://a.example/{n}",
            "content": f"Автобус {n} не пришёл",
            "created_at": (datetime.now(UTC) - timedelta(hours=n)).isoformat(),
            "account": {"acct": "zulfiya"},
        }
        for n in range(30)
    ]
    target = f'source = "mastodon"\ninstance = "{site.url}"'

    def timeline(asked: Any) -> Any:
        shown = [post for post in posts if post["id"] > asked.query.get("since_id", "") and "max_id" not in asked.query]
        return site.Reply(json.dumps(sorted(shown, key=lambda post: str(post["id"]), reverse=True)))

    site.answers["/api/v1/timelines/public"] = timeline
    study = folder.write(target)
    [first] = crawl(study)
    assert (first.new, first.alerts, first.sound) == (30, (), True)
    [again] = crawl(study)
    assert (again.new, again.alerts) == (0, ()), "nothing new a moment later is no alarm"

    with folder.store() as store:  # two weeks pass
        for row in list(store.query("SELECT id, started_at FROM crawl")):
            store._db.table("crawl").update(row["id"], {"started_at": "2026-11-01T00:00:00Z"})
        for row in list(store.query("SELECT id FROM post")):
            store._db.table("post").update(row["id"], {"created_at": "2026-10-28T00:00:00Z"})
    posts.extend({"id": str(2000 + n), "uri": f"https://a.example/new{n}", "content": "Нет автобуса"} for n in range(5))
    [later] = crawl(study)
    assert later.new == 5
    assert not later.sound
    assert any("no author and no date in any of 5 posts" in said for said in later.alerts)
    assert any(said.startswith("fell by ") for said in later.alerts)
