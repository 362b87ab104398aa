from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.nodebb import NOT_A_POST, TOPIC_GONE, NodebbSpider
from crawlers.visits import Found, Step

SAMPLES = Path(os.environ.get("CITYSTUDY_SHARED", "../shared")) / "servers/samples/nodebb"
FORUM = "https://f.example/city"


def post(number: int, **fields: Any) -> dict[str, Any]:
    """Return a post as NodeBB 4 writes it."""
    return {
        "pid": number,
        "tid": 3,
        "uid": 12,
        "content": "<p>Автобус не пришёл</p>",
        "timestamp": 1795314161691,
        "timestampISO": "2026-11-22T02:22:41.691Z",
        "edited": 0,
        "editedISO": "",
        "deleted": 0,
        "upvotes": 2,
        "replies": {"hasMore": False, "count": 1, "users": []},
        "user": {"uid": 12, "username": "zulfiya_k", "displayname": "Зульфия Каримова", "userslug": "zulfiya_k"},
        **fields,
    }


def topic(*posts: Any, page: int = 1, pages: int = 1, **fields: Any) -> dict[str, Any]:
    about = {"tid": 3, "mainPid": 5, "title": "Автобус &amp; трамвай", "titleRaw": "Автобус & трамвай"}
    return {**about, "posts": list(posts), "pagination": {"currentPage": page, "pageCount": pages}, **fields}


def visit(category: int | None = None, **mark: Any) -> Any:
    target = SimpleNamespace(url=FORUM, category=category)
    return SimpleNamespace(target=target, mark=mark, seen=set(), posts=0, host="f.example")


def spider() -> Any:
    made = cast("Any", NodebbSpider.__new__(NodebbSpider))
    made.too_old = lambda posts: False
    return made


def read(step: Step, document: Any, status: int = 200, seen: Any = None) -> Found:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = TextResponse(f"{FORUM}/api/x", status=status, body=body, encoding="utf-8")
    return cast("Found", spider().read(seen or visit(), step, response))


def inside(page: int = 1, until: int | None = None) -> Step:
    return {"topic": "3", "page": page, "until": until}


def test_each_field_of_a_post() -> None:
    edited = post(5, editedISO="2026-11-23T00:00:00.000Z", edited=1795392000000)
    answer = post(6, toPid=5, content="<p>@marat said:</p><blockquote>Он ходит?</blockquote><p>Раз в час</p>")
    first, second = read(inside(), topic(edited, answer)).posts
    assert (first.native_id, first.thread, first.parent) == ("f.example/city 5", "f.example/city 5", None)
    assert (first.title, first.text) == ("Автобус & трамвай", "Автобус не пришёл")
    assert (first.author, first.author_names) == ("f.example/city 12", ("zulfiya_k", "Зульфия Каримова"))
    assert first.created_at is not None
    assert first.created_at.isoformat() == "2026-11-22T02:22:41.691000+00:00"
    assert first.edited_at is not None
    assert (first.counts, first.url, first.ref) == ({"likes": 2, "replies": 1}, f"{FORUM}/post/5", "3 1")
    assert (second.title, second.parent, second.edited_at) == ("", "f.example/city 5", None)
    assert second.text.endswith("Раз в час")
    assert "Он ходит" not in second.text


def test_the_words_of_version_1_and_of_other_servers() -> None:
    old = post(0, pid="7", uid="4", timestamp="1795314164878", upvotes="x", replies=0, user={"username": "ivan"})
    far = post(0, pid="https://social.example/notes/9", uid="https://social.example/users/tom", timestamp="x")
    guest = post(8, uid=0, user={"uid": 0, "username": "Прохожий"})
    nobody = post(9, uid="0", user={"uid": 0, "username": "Guest"}, timestamp=None, timestampISO=None)
    former = post(10, uid=0, user={"username": "[[global:former_user]]"})
    found = read(inside(), topic(old, far, guest, nobody, former)).posts
    assert [p.author for p in found] == [
        "f.example/city 4",
        "https://social.example/users/tom",
        "f.example/city Прохожий",
        None,
        None,
    ]
    assert [p.counts for p in found[:2]] == [{"replies": 0}, {"likes": 2, "replies": 1}]
    assert (found[1].native_id, found[1].url) == ("https://social.example/notes/9",) * 2
    assert found[1].created_at == found[2].created_at, "by timestampISO where timestamp can't be read"
    assert (found[3].created_at, found[3].flaws) == (None, ("date unreadable",))


def test_deleted_posts_are_gone() -> None:
    shown = [
        post(5, deleted=1),
        post(6, deleted="1"),
        post(7, deleted=True),
        post(8, content="[[topic:post_is_deleted]]"),
    ]
    found = read(inside(), topic(*shown, post(9, deleted="0"), None, {"pid": None}))
    assert found.gone == [f"f.example/city {n}" for n in (5, 6, 7, 8)]
    assert ([p.native_id for p in found.posts], found.dropped) == (["f.example/city 9"], {NOT_A_POST: 2})


def test_a_topic_is_read_from_its_last_page_back_to_what_is_known() -> None:
    seen = visit(topics={"3": ["9 9", None]})
    opened = read(inside(1), topic(post(5), pages=4), seen=seen)
    assert opened.next == [{"topic": "3", "page": 4, "until": 1}]
    last = read(opened.next[0], topic(post(60), page=4, pages=4), seen=seen)
    assert last.next == [{"topic": "3", "page": 3, "until": 1}]
    assert last.mark["topics"]["3"] == ["9 9", 4]
    third = read(last.next[0], topic(post(50), page=3, pages=4), seen=seen)
    assert (third.next, third.mark) == ([{"topic": "3", "page": 2, "until": 1}], {})
    assert read(inside(2, until=1), topic(post(30), page=2, pages=4), seen=seen).next == []
    shrunk = read(inside(4), topic(page=4, pages=2), seen=seen)
    assert shrunk.next == [{"topic": "3", "page": 2, "until": None}]
    assert read(inside(4), b"Not Found", 404).next == [inside(1)]
    assert read(inside(1), b"Not Found", 404).dropped == {TOPIC_GONE: 1}


