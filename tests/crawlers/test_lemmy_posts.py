from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.intake import DATE_UNREADABLE
from crawlers.lemmy_posts import (
    BOT,
    DELETED,
    NOT_A_POST,
    REMOVED,
    Community,
    addresses_of,
    community_number,
    languages_of,
    read_view,
)
from crawlers.parking import Parked

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
LANGUAGES = {8: "ar", 37: "en", 44: "fa", 138: "ru"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def creator(**fields: Any) -> dict[str, Any]:
    return {
        "id": 3,
        "name": "mehrdad_s",
        "display_name": "مهرداد ص.",
        "actor_id": "https://feddit.example/u/mehrdad_s",
        "bot_account": False,
        **fields,
    }


def community(**fields: Any) -> dict[str, Any]:
    return {"id": 5, "name": "kazan", "local": True, "actor_id": "https://lemmy.example/c/kazan", **fields}


def post_view(post: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "post": {
            "id": 70,
            "name": "ایستگاه مترو",
            "body": "آسانسور **ندارد** و نمی‌شود رفت",
            "ap_id": "https://feddit.example/post/9",
            "published": "2026-11-01T08:00:00.123456Z",
            "updated": "2026-11-01T09:00:00Z",
            "deleted": False,
            "removed": False,
            "language_id": 44,
            **(post or {}),
        },
        "creator": creator(),
        "community": community(),
        "counts": {"comments": 2, "score": 3, "upvotes": 4, "downvotes": 1},
        **fields,
    }


def comment_view(comment: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "comment": {
            "id": 24,
            "content": "The bus never comes",
            "ap_id": "https://lemmy.example/comment/24",
            "path": "0.24",
            "published": "2026-11-01T08:00:00",
            "language_id": 37,
            **(comment or {}),
        },
        "post": {"id": 70, "ap_id": "https://feddit.example/post/9"},
        "creator": creator(),
        "community": community(),
        "counts": {"upvotes": 1, "child_count": 0},
        **fields,
    }


def test_a_post_is_read_whole() -> None:
    shown = read_view(post_view(), "post", LANGUAGES, {})
    post = shown.post
    assert post is not None
    assert (post.native_id, post.url, post.ref) == (*["https://feddit.example/post/9"] * 2, "post:70")
    assert (post.title, post.text) == ("ایستگاه مترو", "آسانسور ندارد و نمی‌شود رفت")
    assert (post.thread, post.parent) == (None, None)
    assert post.author == "https://feddit.example/u/mehrdad_s"
    assert post.author_names[0] == "@mehrdad_s@feddit.example"
    assert {"mehrdad_s", "مهرداد ص."} <= set(post.author_names)
    assert post.created_at == datetime(2026, 11, 1, 8, 0, 0, 123456, UTC)
    assert post.edited_at == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert (post.declared_lang, post.counts) == ("fa", {"replies": 2, "likes": 4})


def test_the_same_post_of_each_api_is_the_same() -> None:
    v3 = post_view()
    v4 = post_view()
    v4["post"] |= {"published_at": v4["post"].pop("published"), "updated_at": v4["post"].pop("updated")}
    v4["post"] |= v4.pop("counts")
    v4["creator"]["ap_id"] = v4["creator"].pop("actor_id")
    piefed = post_view()
    piefed["post"]["title"] = piefed["post"].pop("name")
    person = piefed["creator"]
    person |= {"user_name": person.pop("name"), "title": person.pop("display_name"), "bot": person.pop("bot_account")}
    read = [read_view(view, "post", LANGUAGES, {}) for view in (v3, v4, piefed)]
    assert read[0] == read[1] == read[2]
    assert read[0].post is not None


def test_a_comment_belongs_to_its_post_and_its_parent() -> None:
    of_post = read_view(comment_view(), "comment", LANGUAGES, {}).post
    assert of_post is not None
    assert (of_post.title, of_post.text, of_post.ref) == ("", "The bus never comes", "comment:24")
    assert (of_post.thread, of_post.parent) == (*["https://feddit.example/post/9"] * 2,)
    assert of_post.created_at == datetime(2026, 11, 1, 8, tzinfo=UTC), "0.18 states no zone and means UTC"
    nested = comment_view({"id": 27, "path": "0.24.27"})
    known = read_view(nested, "comment", LANGUAGES, addresses_of([comment_view(), None, {}])).post
    unknown = read_view(nested, "comment", LANGUAGES, {}).post
    assert known is not None
    assert unknown is not None
    assert (known.parent, unknown.parent) == ("https://lemmy.example/comment/24", None)


@pytest.mark.parametrize(
    ("post", "person", "reason"),
    [
        ({"deleted": True}, {}, DELETED),
        ({"removed": True}, {}, REMOVED),
        ({"deleted": False, "removed": False}, {}, None),
        ({}, {"bot_account": True}, BOT),
        ({}, {"bot": True}, BOT),
        ({"ap_id": "javascript:alert(1)"}, {}, NOT_A_POST),
        ({"ap_id": "https://[broken"}, {}, NOT_A_POST),
        ({"id": None}, {}, NOT_A_POST),
    ],
)
def test_what_is_left_out_has_a_reason(post: dict[str, Any], person: dict[str, Any], reason: str | None) -> None:
    shown = read_view(post_view(post, creator=creator(**person)), "post", {}, {})
    assert (shown.post is None, shown.reason) == (reason is not None, reason)
    assert shown.gone == (reason in {DELETED, REMOVED})
    assert (shown.native_id is None) == (reason == NOT_A_POST)


def test_what_is_unknown_is_none() -> None:
    bare = {"post": {"id": 1, "ap_id": "https://lemmy.example/post/1", "name": "Парковка", "published": "gestern"}}
    post = read_view(bare, "post", LANGUAGES, {}).post
    assert post is not None
    assert (post.author, post.counts, post.declared_lang, post.created_at) == (None, None, None, None)
    assert post.flaws == (DATE_UNREADABLE,)
    undetermined = read_view(post_view({"language_id": 0}), "post", LANGUAGES, {}).post
    assert undetermined is not None
    assert undetermined.declared_lang is None


@pytest.mark.parametrize(
    ("asked", "instance", "shown", "same"),
    [
        ("kazan", "https://lemmy.example", community(), True),
        ("kazan", "http://127.0.0.1:8536", community(), True),  # reached by another name
        ("Kazan", "https://lemmy.example", community(), True),
        ("kazan@lemmy.example", "https://lemmy.example", community(), True),
        ("kazan@lemmy.example", "https://feddit.example", community(local=False), True),
        ("kazan@lemmy.example", "https://feddit.example", community(local=False, actor_id=None, ap_id="https://lemmy.example/c/kazan"), True),
        ("kazan@lemmy.example", "https://feddit.example", community(actor_id="https://feddit.example/c/kazan"), False),  # local there: another
        ("kazan@lemmy.example", "https://feddit.example", community(local=False, actor_id="https://other.example/c/kazan"), False),
        ("kazan", "https://feddit.example", community(local=False), False),
        ("kazan", "https://lemmy.example", community(name="cats"), False),
        ("kazan", "https://lemmy.example", community(local=None, actor_id=None), False),
        ("kazan", "https://lemmy.example", None, False),
    ],
)  # fmt: skip
def test_a_community_is_known_by_its_name_and_its_home(asked: str, instance: str, shown: object, same: bool) -> None:
    assert Community.of(asked, instance).is_shown_as(shown) == same


def test_a_communitys_number_is_its_own() -> None:
    kazan = Community.of("kazan", "https://lemmy.example")
    assert community_number({"community_view": {"community": community()}}, kazan) == 5
    for body in ({}, {"community_view": {"community": community(name="cats")}}, {"community_view": 3}):
        with pytest.raises(Parked, match="another community"):
            community_number(body, kazan)


def test_languages_come_from_what_the_server_says_of_itself() -> None:
    entries = [{"id": 0, "code": "und"}, {"id": 8, "code": "ar"}, {"id": "x", "code": "fa"}, 3, {"id": 9}]
    assert languages_of({"all_languages": entries}) == {8: "ar"}
    assert languages_of({"site": {"all_languages": entries}}) == {8: "ar"}
    assert languages_of([]) == languages_of({}) == {}


@given(JSON)
def test_any_json_is_survived(value: Any) -> None:
    views = [
        value,
        post_view({"path": value, "body": value, "ap_id": value}),
        comment_view({"path": value}, post=value),
    ]
    for view in [v for v in views if isinstance(v, dict)]:
        for kind in ("post", "comment"):
            read_view(view, kind, {}, {})  # type: ignore[arg-type]
    read_view(comment_view({"path": "0.x.y", "language_id": value}, creator=value, counts=value), "comment", {}, {})
    addresses_of([value])
    languages_of(value)
    Community.of("kazan", "https://lemmy.example").is_shown_as(value)


def recording(name: str) -> dict[str, Any]:
    path = SHARED / "data" / "api-samples" / "lemmy" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.shared
def test_recorded_posts() -> None:
    shown = [read_view(view, "post", LANGUAGES, {}) for view in recording("posts_0.json")["posts"]]
    posts = [entry.post for entry in shown if entry.post]
    assert len(posts) == len(shown) == 10
    assert all(post.author and post.created_at and post.title and post.counts and not post.flaws for post in posts)
    assert [post.declared_lang for post in posts].count("en") >= 1
    assert sum(post.edited_at is not None for post in posts) == 2


@pytest.mark.shared
def test_recorded_comments() -> None:
    views = recording("comments_0.json")["comments"]
    shown = [read_view(view, "comment", LANGUAGES, addresses_of(views)) for view in views]
    comments = [entry.post for entry in shown if entry.post]
    assert len(comments) == len(shown) == 10
    assert all(comment.thread and comment.parent and comment.text for comment in comments)
    ids = {comment.native_id for comment in comments}
    assert sum(comment.parent in ids for comment in comments) == 3
