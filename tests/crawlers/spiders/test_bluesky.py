from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.bluesky import answer, error
from doubles.bluesky_search import PASSWORD, TOKEN
from doubles.bluesky_search import SourceDouble as Search
from fault_server import Asked, Reply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy.http import Request, TextResponse

from citystudy.targets import BlueskyTarget
from crawlers.bluesky_posts import BLOCKED, NOT_FOR_STRANGERS
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.bluesky import BlueskySpider
from crawlers.visits import AGAIN, Visit

DID = "did:plc:zulfiya2222222222222222222"
START = datetime(2026, 11, 1, tzinfo=UTC)
FEED = "at://did:plc:feeds/app.bsky.feed.generator/city"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

Spider = Callable[..., tuple[BlueskySpider, Visit[BlueskyTarget]]]


def uri(n: int) -> str:
    return f"at://{DID}/app.bsky.feed.post/3k{n:011d}"


def moment(n: int) -> str:
    return (START + timedelta(minutes=n)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def view(n: int, **fields: Any) -> dict[str, Any]:
    return {
        "uri": uri(n),
        "author": {"did": DID, "handle": "zulfiya.example", "displayName": "Зульфия"},
        "record": {"$type": "app.bsky.feed.post", "text": f"Автобус {n} не пришёл", "createdAt": moment(n)},
        "replyCount": 0,
        "indexedAt": moment(n),
        **fields,
    }


def says(body: object, status: int = 200) -> TextResponse:
    return TextResponse(
        "https://server.example/xrpc/x",
        status,
        body=json.dumps(body).encode(),
        request=Request("https://server.example"),
    )


def asked(request: Request) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(request.url)
    return parts.path.rsplit("/", 1)[1], parse_qs(parts.query)


@pytest.fixture
def spider(folder: Any) -> Iterator[Spider]:
    """Make a spider and its visit of one target."""
    made: list[BlueskySpider] = []

    def make(keys: str, mark: dict[str, Any] | None = None, *, key: str | None = "me.example:word") -> Any:
        os.environ.pop("CITYSTUDY_BSKY", None)
        credentials = ""
        if key is not None:
            os.environ["CITYSTUDY_BSKY"] = key
            credentials = '[credentials]\nbluesky = "env:CITYSTUDY_BSKY"\n'
        made.append(BlueskySpider(folder.write(f'source = "bluesky"\n{keys}', limits=credentials, delay=1)))
        (visit,) = made[-1].visits.values()
        visit.mark = mark or {}
        return made[-1], visit

    yield make
    for bluesky in made:
        bluesky.store.close()


# Listings


@pytest.mark.parametrize(
    ("keys", "method", "query"),
    [
        (f'feed = "{FEED}"', "app.bsky.feed.getFeed", {"feed": [FEED], "limit": ["100"]}),
        ('author = "city.example"', "app.bsky.feed.getAuthorFeed", {"actor": ["city.example"], "filter": ["posts_with_replies"], "limit": ["100"]}),
        ('author = "city.example"\nreplies = false', "app.bsky.feed.getAuthorFeed", {"actor": ["city.example"], "filter": ["posts_no_replies"], "limit": ["100"]}),
        ('query = "تهران مترو"\nlanguage = "fa"', "app.bsky.feed.searchPosts", {"q": ["تهران مترو"], "lang": ["fa"], "sort": ["latest"], "limit": ["100"]}),
        ('repository = "city.example"', "com.atproto.repo.listRecords", {"repo": ["city.example"], "collection": ["app.bsky.feed.post"], "limit": ["100"]}),
    ],
)  # fmt: skip
def test_each_kind_of_target_is_asked_in_its_own_way(
    spider: Spider, keys: str, method: str, query: dict[str, list[str]]
) -> None:
    bluesky, visit = spider(keys)
    request = bluesky.request(visit, bluesky.opening(visit)[-1])
    assert asked(request) == (method, query)
    assert request.url.isascii()
    assert (request.meta.get("own_key") is True) == ("query" in keys)


def test_a_search_goes_on_by_cursor_then_by_time(spider: Spider) -> None:
    bluesky, visit = spider('query = "Казань"')
    top = bluesky.opening(visit)[-1]
    page = [view(n) for n in range(300, 200, -1)]
    found = bluesky.read(visit, top, says({"posts": page, "cursor": "100"}))
    assert (len(found.posts), found.mark) == (100, {"newest": moment(300)})
    [onward] = found.next
    assert onward == {"cursor": "100", "above": None, "until": None, "low": moment(201)}
    # The index ends its cursor, though it has more: go on below the lowest post, which may share its millisecond.
    page = [view(n) for n in range(200, 100, -1)]
    [by_time] = bluesky.read(visit, onward, says({"posts": page})).next
    below = (START + timedelta(minutes=101, milliseconds=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert by_time == {"cursor": None, "above": None, "until": below, "low": None}
    assert asked(bluesky.request(visit, by_time))[1]["until"] == [below]
    found = bluesky.read(visit, by_time, says({"posts": [view(101), view(100)]}))
    assert (found.next, found.mark) == ([], {}), "a page that is not full is the last one"
    # So does an index that refuses the cursor.
    [by_time] = bluesky.read(visit, onward, says({"error": "InvalidRequest"}, 400)).next
    assert by_time["until"] == moment(201).replace(":00.000Z", ":00.001Z")


def test_a_search_whose_index_does_not_know_until_ends(spider: Spider) -> None:
    bluesky, visit = spider('query = "Казань"')
    by_time = {"cursor": None, "above": None, "until": moment(100), "low": None}
    assert bluesky.read(visit, by_time, says({"posts": [view(n) for n in range(300, 200, -1)]})).next == []
    same = [view(99)] * 100
    stuck = {**by_time, "until": moment(99).replace(".000Z", ".001Z")}
    assert bluesky.read(visit, stuck, says({"posts": same})).next == []


def test_later_visits_read_down_to_an_hour_below_the_newest_post(spider: Spider) -> None:
    bluesky, visit = spider('query = "Казань"', {"newest": moment(120)})
    top = bluesky.opening(visit)[-1]
    assert asked(bluesky.request(visit, top))[1]["since"] == [moment(60)]
    new = bluesky.read(visit, top, says({"posts": [view(130), view(119), view(61)], "cursor": "3"}))
    assert (new.mark, len(new.next)) == ({"newest": moment(130)}, 1)
    old = bluesky.read(visit, new.next[0], says({"posts": [view(60), view(5)], "cursor": "5"}))
    assert (old.next, old.mark) == ([], {})
    backdated = bluesky.read(visit, new.next[0], says({"posts": [view(61), view(5)], "cursor": "5"}))
    assert [step["cursor"] for step in backdated.next] == ["5"], "one post out of its place does not end a listing"
    nothing = bluesky.read(visit, top, says({"posts": []}))
    assert (nothing.quiet, nothing.mark) == (True, {"newest": moment(120)})
    fewer = bluesky.read(visit, top, says({"posts": [view(110)]}))  # the newest was deleted
    assert fewer.mark == {"newest": moment(120)}


def test_a_cursor_that_leads_in_circles_ends(spider: Spider) -> None:
    bluesky, visit = spider('author = "city.example"')
    step = {"cursor": "x", "above": None}
    assert bluesky.read(visit, step, says({"feed": [{"post": view(1)}], "cursor": "x"})).next == []
    assert bluesky.read(visit, step, says({"feed": [], "cursor": "y"})).next == []


def test_reposts_do_not_end_an_authors_listing(spider: Spider) -> None:
    bluesky, visit = spider('author = "city.example"', {"newest": moment(120)})
    [top] = bluesky.opening(visit)
    repost = {
        "post": view(3),
        "reason": {"$type": "app.bsky.feed.defs#reasonRepost", "by": {}, "indexedAt": moment(200)},
    }
    found = bluesky.read(visit, top, says({"feed": [repost], "cursor": "c"}))
    assert (found.posts, found.dropped) == ([], {"repost": 1})
    assert found.next == [{"cursor": "c", "above": moment(60)}]


def test_a_feed_is_read_to_its_end_once_and_later_until_all_is_known(spider: Spider, monkeypatch: Any) -> None:
    bluesky, visit = spider(f'feed = "{FEED}"')
    [top] = bluesky.opening(visit)
    page = says({"feed": [{"post": view(2)}, {"post": view(1)}], "cursor": "c"})
    monkeypatch.setattr(bluesky, "stored", lambda _, ids: set(ids))
    found = bluesky.read(visit, top, page)
    assert (found.mark, found.next) == ({"read": True}, [{"cursor": "c", "to_the_end": True}])
    visit.mark = found.mark
    [top] = bluesky.opening(visit)
    assert bluesky.read(visit, top, page).next == []
    monkeypatch.setattr(bluesky, "stored", lambda _, ids: set(ids[:1]))
    assert bluesky.read(visit, top, page).next == [{"cursor": "c", "to_the_end": False}]


# Threads


def test_threads_are_read_of_posts_that_are_new_and_answered(spider: Spider, monkeypatch: Any) -> None:
    bluesky, visit = spider(f'feed = "{FEED}"')
    answered = view(5, replyCount=2)
    its_answer = view(6, replyCount=1)
    its_answer["record"]["reply"] = {"root": {"uri": uri(5)}, "parent": {"uri": uri(5)}}
    elsewhere = view(7, replyCount=1)
    elsewhere["record"]["reply"] = {"root": {"uri": uri(1)}, "parent": {"uri": uri(1)}}
    page = {"feed": [{"post": v} for v in (elsewhere, its_answer, answered, view(4), view(3, replyCount=9))]}
    monkeypatch.setattr(bluesky, "stored", lambda _, ids: {uri(3)} & set(ids))
    found = bluesky.read(visit, bluesky.opening(visit)[0], says(page))
    assert found.next == [{"thread": uri(7)}, {"thread": uri(5)}]
    method, query = asked(bluesky.request(visit, found.next[0]))
    assert (method, query["uri"], query["parentHeight"]) == ("app.bsky.feed.getPostThread", [uri(7)], ["0"])
    silent, other = spider(f'feed = "{FEED}"\nreplies = false')
    assert silent.read(other, silent.opening(other)[0], says(page)).next == []


def test_a_threads_answers_come_without_the_post_itself(spider: Spider) -> None:
    bluesky, visit = spider(f'feed = "{FEED}"')
    tree = {
        "post": view(1),
        "replies": [
            {"post": view(2, replyCount=4)},
            {"uri": uri(3), "notFound": True},
            {"uri": uri(4), "blocked": True},
        ],
    }
    found = bluesky.read(visit, {"thread": uri(1)}, says({"thread": tree}))
    assert [post.native_id for post in found.posts] == [uri(2)]
    assert (found.gone, found.dropped, found.next) == ([uri(3)], {BLOCKED: 1}, [{"thread": uri(2)}])
    assert bluesky.read(visit, {"thread": uri(1)}, says({"error": "NotFound"}, 400)).gone == [uri(1)]
    with pytest.raises(Parked):
        bluesky.read(visit, {"thread": uri(1)}, says({"thread": None}))


# Second looks


def test_what_a_second_look_misses_is_gone_and_new_threads_are_opened(spider: Spider, monkeypatch: Any) -> None:
    bluesky, visit = spider('author = "city.example"')
    monkeypatch.setattr(bluesky, "stored", lambda _, ids: set(ids))
    hidden = view(3, author={"did": DID, "labels": [{"val": "!no-unauthenticated"}]})
    reply = view(4, replyCount=3)
    reply["record"]["reply"] = {"root": {"uri": uri(1)}, "parent": {"uri": uri(1)}}
    step = {AGAIN: [[uri(n), uri(n)] for n in (1, 2, 3, 4)]}
    assert asked(bluesky.request(visit, step)) == ("app.bsky.feed.getPosts", {"uris": [uri(n) for n in (1, 2, 3, 4)]})
    found = bluesky.read(visit, step, says({"posts": [view(1, replyCount=1), hidden, reply]}))
    assert [post.native_id for post in found.posts] == [uri(1), uri(4)]
    assert found.gone == [uri(2), uri(3)]
    assert found.next == [{"thread": uri(1)}]


@pytest.mark.parametrize(
    "body", [{}, {"posts": None}, {"posts": [3]}, {"posts": [{"address": "elsewhere"}]}, [], {"posts": {}}]
)
def test_an_answer_of_another_shape_deletes_nothing(spider: Spider, body: object) -> None:
    bluesky, visit = spider('author = "city.example"')
    with pytest.raises(Parked):
        bluesky.read(visit, {AGAIN: [[uri(1), uri(1)]]}, says(body))
    assert bluesky.read(visit, {AGAIN: [[uri(1), uri(1)]]}, says({"error": "InvalidRequest"}, 400)).gone == []


def test_a_post_in_a_shape_that_is_not_understood_is_not_gone(spider: Spider) -> None:
    bluesky, visit = spider('author = "city.example"')
    found = bluesky.read(
        visit, {AGAIN: [[uri(1), uri(1)]]}, says({"posts": [{"uri": uri(1), "record": {"$type": "new"}}]})
    )
    assert (found.gone, found.posts) == ([], [])


def test_records_are_looked_at_again_in_stretches(spider: Spider) -> None:
    bluesky, visit = spider('repository = "city.example"')

    def entry(n: int) -> dict[str, Any]:
        return {"uri": uri(n), "cid": "b", "value": view(n)["record"]}

    step = {AGAIN: [[uri(n), uri(n)] for n in (9, 3, 8, 2)]}
    method, query = asked(bluesky.request(visit, step))
    assert (method, query["cursor"]) == ("com.atproto.repo.listRecords", [f"3k{9:011d}~"])
    found = bluesky.read(visit, step, says({"records": [entry(9), entry(7)], "cursor": "c"}))
    assert ([post.native_id for post in found.posts], found.gone) == ([uri(9)], [uri(8)])
    [rest] = found.next
    assert rest == {"records": [[uri(3), uri(3)], [uri(2), uri(2)]]}
    assert asked(bluesky.request(visit, rest))[1]["cursor"] == [f"3k{3:011d}~"]
    found = bluesky.read(visit, rest, says({"records": []}))
    assert (found.gone, found.next) == ([uri(3), uri(2)], [])


# Closed doors


@pytest.mark.parametrize(
    ("key", "reason"), [(None, "a search needs a login"), ("no password", "a search needs a login")]
)
def test_a_search_without_an_account_is_parked(spider: Spider, key: str | None, reason: str) -> None:
    bluesky, visit = spider('query = "Казань"', key=key)
    with pytest.raises(Parked, match=reason) as parked:
        bluesky.opening(visit)
    assert '[credentials] bluesky = "env:NAME"' in parked.value.mend


def test_an_account_may_be_named_by_its_did_and_its_password_stays_in_the_body(spider: Spider) -> None:
    bluesky, visit = spider('query = "Казань"', key="did:plc:me:abcd-efgh")
    login, top = bluesky.opening(visit)
    request = bluesky.request(visit, login)
    assert (request.method, json.loads(request.body)) == ("POST", {"identifier": "did:plc:me", "password": "abcd-efgh"})
    assert "abcd" not in request.url + str(login) + str(request.headers)
    assert bluesky.read(visit, login, says({"accessJwt": "tok.en"})).next == []
    assert bluesky.request(visit, top).headers["Authorization"] == b"Bearer tok.en"
    assert bluesky.opening(visit) == [top], "one login serves all searches of a crawl"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (
            {"error": "AuthenticationRequired", "message": "Invalid identifier or password"},
            401,
            "AuthenticationRequired",
        ),
        ({"error": "AuthFactorTokenRequired"}, 401, "AuthFactorTokenRequired"),
        ({"error": "<b>zulfiya.example</b>"}, 400, "HTTP 400"),
        ({"accessJwt": None}, 200, "another shape"),
        ({"accessJwt": "a\nb"}, 200, "another shape"),
    ],
)
def test_a_refused_login_is_parked(spider: Spider, body: object, status: int, reason: str) -> None:
    bluesky, visit = spider('query = "Казань"')
    with pytest.raises(Parked, match=reason):
        bluesky.read(visit, {"login": True}, says(body, status))


@pytest.mark.parametrize("status", [400, 401])
def test_an_expired_session_is_renewed_once(spider: Spider, status: int) -> None:
    bluesky, visit = spider('query = "Казань"')
    top = bluesky.opening(visit)[-1]
    expired = says({"error": "ExpiredToken"}, status)
    found = bluesky.read(visit, top, expired)
    assert found.next == [{"login": True}, {**top, "anew": True}]
    with pytest.raises(Parked):
        bluesky.read(visit, found.next[1], expired)
    after = bluesky.read(visit, found.next[1], says({"posts": [view(1)], "cursor": "1"}))
    assert "anew" not in after.next[0]


@pytest.mark.parametrize(
    ("keys", "body", "status", "reason"),
    [
        ('author = "nobody.example"', {"error": "InvalidRequest", "message": "Profile not found"}, 400, "nothing here"),
        ('repository = "nobody.example"', {"error": "RepoNotFound"}, 400, "nothing here .RepoNotFound"),
        (f'feed = "{FEED}"', {"error": "AuthMissing"}, 401, "closed"),
        (f'feed = "{FEED}"', "<html>", 403, "closed"),
        (f'feed = "{FEED}"', {"posts": []}, 200, "another shape"),
        ('author = "city.example"', [], 200, "another shape"),
    ],
)
def test_what_is_closed_or_not_there_is_parked(
    spider: Spider, keys: str, body: object, status: int, reason: str
) -> None:
    bluesky, visit = spider(keys)
    with pytest.raises(Parked, match=reason):
        bluesky.read(visit, bluesky.opening(visit)[-1], says(body, status))


def test_a_repository_whose_owner_hides_it_from_strangers_is_parked(spider: Spider) -> None:
    bluesky, visit = spider('repository = "city.example"')
    step = bluesky.opening(visit)[0]
    assert asked(bluesky.request(visit, step))[1]["rkey"] == ["self"]
    hidden = {"labels": {"values": [{"val": "!no-unauthenticated"}]}}
    with pytest.raises(Parked, match=NOT_FOR_STRANGERS):
        bluesky.read(visit, step, says({"value": hidden}))
    assert bluesky.read(visit, step, says({"value": {"displayName": "Город"}})).mark == {"name": "Город"}
    assert bluesky.read(visit, step, says({"error": "RecordNotFound"}, 400)).mark == {"name": ""}


@pytest.fixture
def three(spider: Spider) -> list[tuple[str, BlueskySpider, Visit[BlueskyTarget]]]:
    """Return the spiders of a search, a feed and a repository, by the name of the list in their answers."""
    kinds = {"posts": 'query = "q"', "feed": f'feed = "{FEED}"', "records": 'repository = "city.example"'}
    return [(key, *spider(keys)) for key, keys in kinds.items()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(body=JSON, status=st.sampled_from([200, 200, 200, 400, 404, 500]))
def test_any_answer_is_read_or_parked(three: Any, body: object, status: int) -> None:
    for key, bluesky, visit in three:
        for step in [*bluesky.opening(visit), {"thread": uri(1)}, {AGAIN: [[uri(1), uri(1)]]}]:
            for whole in (body, {key: body, "cursor": body}, {key: [body, {"post": body}]}, {"thread": body}):
                with contextlib.suppress(Parked):
                    bluesky.read(visit, step, says(whole, status))


# Crawls


def test_a_session_that_expires_in_the_middle_and_a_real_rate_limit(
    folder: Any, new_site: Any, monkeypatch: Any
) -> None:
    site = new_site()
    double = Search(site, 20)
    monkeypatch.setenv("CITYSTUDY_BSKY", str(double.key))
    moments: list[float] = []

    def fault(request: Asked) -> Reply | None:
        if not request.path.endswith("searchPosts"):
            return None
        moments.append(time.monotonic())
        if len(moments) == 2:
            return error("ExpiredToken")
        if len(moments) == 4:
            reset = str(int(datetime.now(UTC).timestamp()) + 2)
            spent = {"RateLimit-Limit": "3000", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
            return Reply('{"error": "RateLimitExceeded"}', status=429, headers=spent)
        return None

    site.fault = fault
    study = folder.write(double.target(), limits='[credentials]\nbluesky = "env:CITYSTUDY_BSKY"')
    (result,) = crawl(study)
    assert (result.parked, result.outcome, result.new) == (None, "finished", 20)
    paths = [path.rsplit(".", 1)[1] for path in site.paths()]
    assert (paths.count("createSession"), paths.count("searchPosts")) == (2, 5)
    assert moments[4] - moments[3] > 0.9, "the limit is renewed within one or two seconds, and waited for"
    on_disk = folder.database_bytes() + (folder.path / "crawl.log").read_bytes()
    assert PASSWORD.encode() not in on_disk
    assert TOKEN.encode() not in on_disk


def test_a_repository_is_read_and_its_deletions_are_seen(folder: Any, new_site: Any) -> None:
    site = new_site()
    there = {n: f"Автобус {n} не пришёл, спросите Город на связи" for n in range(1, 8)}

    def records(request: Asked) -> Reply:
        below = request.query.get("cursor", "~")
        entries = [
            {"uri": uri(n), "cid": "b", "value": {**view(n)["record"], "text": text}}
            for n, text in sorted(there.items(), reverse=True)
            if f"3k{n:011d}" < below
        ][:3]
        return answer({"records": entries, **({"cursor": entries[-1]["uri"].rsplit("/", 1)[1]} if entries else {})})

    site.answers["/xrpc/com.atproto.repo.listRecords"] = records
    site.answers["/xrpc/com.atproto.repo.getRecord"] = answer({"value": {"displayName": "Город на связи"}})
    target = f'source = "bluesky"\nrepository = "city.example"\nlogin_server = "{site.url}"'
    (first,) = crawl(folder.write(target, limits="second_look_hours = 0"))
    assert (first.parked, first.new) == (None, 7)
    assert {row["counts"] for row in folder.posts()} == {None}
    assert folder.posts()[0]["text"] == "Автобус 1 не пришёл, спросите [HANDLE]"
    del there[4], there[1]
    there[8] = "ایستگاه آسانسور ندارد"
    (second,) = crawl(folder.study_path)
    assert (second.parked, second.new, second.deleted, second.edited) == (None, 1, 2, 0)
    assert [row["opened"]["id"] for row in folder.posts()] == [uri(n) for n in (2, 3, 5, 6, 7, 8)]
