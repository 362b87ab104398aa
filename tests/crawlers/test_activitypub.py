from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from crawlers.activitypub import looked_again
from crawlers.parking import Parked

URI = "https://snac.example/laylah/p/17.5"
PAIR = [URI, "17abc"]
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def answer(value: Any, status: int = 200) -> TextResponse:
    return TextResponse(URI, status=status, body=value if isinstance(value, bytes) else json.dumps(value).encode())


def note(**fields: Any) -> dict[str, Any]:
    return {
        "id": URI,
        "type": "Note",
        "attributedTo": "https://snac.example/laylah",
        "to": [PUBLIC],
        "published": "2026-11-01T10:00:00Z",
        "summary": "",
        "content": "زحمة خانقة<br>",
        **fields,
    }


def test_an_edited_post_is_read_and_one_that_was_not_edited_stays_as_it_is() -> None:
    found = looked_again(answer(note(updated="2026-11-02T00:00:00Z", summary="الجسر")), PAIR, missing=False)
    [post] = found.posts
    assert (post.native_id, post.ref, post.title, post.text) == (URI, "17abc", "الجسر", "زحمة خانقة")
    assert post.edited_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert post.author_names == ("laylah",)
    for missing in (False, True):
        found = looked_again(answer(note()), PAIR, missing=missing)
        assert (found.posts, found.gone) == ([], []), "its own address knows better than the API"


@pytest.mark.parametrize(
    ("value", "status", "gone"),
    [
        (b"", 404, True),
        (b"", 410, True),
        ({"id": URI, "type": "Tombstone"}, 200, True),
        (note(to=["https://snac.example/laylah/followers"]), 200, True),
        (note(to=PUBLIC), 200, False),
        (note(to="as:Public"), 200, False),
    ],
)
def test_what_is_deleted_or_withdrawn_is_gone(value: Any, status: int, gone: bool) -> None:
    assert looked_again(answer(value, status), PAIR, missing=False).gone == ([URI] if gone else [])


@pytest.mark.parametrize(
    ("value", "status"),
    [(b"", 401), (b"", 403), (b"", 406), (b"<html>a page for people</html>", 200), ({"id": "another"}, 200), ([], 200)],
)
def test_what_tells_nothing_leaves_what_was_found_before(value: Any, status: int) -> None:
    assert looked_again(answer(value, status), PAIR, missing=False).gone == []
    assert looked_again(answer(value, status), PAIR, missing=True).gone == [URI]


def test_a_server_that_is_away_says_nothing_of_the_post() -> None:
    for status in (429, 502, 503):
        with pytest.raises(Parked, match=f"HTTP {status}"):
            looked_again(answer(b"", status), PAIR, missing=True)


@given(
    st.dictionaries(
        st.sampled_from(["type", "to", "content", "summary", "updated", "published", "attributedTo"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.none() | st.text(max_size=8), max_size=3),
    )
)
def test_no_note_breaks_the_reader(fields: dict[str, Any]) -> None:
    found = looked_again(answer({"id": URI, **fields}), PAIR, missing=False)
    assert len(found.posts) + len(found.gone) <= 1
