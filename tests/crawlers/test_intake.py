from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.privacy import Secret
from crawlers import intake
from crawlers.intake import Place, examine, protect, take_in
from crawlers.items import RawPost

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SECRET = Secret(b"a secret of the tests")
PLACE = Place("kazan/feed/x", "kazan", "feed")


def raw(**fields: Any) -> RawPost:
    return RawPost(**{"native_id": "1", "text": "No buses", **fields})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"native_id": ""}, intake.NO_ID),
        ({"native_id": "\x00 "}, intake.NO_ID),
        ({"native_id": "x" * 2001}, intake.ID_TOO_LONG),
        ({"text": ""}, intake.NO_TEXT),
        ({"text": " \x00\n ", "title": "\u202e"}, intake.NO_TEXT),
    ],
)
def test_left_out_under_a_named_reason(fields: dict[str, Any], reason: str) -> None:
    assert examine(raw(**fields), NOW).dropped == reason
    assert take_in([raw(**fields)], PLACE, SECRET, NOW).dropped == {reason: 1}


@pytest.mark.parametrize("year", [1969, 1989, 2027])
def test_an_unbelievable_date_is_taken_away_and_counted(year: int) -> None:
    batch = take_in([raw(created_at=datetime(year, 6, 1, tzinfo=UTC))], PLACE, SECRET, NOW)
    assert batch.posts[0].created_at is None
    assert batch.altered == {intake.DATE_UNBELIEVABLE: 1}
    assert not batch.dropped


def test_a_text_without_end_is_cut_and_counted() -> None:
    batch = take_in([raw(text="ы" * 200_000)], PLACE, SECRET, NOW)
    assert len(batch.posts[0].text) == intake.TEXT_LIMIT
    assert batch.altered == {intake.TEXT_CUT: 1}


def test_a_title_alone_becomes_the_text() -> None:
    post = take_in([raw(text="", title="Only this")], PLACE, SECRET, NOW).posts[0]
    assert (post.title, post.text) == ("", "Only this")


def test_nothing_personal_stays_in_clear() -> None:
    post = take_in(
        [
            raw(
                native_id="https://host/@layla/1",
                url="https://host/@layla/1",
                thread="https://host/@layla/0",
                parent="https://host/@layla/0",
                author="layla@host",
                author_names=("Layla K.",),
                title="Comment by Layla K.",
                text="Call +7 917 555-12-34 or layla@example.org, says Layla K. to @layla",
            )
        ],
        PLACE,
        SECRET,
        NOW,
    ).posts[0]
    assert "layla" not in repr(post).casefold()
    assert "555" not in post.text
    assert SECRET.unseal(post.sealed)["url"] == "https://host/@layla/1"
    assert post.author == SECRET.pseudonym("feed", "layla@host")
    assert post.thread == post.parent == SECRET.key("feed", "https://host/@layla/0")


def test_a_name_is_hidden_only_as_a_whole_word() -> None:
    posts = take_in([raw(text="Rosa likes Rosaries", author_names=("Rosa",))], PLACE, SECRET, NOW).posts
    assert posts[0].text == "[HANDLE] likes Rosaries"
    posts = take_in([raw(text="Route 12 to A", author_names=("12", "A"))], PLACE, SECRET, NOW).posts
    assert posts[0].text == "Route 12 to A"


def test_unknown_is_not_zero() -> None:
    post = take_in([raw()], PLACE, SECRET, NOW).posts[0]
    assert (post.author, post.created_at, post.counts, post.declared_lang, post.latitude) == (None,) * 5
    post = take_in([raw(counts={"replies": 0})], PLACE, SECRET, NOW).posts[0]
    assert post.counts == {"replies": 0}


@pytest.mark.parametrize(("latitude", "longitude"), [(91.0, 0.0), (0.0, 181.0), (5.0, None), (None, 5.0)])
def test_coordinates_off_the_earth_are_unknown(latitude: float | None, longitude: float | None) -> None:
    post = take_in([raw(latitude=latitude, longitude=longitude)], PLACE, SECRET, NOW).posts[0]
    assert (post.latitude, post.longitude) == (None, None)


@pytest.mark.parametrize(
    ("declared", "stored"), [("en-US", "en"), ("AR", "ar"), ("und", None), ("english", None), ("", None)]
)
def test_a_language_is_a_code_or_unknown(declared: str, stored: str | None) -> None:
    assert take_in([raw(declared_lang=declared)], PLACE, SECRET, NOW).posts[0].declared_lang == stored


def test_a_repr_for_the_log_shows_nothing_personal() -> None:
    assert "layla" not in repr(raw(native_id="layla", author="layla", text="layla", url="layla", thread="layla"))


@given(st.text(max_size=50), st.text(max_size=200), st.text(max_size=200), st.none() | st.text(max_size=20))
def test_whatever_comes_in_is_counted_or_fit_to_store(
    native_id: str, title: str, text: str, author: str | None
) -> None:
    post = raw(native_id=native_id, title=title, text=text, author=author, author_names=(author,) if author else ())
    examined = examine(post, NOW)
    if examined.post is None:
        assert examined.dropped
        return
    stored = protect(examined.post, PLACE, SECRET, "2026-11-22T06:00:00Z")
    (stored.title + stored.text).encode()
    assert stored.text
    assert "\x00" not in stored.text + stored.title
