from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from doubles.youtube import SourceDouble
from hypothesis import given
from hypothesis import strategies as st

from crawlers.crawl import crawl
from crawlers.probe import probe
from crawlers.youtube_answers import QUOTA, comment_post, comments_of, threads_of

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
KEY = "CITYSTUDY_TEST_YOUTUBE_KEY"
CREDENTIALS = f'\n[credentials]\nyoutube = "env:{KEY}"\n'


def recorded(name: str) -> dict[str, Any]:
    path = SHARED / "data/api-samples/youtube" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.mark.shared
@pytest.mark.parametrize("page", [1, 2])
def test_recorded_threads_are_read(page: int) -> None:
    answer = recorded(f"comment_threads__comment_threads_by_video_paged_{page}.json")
    threads = list(threads_of(answer, by_place=True))
    assert len(threads) == len(answer["items"])
    for posts, _ in threads:
        assert posts[0].text
        assert posts[0].author
        assert posts[0].author.startswith("UC")
        assert posts[0].created_at is not None
        assert posts[0].parent is None
        assert posts[0].thread
        assert posts[0].basis == "coordinates"
        assert posts[0].counts is not None
        assert posts[0].counts["replies"] >= len(posts) - 1
        assert all(reply.parent == posts[0].native_id for reply in posts[1:])


@pytest.mark.shared
def test_recorded_replies_know_the_comment_above_them() -> None:
    posts = comments_of(recorded("comments__comments_by_parent_paged_1.json")["items"], by_place=False)
    assert len(posts) == 2
    assert all(post.parent and post.native_id.startswith(f"{post.parent}.") for post in posts)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["snippet", "id", "topLevelComment", "value", "replies", "comments"]), inner)
    ),
    max_leaves=8,
)


@given(ODD)
def test_no_answer_is_too_odd_to_be_read(value: Any) -> None:
    comment_post(value, by_place=False)
    assert all(posts for posts, _ in threads_of({"items": [value]}, by_place=False))


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SourceDouble.key is not None
    monkeypatch.setenv(KEY, SourceDouble.key)


def placed(study: Path) -> Path:
    study.write_text(
        study.read_text().replace('country = "RU"', 'country = "RU"\nlatitude = 55.79\nlongitude = 49.12', 1)
    )
    return study


def spent(folder: Any) -> dict[str, int]:
    with folder.store() as store:
        return {
            row["bucket"]: row["spent"]
            for row in store.query("SELECT bucket, SUM(spent) AS spent FROM quota GROUP BY 1")
        }


def test_the_quota_is_not_gone_over_and_the_next_day_goes_on(site: Any, folder: Any, keyed: None) -> None:
    double = SourceDouble(site, 60)
    study = placed(folder.write(f"{double.target()}\ndaily_units = 110\ndaily_searches = 1", cities=CREDENTIALS))
    [first] = crawl(study)
    assert first.parked == QUOTA
    assert 0 < first.new < 60
    assert spent(folder) == {"units": 110, "searches": 1}
    assert len(site.paths()) == 11
    [same_day] = crawl(study)
    assert (same_day.parked, same_day.new, len(site.paths())) == (QUOTA, 0, 11), (
        "nothing is asked that can't be paid for"
    )

    new = first.new
    for _ in range(40):
        with folder.store() as store:
            store._db.execute("DELETE FROM quota")
            store._db.conn.commit()
        [result] = crawl(study)
        new += result.new
        if result.parked is None:
            break
    assert new == 60
    assert len(folder.posts()) == 60


def test_what_the_api_refuses_is_told_apart(new_site: Any, folder: Any, keyed: None) -> None:
    def refusing(reason: str, status: int) -> Any:
        site = new_site()
        error = site.Reply(json.dumps({"error": {"code": status, "errors": [{"reason": reason}]}}), status=status)
        site.answers |= {"/youtube/v3/search": error, "/youtube/v3/commentThreads": error}
        return site

    spent_out, bad, closed = (
        refusing("quotaExceeded", 403),
        refusing("keyInvalid", 400),
        refusing("commentsDisabled", 403),
    )
    targets = [
        f'source = "youtube"\nserver = "{bad.url}"\nradius_km = 5',
        f'source = "youtube"\nserver = "{closed.url}"\nvideos = ["abcdefghij1", "abcdefghij2"]',
        f'source = "youtube"\nserver = "{spent_out.url}"\nradius_km = 6',
    ]
    results = crawl(placed(folder.write(*targets, cities=CREDENTIALS)))
    assert [result.parked for result in results] == ["the key is not accepted (keyInvalid)", None, QUOTA]
    assert len(closed.paths()) == 2, "a video without comments ends neither the target nor the crawl"
    assert b"api-key-of-ours" not in folder.database_bytes() + (folder.path / "crawl.log").read_bytes()


def test_the_key_follows_no_redirect(new_site: Any, folder: Any, keyed: None) -> None:
    here, elsewhere = new_site(), new_site()
    here.answers["/youtube/v3/search"] = here.Reply(
        status=307, headers={"Location": f"{elsewhere.url}/youtube/v3/search"}
    )
    [result] = crawl(placed(folder.write(f'source = "youtube"\nserver = "{here.url}"', cities=CREDENTIALS)))
    assert result.parked == "redirects elsewhere (HTTP 307)"
    assert elsewhere.asked == []


def test_a_probe_costs_one_unit_and_tells_the_quota(site: Any, folder: Any, keyed: None) -> None:
    site.answers["/youtube/v3/i18nRegions"] = site.Reply('{"items": []}')
    study = placed(folder.write(f'source = "youtube"\nserver = "{site.url}"', cities=CREDENTIALS))
    [found] = probe(study)
    assert (found.trouble, found.robots) == (None, "not asked: own key")
    assert found.quota == "0 of 10,000 units, 0 of 100 searches"
    assert site.paths() == ["/youtube/v3/i18nRegions"]


def test_what_was_not_seen_again_for_thirty_days_is_not_kept(site: Any, folder: Any, keyed: None) -> None:
    double = SourceDouble(site, 6)
    study = placed(folder.write(double.target(), cities=CREDENTIALS))
    crawl(study)
    with folder.store() as store:
        store._db.execute("UPDATE post SET fetched_at = '2026-01-01T00:00:00Z' WHERE id <= 2")
        store._db.conn.commit()
    site.answers["/youtube/v3/commentThreads"] = site.Reply('{"items": []}')
    [result] = crawl(study)
    assert result.deleted == 2
    assert len(folder.posts()) == 4
