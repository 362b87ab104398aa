from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.bluesky_listing import place, shown, stamp
from crawlers.bluesky_posts import (
    ADULT,
    BOT,
    NOT_A_POST,
    NOT_FOR_STRANGERS,
    OTHER_LANGUAGE,
    REPLY,
    REPOST,
    TAKEN_DOWN,
    label_reason,
    read_record,
    read_thread,
    read_view,
    text_of,
    written_at,
)
from crawlers.intake import DATE_UNREADABLE, NO_TEXT

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
DID = "did:plc:zulfiya2222222222222222222"
URI = f"at://{DID}/app.bsky.feed.post/3kabcdefghij2"
ROOT = "at://did:plc:mehrdad222222222222222222/app.bsky.feed.post/3kaaaaaaaaaa2"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def mention(text: str, named: str) -> dict[str, Any]:
    """Return the facet of a mention as a client makes it: in bytes of UTF-8."""
    start = text.encode().index(named.encode())
    return {
        "index": {"byteStart": start, "byteEnd": start + len(named.encode())},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:someone"}],
    }


def record(text: str = "Автобус 10 не пришёл", **fields: Any) -> dict[str, Any]:
    stated = {"text": text, "createdAt": "2026-11-01T08:00:00.500Z", "langs": ["ru"]}
    return {"$type": "app.bsky.feed.post", **stated, **fields}


def view(text: str = "Автобус 10 не пришёл", **fields: Any) -> dict[str, Any]:
    """Return a post view; `record` and `author` add to what these hold."""
    author = {"did": DID, "handle": "zulfiya.example", "displayName": "Зульфия К.", **fields.pop("author", {})}
    return {
        "uri": URI,
        "cid": "bafy",
        "author": author,
        "record": record(**{"text": text, **fields.pop("record", {})}),
        "replyCount": 2,
        "repostCount": 0,
        "likeCount": 5,
        "quoteCount": 1,
        "indexedAt": "2026-11-01T08:00:01.000Z",
        **fields,
    }


@pytest.mark.parametrize(
    ("text", "named", "kept"),
    [
        ("Спроси @marat.example, он знает", "@marat.example", "Спроси [HANDLE], он знает"),
        ("🚌🚌 اسألوا @layla.example عن الجسر", "@layla.example", "🚌🚌 اسألوا [HANDLE] عن الجسر"),
        ("نمی‌دانم، از @مهرداد بپرسید 🚇", "@مهرداد", "نمی‌دانم، از [HANDLE] بپرسید 🚇"),
        ("Ask Grace Okoro about it", "Grace Okoro", "Ask [HANDLE] about it"),
        ("@grace.example", "@grace.example", "[HANDLE]"),
    ],
)
def test_mentions_are_found_by_bytes(text: str, named: str, kept: str) -> None:
    assert text_of(record(text, facets=[mention(text, named)])) == kept


def test_two_mentions_and_other_facets() -> None:
    text = "@анна.example и @marat.example: встреча в 18 #Казань example.com/abc..."
    tag = {**mention(text, "#Казань"), "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Казань"}]}
    facets = [mention(text, "@marat.example"), tag, mention(text, "@анна.example"), mention(text, "@анна.example")]
    assert text_of(record(text, facets=facets)) == "[HANDLE] и [HANDLE]: встреча в 18 #Казань example.com/abc..."


def test_a_facet_that_counts_letters_instead_of_bytes_damages_nothing() -> None:
    text = "Очень жаль, что автобус не ходит, @marat"
    start = text.index("@marat")
    wrong = {**mention(text, "@marat"), "index": {"byteStart": start, "byteEnd": start + 6}}
    assert text_of(record(text, facets=[wrong])) == text
    from_the_middle = {**wrong, "index": {"byteStart": 2, "byteEnd": 10}}  # "чень": begins in a word and ends with it
    assert text_of(record(text, facets=[from_the_middle])) == text
    in_a_letter = {**wrong, "index": {"byteStart": 1, "byteEnd": 5}}
    assert text_of(record(text, facets=[in_a_letter])) == text


@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_mention_between_any_letters_goes_and_nothing_else(before: str, after: str) -> None:
    text = f"{before} @somebody.example {after}"
    start = len(f"{before} ".encode("utf-8", "surrogatepass"))
    facet = {**mention("@somebody.example", "@somebody.example")}
    facet["index"] = {"byteStart": start, "byteEnd": start + len("@somebody.example")}
    assert text_of(record(text, facets=[facet])) == f"{before} [HANDLE] {after}"


@given(st.text(max_size=30), JSON)
def test_any_facets_are_survived(text: str, facets: object) -> None:
    assert text_of(record(text, facets=facets)) == text


