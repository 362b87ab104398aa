from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fault_server import Asked, Reply
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import TextResponse

from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.discourse import CLOSED, HIDDEN, NOT_A_POST, NOT_REGULAR, SYSTEM, DiscourseSpider, _posts
from crawlers.visits import Found, Step

SAMPLES = Path(os.environ.get("CITYSTUDY_SHARED", "../shared")) / "data/api-samples/discourse"
FORUM = "https://f.example/city"


def post(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "user_id": 7,
        "username": "zulfiya_k",
        "name": "Зульфия Каримова",
        "created_at": "2026-11-20T08:00:00.000Z",
        "updated_at": "2026-11-20T08:00:00.000Z",
        "cooked": "<p>Автобус не пришёл</p>",
        "post_number": 2,
        "post_type": 1,
        "topic_id": 57,
        "version": 1,
        **fields,
    }


def visit(category: int | None = None, **mark: Any) -> Any:
    target = SimpleNamespace(url=FORUM, category=category)
    return SimpleNamespace(target=target, mark=mark, seen=set(), posts=0, host="f.example")


def spider() -> Any:
    made = cast("Any", DiscourseSpider.__new__(DiscourseSpider))
    made.too_old = lambda posts: False
    return made


def answer(document: Any, status: int = 200, url: str = f"{FORUM}/posts.json") -> TextResponse:
    return TextResponse(url, status=status, body=json.dumps(document).encode(), encoding="utf-8")


def read(step: Step, document: Any, status: int = 200, seen: Any = None, **options: Any) -> Found:
    return cast("Found", spider().read(seen or visit(), step, answer(document, status, **options)))


def test_each_field_of_a_post() -> None:
    edited = post(
        9,
        post_number=1,
        version=2,
        updated_at="2026-11-21T09:00:00.000Z",
        reply_count=3,
        reply_to_post_number=4,
        actions_summary=[{"id": 2, "count": 5}],
        topic_title="Автобус 10",
        cooked='<aside class="quote"><blockquote>Он ходит?</blockquote></aside><p>Раз в час, <a>@marat</a></p>',
    )
    (found,) = _posts([edited], FORUM, title=None).posts
    assert found.native_id == "f.example/city 9"
    assert (found.title, found.text) == ("Автобус 10", "Раз в час, @marat")
    assert (found.author, found.author_names) == ("f.example/city 7", ("zulfiya_k", "Зульфия Каримова"))
    assert (found.thread, found.parent) == ("f.example/city topic 57", "f.example/city topic 57 4")
    assert (found.ref, found.url) == ("57 1", "https://f.example/city/t/57/1")
    assert found.created_at is not None
    assert found.edited_at is not None
    assert found.edited_at.isoformat() == "2026-11-21T09:00:00+00:00"
    assert found.counts == {"replies": 3, "likes": 5}
    (plain,) = _posts([post(10, user_id=None, username=None, name=None, created_at="?")], FORUM, title=None).posts
    assert (plain.author, plain.counts, plain.edited_at, plain.created_at) == (None, None, None, None)
    assert plain.flaws == ("date unreadable",)


def test_what_is_no_persons_post_is_left_out_by_name() -> None:
    shown = [post(1, post_type=3), post(2, post_type=4), post(3, user_id=-1), post(4, hidden=True), {"id": 0}, "odd"]
    found = _posts([*shown, post(5, deleted_at="2026-11-20"), post(6, user_deleted=True), post(7)], FORUM, title="")
    assert found.dropped == {NOT_REGULAR: 2, SYSTEM: 1, HIDDEN: 1, NOT_A_POST: 2}
    assert found.gone == [f"f.example/city {n}" for n in (4, 5, 6)]
    assert [p.native_id for p in found.posts] == ["f.example/city 7"]