def test_only_topics_with_something_new_are_read() -> None:
    topics = [{"tid": str(n), "postcount": "3", "lastposttime": f"179531416{n}000"} for n in (1, 2, 3)]
    known = {"1": ["3 1795314161000", 2], "2": ["2 1795314160000", 5]}
    listed = {"topics": topics, "pagination": {"pageCount": 9}}
    found = read({"list": 1}, listed, seen=visit(topics=known))
    wanted = [{"topic": "2", "page": 5, "until": None}, {"topic": "3", "page": 1, "until": None}, {"list": 2}]
    assert found.next == wanted
    assert list(found.mark["topics"]) == ["1", "2", "3"]
    again = read({"list": 1}, listed, seen=visit(topics=found.mark["topics"]))
    assert (again.next, again.quiet) == ([], True)
    assert read({"list": 1}, b"", 304).quiet


def test_second_looks_follow_posts_to_other_pages() -> None:
    ids = [f"f.example/city {n}" for n in (5, 6, 40)]
    step: Step = {"again": [[ids[0], "3 1"], [ids[1], "3 1"], [ids[2], "3 2"]]}
    assert "/api/topic/3?" in spider().request(visit(), step).url
    found = read(step, topic(post(5), post(7), pages=2))
    assert found.gone == [ids[1]], "its neighbours are shown without it"
    assert found.next == [{"look": [ids[2]], "topic": "3", "page": 2}]
    moved = read(found.next[0], topic(post(41), page=2, pages=2))
    assert moved.next == [{"look": [ids[2]], "topic": "3", "page": 1, "from": "2"}]
    assert read(moved.next[0], topic(post(5), post(7), pages=2)).gone == [ids[2]]
    assert read(found.next[0], topic(page=2, pages=1)).next == [{"look": [ids[2]], "topic": "3", "page": 1}]
    for status in (401, 403, 404):
        assert read(moved.next[0], b"{}", status).gone == [ids[2]], "a deleted topic is closed to strangers"
    assert read(moved.next[0], b"{}", 500).gone == []


@pytest.mark.parametrize(
    ("document", "status", "category", "reason"),
    [
        ({"topics": []}, 200, None, "closed or empty"),
        ({}, 401, None, "closed (HTTP 401)"),
        ({}, 404, 5, "no such category"),
        ({"topics": {}}, 200, None, "JSON of another shape"),
        (b"<html>", 200, None, "a web page"),
    ],
)
def test_closed_and_odd_forums_are_parked(document: Any, status: int, category: int | None, reason: str) -> None:
    with pytest.raises(Parked) as parked:
        read({"list": 1}, document, status, seen=visit(category))
    assert reason in parked.value.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*post(1), "toPid"]), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([{"list": 1}, inside(), {"look": ["f.example/city 5"], "topic": "3", "page": 1}]))
def test_no_json_crashes_the_reader(value: Any, step: Step) -> None:
    for document in (
        value,
        {"topics": [value], "pagination": value},
        topic(value),
        topic(mainPid=value, title=value),
    ):
        try:
            read(step, document)
        except Parked:
            continue


def test_a_category_is_asked_by_its_number(site: Any, folder: Any) -> None:
    listed = {"topics": [{"tid": 3, "postcount": 2, "lastposttime": 1795314161691}], "pagination": {"pageCount": 1}}
    site.answers["/api/category/5"] = site.Reply(json.dumps(listed), headers={"ETag": '"1"'})
    site.answers["/api/topic/3"] = site.Reply(json.dumps(topic(post(5), post(6, uid=13, content="<p>درست شد</p>"))))
    study = folder.write(f'source = "nodebb"\nurl = "{site.url}/"\ncategory = 5')
    assert crawl(study)[0].new == 2
    assert site.paths() == ["/api/category/5", "/api/topic/3"]
    assert crawl(study)[0].parked is None
    assert site.asked[-1].headers["if-none-match"] == '"1"'
    on_disk = folder.database_bytes()
    for readable in ("zulfiya_k", "Каримова", f"{site.host} 12", "/post/5"):
        assert readable.encode() not in on_disk


@pytest.mark.shared
def test_recorded_answers() -> None:
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not here; CITYSTUDY_SHARED names the shared folder")
    listed = read({"list": 1}, json.loads((SAMPLES / "recent.json").read_text()))
    assert {"topic": "2", "page": 1, "until": None} in listed.next
    found = read({"topic": "2", "page": 1, "until": None}, json.loads((SAMPLES / "topic.json").read_text()))
    assert [p.native_id for p in found.posts] == [f"f.example/city {n}" for n in (2, 3, 4, 5)]
    assert [bool(p.title) for p in found.posts] == [True, False, False, False]
    assert len({p.author for p in found.posts}) == 4
    assert all(p.text and p.created_at and p.counts == {"likes": 0, "replies": 0} for p in found.posts)
    category = read({"list": 1}, json.loads((SAMPLES / "category.json").read_text()), seen=visit(category=5))
    assert [step["topic"] for step in category.next] == ["2"]