def test_a_view_is_read_whole() -> None:
    reply = {"root": {"uri": ROOT, "cid": "b"}, "parent": {"uri": ROOT, "cid": "b"}}
    read = read_view(view(record={"reply": reply}), None)
    post = read.post
    assert post is not None
    assert (post.native_id, post.author, post.url) == (URI, DID, f"https://bsky.app/profile/{DID}/post/3kabcdefghij2")
    assert post.author_names == ("@zulfiya.example", "zulfiya.example", "Зульфия К.")
    assert (post.thread, post.parent, read.root) == (ROOT, ROOT, ROOT)
    assert post.counts == {"replies": 2, "reposts": 0, "likes": 5}
    assert post.declared_lang == "ru"
    assert post.created_at == datetime(2026, 11, 1, 8, 0, 0, 500_000, UTC)
    assert read.replies == 2
    bare = read_view({"uri": URI, "record": record()}, None).post
    assert bare is not None
    assert (bare.counts, bare.thread, bare.parent) == (None, None, None)


@pytest.mark.parametrize(
    ("created", "indexed", "written"),
    [
        ("2026-11-01T08:00:00Z", "2026-11-01T08:00:01Z", "2026-11-01T08:00:00Z"),
        ("2031-01-01T00:00:00Z", "2026-11-01T08:00:01Z", "2026-11-01T08:00:01Z"),  # a date to stay on top
        ("1776-07-04T00:00:00Z", "2026-11-01T08:00:01Z", "2026-11-01T08:00:01Z"),
        ("2019-05-01T00:00:00Z", "2026-11-01T08:00:01Z", "2026-11-01T08:00:01Z"),
        (None, "2026-11-01T08:00:01Z", "2026-11-01T08:00:01Z"),
        ("2026-11-01T08:00:00Z", None, "2026-11-01T08:00:00Z"),
        (None, None, None),
    ],
)
def test_a_date_that_lies_gives_way_to_when_it_was_seen(
    created: str | None, indexed: str | None, written: str | None
) -> None:
    moments = [datetime.fromisoformat(moment) if moment else None for moment in (created, indexed, written)]
    assert written_at(moments[0], moments[1]) == moments[2]


def test_a_date_that_can_not_be_read_is_told() -> None:
    lost = read_view(view(record={"createdAt": "gestern"}, indexedAt=None), None).post
    seen = read_view(view(record={"createdAt": "gestern"}), None).post
    assert lost is not None
    assert seen is not None
    assert (lost.created_at, lost.flaws) == (None, (DATE_UNREADABLE,))
    assert (seen.created_at, seen.flaws) == (datetime(2026, 11, 1, 8, 0, 1, tzinfo=UTC), ())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"author": {"labels": [{"val": "!no-unauthenticated", "src": DID}]}}, NOT_FOR_STRANGERS),
        ({"labels": [{"val": "porn"}]}, ADULT),
        ({"record": {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]}}}, ADULT),
        ({"labels": [{"val": "spam"}, {"val": "!hide"}]}, TAKEN_DOWN),
        ({"author": {"labels": [{"val": "bot"}]}}, BOT),
        ({"labels": [{"val": "porn", "neg": True}, {"val": "rude"}, 3, {}]}, None),
        ({"record": {"text": " \n"}}, NO_TEXT),
        ({"record": {"$type": "app.bsky.feed.generator"}}, NOT_A_POST),
        ({"uri": "at://zulfiya.example/app.bsky.feed.post/3k"}, NOT_A_POST),
        ({"uri": None}, NOT_A_POST),
        ({"record": None}, NOT_A_POST),
    ],
)
def test_what_is_left_out_has_a_reason(fields: dict[str, Any], reason: str | None) -> None:
    shown_view = view(**{name: value for name, value in fields.items() if value is not None})
    shown_view |= {name: None for name, value in fields.items() if value is None}
    read = read_view(shown_view, None)
    assert (read.post is None, read.reason) == (reason is not None, reason)


def test_a_language_leaves_out_only_what_says_to_be_in_another() -> None:
    languages: list[tuple[object, str | None, str | None]] = [
        (["fa-IR"], None, "fa"),
        (["fa", "en"], None, None),  # which of them is not known
        (["en-GB", "en-US"], OTHER_LANGUAGE, None),
        ([], None, None),
        (None, None, None),
        (["", 7], None, None),
    ]
    for stated, reason, declared in languages:
        read = read_view(view(record={"langs": stated}), "fa")
        assert (read.reason, read.post and read.post.declared_lang) == (reason, declared), stated