def test_stretches_of_the_latest_posts() -> None:
    newest: Step = {"below": None, "above": 40}
    first = read(newest, {"latest_posts": [post(99), post(90)]})
    assert (first.mark, first.next) == ({"newest": 99}, [{"below": 90, "above": 40, "empty": 0}])
    reached = read({"below": 90, "above": 40}, {"latest_posts": [post(60), post(39)]})
    assert (reached.mark, reached.next, len(reached.posts)) == ({}, [], 2)
    for shown in ([], [post(90)]):  # older servers look at 50 numbers only, the one asked for among them
        skipped = read({"below": 90, "above": None}, {"latest_posts": shown})
        assert skipped.next == [{"below": 40, "above": None, "empty": 1}]
    assert read({"below": 30, "above": None}, {"latest_posts": []}).next == []
    assert read({"below": 9000, "above": None, "empty": 20}, {"latest_posts": []}).next == []


def test_a_category_is_read_by_its_topics() -> None:
    seen = visit(category=5, topics={"57": ["3 3 2026-11-20", 12], "58": ["1 1 2026-11-20", 13]})
    topics = [
        {"id": 57, "posts_count": 45, "highest_post_number": 45, "last_posted_at": "2026-11-22"},
        {"id": 58, "posts_count": 1, "highest_post_number": 1, "last_posted_at": "2026-11-20"},
        {"id": 59, "posts_count": 2, "highest_post_number": 2, "last_posted_at": "2026-11-19"},
    ]
    listed = read({"list": 0}, {"topic_list": {"topics": topics, "more_topics_url": "/latest?page=1"}}, seen=seen)
    assert listed.next == [{"topic": "57", "above": 12}, {"topic": "59", "above": 0}, {"list": 1}]
    assert listed.mark["topics"]["57"] == ["45 45 2026-11-22", 12]
    seen.mark |= listed.mark
    again = read({"list": 0}, {"topic_list": {"topics": topics, "more_topics_url": "/latest?page=1"}}, seen=seen)
    assert (again.next, again.quiet) == ([], True)

    stream = {"posts": [post(11, post_number=1), post(12)], "stream": [11, 12, *range(20, 63)]}
    opened = read(listed.next[0], {"id": 57, "title": "Автобус 10", "post_stream": stream}, seen=seen)
    assert [p.title for p in opened.posts] == ["Автобус 10", ""]
    assert opened.next == [{"topic": "57", "posts": list(range(62, 19, -1))}]
    assert opened.mark["topics"]["57"][1] == 62
    request = spider().request(seen, opened.next[0])
    assert isinstance(request, Request)
    assert request.url.count("post_ids%5B%5D=") == 20
    more = read(opened.next[0], {"id": 57, "post_stream": {"posts": [post(62)]}}, seen=seen)
    assert more.next == [{"topic": "57", "posts": list(range(42, 19, -1))}]


def test_second_looks_ask_for_the_posts_of_one_topic_at_a_time() -> None:
    pairs = [["f.example/city 1", "57 1"], *[[f"f.example/city {n}", f"57 {n}"] for n in range(2, 25)]]
    pairs.append(["f.example/city 30", "58 2"])
    step: Step = {"again": pairs}
    assert spider().request(visit(), step).url == "https://f.example/city/t/57.json"
    found = read(step, {"title": "T", "post_stream": {"posts": [post(1, post_number=1), post(2)]}})
    assert (found.gone, [p.title for p in found.posts]) == ([], ["T", ""])
    replies, other = found.next
    assert (len(replies["look"]), other["look"]) == (23, ["f.example/city 30"])
    assert "/t/57/posts.json?post_ids" in spider().request(visit(), replies).url
    looked = read(replies, {"post_stream": {"posts": [post(n) for n in range(2, 20)]}})
    assert looked.gone == ["f.example/city 20", "f.example/city 21"]
    assert looked.next[0]["look"] == ["f.example/city 22", "f.example/city 23", "f.example/city 24"]
    assert read(other, {"errors": []}, 404).gone == ["f.example/city 30"]
    assert read(other, {"errors": []}, 500).gone == []


