from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doubles.youtube import SourceDouble
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from citystudy.targets import YoutubeTarget
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.probe import probe
from crawlers.spiders.youtube import _threads_step, _watched
from crawlers.youtube_answers import QUOTA, SpentError, answer_of, comment_post, comments_of, threads_of

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
KEY = "CITYSTUDY_TEST_YOUTUBE_KEY"
SEARCH = YoutubeTarget(source="youtube")
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


@pytest.mark.shared
def test_recorded_replies_name_no_video_and_take_that_of_their_thread() -> None:
    items = recorded("comments__comments_by_parent_paged_1.json")["items"]
    assert {post.thread for post in comments_of(items, by_place=False)} == {None}
    told = comments_of(items, by_place=False, video="abcdefghijk")
    assert {post.thread for post in told} == {"video abcdefghijk"}
    assert all(post.url and post.url.startswith("https://www.youtube.com/watch?v=abcdefghijk&lc=") for post in told)


SEARCHES_SPENT = {
    "code": 429,
    "message": "Quota exceeded for quota metric 'Search Queries' and limit 'Search Queries per day'.",
    "errors": [{"reason": "rateLimitExceeded"}],
    "details": [{"reason": "RATE_LIMIT_EXCEEDED"}],
}


@pytest.mark.parametrize(
    ("status", "error", "raised"),
    [
        (429, SEARCHES_SPENT, SpentError),
        (403, {"errors": [{"reason": "dailyLimitExceeded"}]}, SpentError),
        (429, {**SEARCHES_SPENT, "message": "limit 'Queries per minute'"}, Parked),
        (429, {"errors": [{"reason": "rateLimitExceeded"}]}, Parked),
    ],
)
def test_a_spent_day_is_told_from_haste(status: int, error: dict[str, Any], raised: type[Exception]) -> None:
    response = TextResponse("http://127.0.0.1/", status=status, body=json.dumps({"error": error}).encode())
    with pytest.raises(raised) as caught:
        answer_of(response, single=False)
    assert raised is SpentError or caught.value.args[0] == "too many requests"


def test_a_refusal_that_is_not_the_apis_own_is_told_by_its_status() -> None:
    with pytest.raises(Parked, match="closed \\(HTTP 403\\)"):
        answer_of(TextResponse("http://127.0.0.1/", status=403, body=b"<html>no</html>"), single=True)


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
    study = placed(folder.write(f"{double.target()}\ndaily_units = 10\ndaily_searches = 1", cities=CREDENTIALS))
    [first] = crawl(study)
    assert first.parked == QUOTA
    assert 0 < first.new < 60
    assert spent(folder) == {"units": 10, "searches": 1}
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
    assert len({post["thread"] for post in folder.posts()}) == 2, "a reply that came alone knows its video too"


def test_spent_searches_leave_the_units_to_what_is_known(site: Any, folder: Any, keyed: None) -> None:
    double = SourceDouble(site, 12)
    study = placed(folder.write(double.target(), cities=CREDENTIALS))
    crawl(study)
    before = spent(folder)
    assert before["searches"] == 1, "a search takes from a quota of its own"
    assert before["units"] == len(site.paths()) - 1
    refusal = site.Reply(json.dumps({"error": SEARCHES_SPENT}), status=429)
    site.answers["/youtube/v3/search"] = refusal
    double.write(13)
    [result] = crawl(study)
    assert (result.new, result.parked) == (1, QUOTA)
    after = spent(folder)
    assert after["searches"] == 100
    assert before["units"] < after["units"] < 100
    double.write(15)
    [result] = crawl(study)
    assert (result.new, result.parked) == (1, QUOTA)
    # One that found the videos, one that was refused, and its retry.
    assert site.paths().count("/youtube/v3/search") == 3, "what the API refused is not asked again the same day"


def test_the_newest_videos_stay_watched_in_whatever_order_they_are_read() -> None:
    mark: dict[str, Any] = {}
    for number in [*range(149, -1, -1), *range(60, 140), 149]:
        video = SimpleNamespace(mark=mark, target=SEARCH)
        mark = {"videos": _watched(video, _threads_step(f"v{number:03}", f"2026-01-01T{number:06}", to_the_end=True))}  # type: ignore[arg-type]
    assert sorted(mark["videos"]) == [f"v{number:03}" for number in range(50, 150)]


def test_videos_that_the_study_names_are_all_watched() -> None:
    named = [f"abcdefgh{number:03}" for number in range(150)]
    mark: dict[str, Any] = {}
    for video in named:
        visit = SimpleNamespace(mark=mark, target=SEARCH.model_copy(update={"videos": named}))
        mark = {"videos": _watched(visit, _threads_step(video, "", to_the_end=True))}  # type: ignore[arg-type]
    assert list(mark["videos"]) == named


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