def test_records_have_no_counts_and_their_author_is_in_their_address() -> None:
    entry = {"uri": URI, "cid": "b", "value": record("زحمة على الجسر", langs=["ar"])}
    post = read_record(entry, ("Layla",), None).post
    assert post is not None
    assert (post.author, post.author_names, post.counts, post.declared_lang) == (DID, ("Layla",), None, "ar")
    answer = {**entry, "value": record(reply={"root": {"uri": ROOT}, "parent": {"uri": ROOT}})}
    assert read_record(answer, (), None).post is not None
    assert read_record(answer, (), None, replies=False).reason == REPLY


def test_a_thread_tells_what_is_there_gone_blocked_and_cut() -> None:
    def node(key: str, *, replies: list[Any] | None, count: int = 0) -> dict[str, Any]:
        tree: dict[str, Any] = {"post": {**view(), "uri": URI + key, "replyCount": count}}
        return tree if replies is None else {**tree, "replies": replies}

    gone = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": URI + "x", "notFound": True}
    blocked = {"uri": URI + "y", "blocked": True, "author": {"did": DID}}
    tree = node(
        "0", replies=[node("1", replies=[node("2", replies=None, count=3)]), gone, blocked, node("4", replies=[])]
    )
    thread = read_thread(tree)
    assert [shown_view["uri"] for shown_view in thread.views] == [URI + key for key in "0124"]
    assert (thread.gone, thread.blocked, thread.cut) == ([URI + "x"], 1, [URI + "2"])
    # A post whose answers the server keeps back is not asked for again and again.
    assert read_thread(node("0", replies=None, count=3)).cut == []


@given(JSON)
def test_any_json_is_survived(value: object) -> None:
    read_thread(value)
    label_reason(entry for entry in [value] if isinstance(entry, dict))
    for entry in (value, {"post": value}, {"uri": URI, "record": value}, {"uri": URI, "value": value}):
        if isinstance(entry, dict):
            read_view(entry, "ru")
            read_record(entry, (), None)
    read_view(view(record={"reply": value, "labels": value, "langs": value}, labels=value, replyCount=value), None)


def recording(*parts: str) -> dict[str, Any]:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


class Target:
    """What a listing's reader asks of a target."""

    def __init__(self, kind: str) -> None:
        self.feed = self.author = self.query = self.repository = self.language = None
        self.replies = True
        setattr(self, kind, "asked for")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("parts", "kind", "kept", "dropped"),
    [
        (("data", "api-samples", "bluesky", "f_search_0.json"), "query", 21, {NOT_FOR_STRANGERS: 4}),
        (("data", "api-samples", "bluesky", "f_getquotes_0.json"), "query", 2, {}),
        (("data", "api-samples", "bluesky", "f_feedfeed_0.json"), "feed", 7, {}),
        (("data", "api-samples", "bluesky", "f_autfeed_0.json"), "author", 43, {REPOST: 7}),
        (("data", "api-samples", "bluesky", "f_timeline_0.json"), "feed", 46, {REPOST: 3}),
        (("servers", "samples", "atproto", "searchPosts.json"), "query", 2, {}),
        (("servers", "samples", "atproto", "getAuthorFeed.json"), "author", 2, {}),
        (("servers", "samples", "atproto", "pds_listRecords.json"), "repository", 1, {}),
    ],
)
def test_recorded_listings(parts: tuple[str, ...], kind: str, kept: int, dropped: dict[str, int]) -> None:
    body = recording(*parts)
    target: Any = Target(kind)
    read = [shown(entry, target) for entry in body.get("posts") or body.get("feed") or body["records"]]
    posts = [entry.post for entry in read if entry.post]
    reasons = [entry.reason for entry in read if entry.reason]
    assert (len(posts), {reason: reasons.count(reason) for reason in reasons}) == (kept, dropped)
    assert all(post.author and post.created_at and not post.flaws for post in posts)
    places = [place(target, entry) or "" for entry in read]
    assert all(places)
    if kind in {"author", "query"} and "quotes" not in parts[-1]:
        assert places == sorted(places, reverse=True)
    if kind == "author" and body.get("cursor"):
        assert places[-1] == body["cursor"]


@pytest.mark.shared
def test_a_recorded_thread() -> None:
    thread = read_thread(recording("servers", "samples", "atproto", "getPostThread.json")["thread"])
    read = [read_view(shown_view, None).post for shown_view in thread.views]
    assert len(read) == 2
    assert read[0] is not None
    assert read[1] is not None
    assert (read[1].thread, read[1].parent) == (read[0].native_id, read[0].native_id)


def test_stamps_sort_as_their_moments_do() -> None:
    assert stamp(datetime(2026, 11, 1, 8, 0, 0, 900, UTC)) == "2026-11-01T08:00:00.000Z"
