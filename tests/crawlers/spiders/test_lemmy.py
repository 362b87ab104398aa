from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.lemmy import SourceDouble
from fault_server import Asked, Reply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy.http import Request, TextResponse

from citystudy.targets import LemmyTarget
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.lemmy import NO_FURTHER, LemmySpider
from crawlers.visits import AGAIN, Visit

START = datetime(2026, 11, 1, tzinfo=UTC)
INSTANCE = "https://lemmy.example"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

Spider = Callable[..., tuple[LemmySpider, Visit[LemmyTarget]]]


def address(n: int) -> str:
    return f"{INSTANCE}/post/{n}"


def moment(hours: int) -> str:
    return (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(n: int, *, community: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a post view of v3; a higher number was written an hour later."""
    post = {"id": n, "ap_id": address(n), "name": "Парковка", "body": f"Мест нет, {n}", "published": moment(n)}
    home = {"name": "kazan", "local": True, "actor_id": f"{INSTANCE}/c/kazan"}
    person = {"name": "zulfiya_k", "actor_id": f"{INSTANCE}/u/zulfiya_k"}
    return {"post": {**post, **fields}, "creator": person, "community": home if community is None else community}


def says(body: object, status: int = 200) -> TextResponse:
    raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
    return TextResponse(INSTANCE, status, body=raw, request=Request(INSTANCE))


def asked(request: Request) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(request.url)
    return parts.path, parse_qs(parts.query)


@pytest.fixture
def spider(folder: Any) -> Iterator[Spider]:
    """Make a spider and its visit of one community."""
    made: list[LemmySpider] = []

    def make(keys: str = "", mark: dict[str, Any] | None = None, community: str = "kazan") -> Any:
        target = f'source = "lemmy"\ninstance = "{INSTANCE}"\ncommunity = "{community}"\n{keys}'
        made.append(LemmySpider(folder.write(target, delay=1)))
        (visit,) = made[-1].visits.values()
        visit.mark = mark or {}
        return made[-1], visit

    yield make
    for lemmy in made:
        lemmy.store.close()


def page_of(kind: str, **fields: Any) -> dict[str, Any]:
    return {"list": kind, "page": None, "above": None, **fields}


# What is asked


@pytest.mark.parametrize(
    ("keys", "paths", "query"),
    [
        ("", ["/api/v3/site", "/api/v3/post/list", "/api/v3/comment/list"], {"community_name": ["kazan"], "sort": ["New"], "type_": ["All"], "limit": ["50"]}),
        ('api = "v4"', ["/api/v4/site", "/api/v4/post/list", "/api/v4/comment/list"], {"community_name": ["kazan"], "sort": ["new"], "type_": ["all"], "limit": ["50"]}),
        ('api = "piefed"', ["/api/alpha/site", "/api/alpha/community", "/api/alpha/post/list", "/api/alpha/comment/list"], {"community_id": ["5"], "sort": ["New"], "type_": ["All"], "limit": ["50"]}),
        ("comments = false", ["/api/v3/site", "/api/v3/post/list"], {"community_name": ["kazan"], "sort": ["New"], "type_": ["All"], "limit": ["50"]}),
        ('api = "piefed"\ncomments = false', ["/api/alpha/site", "/api/alpha/post/list"], {"community_name": ["kazan"], "sort": ["New"], "type_": ["All"], "limit": ["50"]}),
    ],
)  # fmt: skip
def test_each_api_is_asked_in_its_own_way(
    spider: Spider, keys: str, paths: list[str], query: dict[str, list[str]]
) -> None:
    lemmy, visit = spider(keys)
    steps = lemmy.opening(visit)
    visit.mark = {"community": 5}
    requests = [asked(lemmy.request(visit, step)) for step in steps]
    assert [path for path, _ in requests] == paths
    assert requests[-1][1] == query


def test_a_community_of_another_server_is_asked_for_by_its_whole_name(spider: Spider) -> None:
    lemmy, visit = spider('api = "piefed"', community="leeds@feddit.example")
    steps = {step.get("list", "other"): step for step in lemmy.opening(visit)}
    assert asked(lemmy.request(visit, {"community": True}))[1] == {"name": ["leeds@feddit.example"]}
    assert asked(lemmy.request(visit, steps["post"]))[1]["community_name"] == ["leeds@feddit.example"]
    there = {"id": 12, "name": "leeds", "local": False, "actor_id": "https://feddit.example/c/leeds"}
    assert lemmy.read(visit, {"community": True}, says({"community_view": {"community": there}})).mark == {
        "community": 12
    }


# Paging


def test_posts_go_on_by_cursor_and_comments_by_number(spider: Spider) -> None:
    lemmy, visit = spider()
    found = lemmy.read(visit, page_of("post"), says({"posts": [view(9), view(8)], "next_page": "P8"}))
    assert found.next == [page_of("post", page="P8", last=address(8))]
    assert asked(lemmy.request(visit, found.next[0]))[1]["page_cursor"] == ["P8"]
    assert lemmy.read(visit, found.next[0], says({"posts": [view(7)], "next_page": None})).next == []

    comment = {"id": 3, "ap_id": f"{INSTANCE}/comment/3", "content": "Да", "path": "0.3", "published": moment(3)}
    comments = {"comments": [{**view(1), "comment": comment}]}
    found = lemmy.read(visit, page_of("comment"), says(comments))
    assert found.next == [page_of("comment", page="2", last=comment["ap_id"])]
    assert asked(lemmy.request(visit, found.next[0]))[1]["page"] == ["2"]
    assert lemmy.read(visit, found.next[0], says({"comments": []})).next == []
    assert lemmy.read(visit, found.next[0], says(comments)).next == [], "the same page again: it does not know `page`"


def test_posts_of_an_older_server_go_on_by_number(spider: Spider) -> None:
    lemmy, visit = spider()
    [step] = lemmy.read(visit, page_of("post"), says({"posts": [view(9)]})).next
    assert step["page"] == "2"
    assert asked(lemmy.request(visit, step))[1]["page"] == ["2"]


def test_later_visits_read_down_to_a_day_below_the_newest(spider: Spider) -> None:
    lemmy, visit = spider(mark={"post": moment(100), "comment": moment(90)})
    steps = {step.get("list"): step for step in lemmy.opening(visit)}
    assert (steps["post"]["above"], steps["comment"]["above"]) == (moment(76), moment(66))
    pinned = view(3)
    within = lemmy.read(visit, steps["post"], says({"posts": [pinned, view(101), view(80)], "next_page": "P"}))
    assert (within.mark, len(within.next), len(within.posts)) == ({"post": moment(101)}, 1, 3)
    below = lemmy.read(visit, within.next[0], says({"posts": [view(75), view(74)], "next_page": "Q"}))
    assert (below.next, below.mark) == ([], {})
    nothing = lemmy.read(visit, steps["post"], says({"posts": []}))
    assert (nothing.quiet, nothing.mark) == (True, {"post": moment(100)})


def test_where_the_server_pages_no_further_is_counted(spider: Spider) -> None:
    lemmy, visit = spider()
    refused = says({"error": "invalid_page"}, 400)
    by_number = lemmy.read(visit, page_of("comment", page="101", last="x"), refused)
    assert (by_number.next, by_number.dropped) == ([], {NO_FURTHER: 1})
    stale = lemmy.read(visit, page_of("post", page="P8", last="x"), refused)
    assert (stale.next, stale.dropped) == ([page_of("post", restarted=True)], {})
    [onward] = lemmy.read(visit, stale.next[0], says({"posts": [view(9)], "next_page": "P9"})).next
    again = lemmy.read(visit, onward, refused)
    assert (again.next, again.dropped) == ([], {NO_FURTHER: 1}), "not for ever"


# Gone and changed


def test_what_is_flagged_in_a_listing_is_gone(spider: Spider) -> None:
    lemmy, visit = spider()
    views = [view(3, deleted=True), view(2, removed=True), view(1), 7]
    found = lemmy.read(visit, page_of("post"), says({"posts": views}))
    assert (len(found.posts), found.gone) == (1, [address(3), address(2)])
    assert found.dropped == {"deleted by its author": 1, "removed by moderators": 1, "not a post": 1}


@pytest.mark.parametrize(
    ("body", "status", "gone", "posts"),
    [
        ({"post_view": view(5, body="Теперь есть")}, 200, 0, 1),
        ({"post_view": view(5, deleted=True)}, 200, 1, 0),
        ({"error": "couldnt_find_post"}, 404, 1, 0),
        ({"error": "couldnt_find_post"}, 400, 1, 0),
        ({"error": "not_found"}, 404, 1, 0),
        ({"code": 400, "message": "No row was found when one was required"}, 400, 1, 0),
        ({"error": "rate_limit_error"}, 400, 0, 0),
        (b"<html>nginx</html>", 404, 0, 0),  # the server was moved or is down: nothing was deleted
        (b"", 404, 0, 0),
        ({"error": "unknown"}, 500, 0, 0),
        ({"post_view": view(5, ap_id=address(6))}, 200, 0, 0),  # set up anew: its numbers stand for others
        ({"post_view": None}, 200, 0, 0),
        ({}, 200, 0, 0),
    ],
)
def test_a_second_look(spider: Spider, body: object, status: int, gone: int, posts: int) -> None:
    lemmy, visit = spider()
    step = {AGAIN: [[address(5), "post:5"]]}
    assert asked(lemmy.request(visit, step)) == ("/api/v3/post", {"id": ["5"]})
    found = lemmy.read(visit, step, says(body, status))
    assert (len(found.gone), len(found.posts)) == (gone, posts)


# Closed doors


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"posts": [view(1), view(2, community={"name": "cats", "local": True})]}, 200, "another community"),
        ({"posts": [{**view(1), "community": None}]}, 200, "another community"),
        ({"comments": []}, 200, "another shape"),
        ([], 200, "another shape"),
        (b"<!doctype html>", 200, "a web page"),
        ({"error": "couldnt_find_community"}, 404, "no such community"),
        ({"error": "couldnt_find_community"}, 400, "no such community"),
        ({"error": "instance_is_private"}, 400, "closed"),
        ({"error": "rate_limit_error"}, 400, "left alone"),
        ({"message": "missing parameters for reply"}, 400, "refuses the question .HTTP 400"),
        ({"error": "unknown_variant"}, 400, "refuses the question .unknown_variant"),
        (b"not found", 404, "no v3 API here"),
        ({}, 403, "closed"),
        ({}, 302, "redirects"),
    ],
)
def test_what_is_closed_or_not_there_is_parked(spider: Spider, body: object, status: int, reason: str) -> None:
    lemmy, visit = spider()
    with pytest.raises(Parked, match=reason):
        lemmy.read(visit, page_of("post"), says(body, status))


def test_a_site_that_says_nothing_of_languages_is_read_all_the_same(spider: Spider) -> None:
    lemmy, visit = spider()
    for answer in (says(b"<html>"), says({}, 500), says([]), says({"all_languages": 3})):
        found = lemmy.read(visit, {"site": True}, answer)
        assert (found.next, found.posts) == ([], [])
    assert [step for step in lemmy.opening(visit) if "site" in step] == [], "asked once a crawl"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(body=JSON, status=st.sampled_from([200, 200, 200, 400, 404, 500]))
def test_any_answer_is_read_or_parked(any_api: Any, body: object, status: int) -> None:
    for key, lemmy, visit in any_api:
        steps = [*lemmy.opening(visit), {"community": True}, {AGAIN: [[address(1), "post:1"]]}]
        for step in steps:
            for whole in (body, {key: [body], "next_page": body}, {"post_view": body}, {"community_view": body}):
                with contextlib.suppress(Parked):
                    lemmy.read(visit, step, says(whole, status))


@pytest.fixture
def any_api(spider: Spider) -> list[tuple[str, LemmySpider, Visit[LemmyTarget]]]:
    """Return a spider of each API, by the name of the list in its answers."""
    keys = {"posts": "", "items": 'api = "v4"', "comments": 'api = "piefed"'}
    return [(name, *spider(lines)) for name, lines in keys.items()]


# Crawls


def test_a_server_that_does_not_understand_the_question_is_parked(folder: Any, new_site: Any) -> None:
    site = new_site()
    SourceDouble(site, 10)
    everything = Reply(json.dumps({"posts": [view(1), view(2, community={"name": "cats", "local": True})]}))
    site.answers["/api/v3/post/list"] = everything
    target = f'source = "lemmy"\ninstance = "{site.url}"\ncommunity = "kazan"'
    (result,) = crawl(folder.write(target))
    assert (result.parked, result.new) == ("the server showed another community", 0)


def test_what_is_read_is_marked_with_the_servers_language_and_names_nobody(folder: Any, new_site: Any) -> None:
    site = new_site()
    double = SourceDouble(site, 20)
    asked_for: list[str] = []

    def note(request: Asked) -> None:
        asked_for.append(request.path)

    site.fault = note
    (first,) = crawl(folder.write(double.target()))
    assert (first.parked, first.new) == (None, 20)
    posts = folder.posts()
    assert {post["declared_lang"] for post in posts} == {"en"}
    comments = [post for post in posts if post["opened"]["ref"].startswith("comment:")]
    posts_by_key = {post["key"] for post in posts}
    assert len(comments) == 6
    assert all(comment["thread"] in posts_by_key for comment in comments)
    asked_for.clear()
    (second,) = crawl(folder.study_path)
    assert (second.parked, second.new, second.edited) == (None, 0, 0)
    assert "/api/v3/site" in asked_for