@pytest.mark.parametrize(
    ("document", "status", "url", "reason"),
    [
        ({"errors": ["log in"], "error_type": "not_logged_in"}, 403, f"{FORUM}/posts.json", CLOSED),
        ("<html>", 200, f"{FORUM}/login", CLOSED),
        ({"latest_posts": []}, 200, f"{FORUM}/posts.json", "closed or empty"),
        ({"latest_posts": {}}, 200, f"{FORUM}/posts.json", "JSON of another shape"),
        ([], 200, f"{FORUM}/posts.json", "JSON of another shape"),
        ({}, 404, f"{FORUM}/posts.json", "nothing here"),
    ],
)
def test_closed_and_odd_forums_are_parked(document: Any, status: int, url: str, reason: str) -> None:
    with pytest.raises(Parked) as parked:
        read({"below": None, "above": None}, document, status, url=url)
    assert reason in parked.value.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*post(1), "hidden"]), inner, max_size=6)
    ),
    max_leaves=12,
)
STEPS: list[Step] = [
    {"below": 9, "above": 2},
    {"list": 0},
    {"topic": "5", "above": 0},
    {"topic": "5", "posts": [1]},
    {"look": ["f.example/city 1"], "topic": "5", "first": True},
]


@given(json_values, st.sampled_from(STEPS))
def test_no_json_crashes_the_reader(value: Any, step: Step) -> None:
    for document in (
        value,
        {"latest_posts": [value]},
        {"topic_list": {"topics": [value]}},
        {"post_stream": {"posts": [value], "stream": [value]}},
        {"post_stream": {"posts": value, "stream": value}},
    ):
        try:
            found = read(step, document)
        except Parked:
            continue
        assert all(p.native_id.startswith("f.example/city ") for p in found.posts)


def test_a_category_over_two_crawls(site: Any, folder: Any) -> None:
    topics = {7: [post(100 + n, topic_id=7, post_number=n, cooked=f"<p>остановка {n}</p>") for n in range(1, 31)]}

    def latest(asked: Asked) -> Reply:
        assert asked.query["category"] == "5"
        shown = [
            {"id": n, "posts_count": len(posts), "highest_post_number": posts[-1]["post_number"], "last_posted_at": ""}
            for n, posts in topics.items()
        ]
        return Reply(json.dumps({"topic_list": {"topics": shown}}))

    def topic(asked: Asked) -> Reply:
        posts = topics[int(asked.path.split("/")[2].partition(".")[0])]
        wanted = [int(pair.partition("=")[2]) for pair in asked.raw_query.split("&") if pair]
        shown = [p for p in posts if p["id"] in wanted] if wanted else posts[:20]
        stream = {"posts": shown, "stream": [p["id"] for p in posts]}
        return Reply(json.dumps({"title": "Остановки", "post_stream": stream}))

    site.answers |= {"/latest.json": latest, "/t/7.json": topic, "/t/7/posts.json": topic, "/t/8.json": topic}
    study = folder.write(f'source = "discourse"\nurl = "{site.url}"\ncategory = 5')
    assert crawl(study)[0].new == 30
    topics[7].append(post(140, topic_id=7, post_number=31, cooked="<p>остановка 31</p>"))
    topics[8] = [post(150, topic_id=8, post_number=1, cooked="<p>новая тема</p>")]
    site.asked.clear()
    result = crawl(study)[0]
    assert (result.new, result.edited, result.parked) == (2, 0, None)
    assert site.paths() == ["/latest.json", "/t/7.json", "/t/7/posts.json", "/t/8.json"]
    on_disk = folder.database_bytes()
    for readable in ("zulfiya_k", "Каримова", f"{site.host} 7", "/t/7"):
        assert readable.encode() not in on_disk


@pytest.mark.shared
def test_recorded_answers() -> None:
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not here; CITYSTUDY_SHARED names the shared folder")

    def sample(name: str) -> Any:
        return json.loads((SAMPLES / name).read_text())

    latest = read({"below": None, "above": None}, sample("posts_latest.json"))
    assert latest.mark == {"newest": 15}
    assert all(p.text and p.author and p.created_at and p.counts for p in latest.posts)
    assert sum(bool(p.title) for p in latest.posts) <= len(latest.posts) == 4 - latest.dropped.total()
    topic = read({"topic": "57", "above": 0}, sample("topic.json"))
    assert topic.posts[0].title
    assert topic.dropped[NOT_REGULAR] > 0
    listed = read({"list": 0}, sample("category_latest_topics.json"), seen=visit(category=2))
    assert [step["topic"] for step in listed.next if "topic" in step] == ["5", "4"]
