from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from crawlers.crawl import crawl
from crawlers.spiders.telegram import MEDIA_ONLY, PREVIEW_OFF, SERVICE, messages_of, read_count

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def recorded(name: str) -> Selector:
    path = SHARED / "data/api-samples/telegram" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    return Selector(text=path.read_text(encoding="utf-8"))


def message(
    number: int, inner: str, *, sort: str = "", when: str = "2026-01-02T10:00:00+00:00", channel: str = "kazan"
) -> str:
    return (
        f'<div class="tgme_widget_message {sort} js-widget_message" data-post="{channel}/{number}">{inner}'
        f'<a class="tgme_widget_message_date" href="x"><time datetime="{when}">10:00</time></a></div>'
    )


def text(words: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>'


def page(*messages: str) -> str:
    history = "".join(messages)
    return f'<html><body><section class="tgme_channel_history js-message_history">{history}</section></body></html>'


@pytest.mark.shared
def test_a_recorded_channel_is_read_message_by_message() -> None:
    found = messages_of(recorded("tchantest_assembled_page.html"), "tchantest")
    assert len(found.posts) + found.dropped.total() == 30
    assert found.dropped[SERVICE] >= 4
    assert found.dropped[MEDIA_ONLY] >= 4
    assert len({post.native_id for post in found.posts}) == len(found.posts)
    assert all(post.created_at is not None for post in found.posts)
    assert all(post.author == "channel tchantest" for post in found.posts)
    assert all("<" not in post.text for post in found.posts)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("test_parse_text_reply_to_video.html", "parent", "tchantest/19"),
        ("test_parse_text_message_multiline.html", "counts", {"views": 2}),
        ("test_parse_poll.html", "parent", None),
    ],
)
def test_a_recorded_messages_fields_are_what_the_page_shows(name: str, field: str, value: object) -> None:
    [post] = messages_of(recorded(name), "tchantest").posts
    assert getattr(post, field) == value
    assert post.text


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_parse_location_message.html", MEDIA_ONLY),
        ("test_parse_sticker_message.html", MEDIA_ONLY),
        ("test_parse_photo_single.html", None),
        ("test_parse_service_message_pinned.html", SERVICE),
        ("test_parse_service_message_channel_created.html", SERVICE),
    ],
)
def test_recorded_messages_that_say_nothing_are_counted(name: str, reason: str | None) -> None:
    found = messages_of(recorded(name), "tchantest")
    assert len(found.posts) + found.dropped.total() == 1
    if reason is not None:
        assert found.dropped == {reason: 1}


def test_text_keeps_its_lines_emoji_and_script_and_the_signer_is_known_by_name() -> None:
    inner = (
        text(
            "Вода <b>ржавая</b><br/>третий день <i class='emoji' style='x'><b>😡</b></i> #казань <tg-spoiler>там</tg-spoiler>"
        )
        + '<span class="tgme_widget_message_from_author">Тимур Валеев</span>'
    )
    [post] = messages_of(Selector(text=page(message(7, inner))), "kazan").posts
    assert post.text == "Вода ржавая\nтретий день 😡 #казань там"
    assert post.author_names == ("Тимур Валеев",)
    [persian] = messages_of(Selector(text=page(message(8, text("آب نمی‌آید، ۳ روز است")))), "kazan").posts
    assert persian.text == "آب نمی‌آید، ۳ روز است"


def test_a_place_is_read_and_another_channels_message_is_not() -> None:
    place = '<a class="tgme_widget_message_location_wrap" href="https://maps.google.com/maps?q=55.79,49.12&ll=55.79,49.12"></a>'
    found = messages_of(
        Selector(text=page(message(7, place + text("Яма здесь")), message(8, text("x"), channel="moscow"))), "kazan"
    )
    [post] = found.posts
    assert (post.latitude, post.longitude) == (55.79, 49.12)
    assert found.dropped == {"message of another channel": 1}


@pytest.mark.parametrize(
    ("shown", "count"),
    [("987", 987), ("1.2K", 1200), ("3M", 3_000_000), ("", None), (None, None), ("many", None), ("1,5", None)],
)
def test_counts_are_read_as_telegram_writes_them(shown: str | None, count: int | None) -> None:
    assert read_count(shown) == count


@given(st.text(alphabet="<>/=\"' abdivclsptgme_widget_messagedata-postkazan/0123456789", max_size=300))
def test_no_page_is_too_odd_to_be_read(markup: str) -> None:
    found = messages_of(Selector(text=f"<html>{markup}</html>"), "kazan")
    assert all(post.native_id.startswith("kazan/") for post in found.posts)


def test_a_closed_preview_is_told_from_a_channel_without_posts(new_site: Any, folder: Any) -> None:
    off, empty, other, login = (new_site() for _ in range(4))
    off.answers["/s/kazan"] = off.Reply(status=302, headers={"Location": "/kazan"})
    off.answers["/kazan"] = off.Reply(page(message(1, text("never asked for"))))
    empty.answers["/s/kazan"] = empty.Reply(page('<div class="tme_no_messages_found">No posts found</div>'))
    other.answers["/s/kazan"] = other.Reply("<html><body>Telegram: Contact @kazan</body></html>")
    login.answers["/s/kazan"] = login.Reply(status=403)
    targets = [f'source = "telegram"\nchannel = "kazan"\nserver = "{s.url}"' for s in (off, empty, other, login)]
    cities = "".join(
        f'\n[[cities]]\nname = "City {n}"\ncountry = "RU"\nlanguages = ["ru"]\n[[cities.targets]]\n{target}'
        for n, target in enumerate(targets[1:])
    )
    results = crawl(folder.write(targets[0], cities=cities))
    assert [result.parked for result in results] == [
        PREVIEW_OFF,
        None,
        "answered another page than a channel's preview",
        "closed (HTTP 403)",
    ]
    assert off.paths() == ["/s/kazan"]
