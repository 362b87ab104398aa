from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector
from scrapy.http import Request, TextResponse

from citystudy.targets import TelegramTarget
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.telegram import (
    APP_ONLY,
    FELL_SILENT,
    MEDIA_ONLY,
    PREVIEW_OFF,
    SERVICE,
    TelegramSpider,
    messages_of,
    read_count,
)
from crawlers.visits import AGAIN, Visit

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


def test_a_notice_in_a_posts_place_is_told_from_the_one_beside_a_video() -> None:
    label = '<div class="message_media_not_supported_label">{}</div>'
    app, beside = label.format("Please open Telegram to view this post"), label.format("Media is too big")
    found = messages_of(
        Selector(text=page(message(7, app), message(8, beside), message(9, beside + text("Яма")))), "kazan"
    )
    assert found.dropped == {APP_ONLY: 1, MEDIA_ONLY: 1}
    assert [post.text for post in found.posts] == ["Яма"]


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1", "", "7?single"])
def test_what_is_no_number_is_no_message(number: str) -> None:
    found = messages_of(Selector(text=page(message(7, text("x")).replace("kazan/7", f"kazan/{number}"))), "kazan")
    assert (found.posts, found.dropped.total()) == ([], 1)


NONE_FOUND = '<div class="tgme_widget_message_centered"><div class="tme_no_messages_found">No posts found</div></div>'
MORE = '<a class="tme_messages_more js-messages_more" data-before="41"></a>'


@pytest.fixture
def spider(folder: Any) -> Iterator[tuple[TelegramSpider, Visit[TelegramTarget]]]:
    made = TelegramSpider(folder.write('source = "telegram"\nchannel = "kazan"', delay=1))
    (visit,) = made.visits.values()
    yield made, visit
    made.store.close()


def says(markup: str) -> TextResponse:
    return TextResponse("https://t.me/s/kazan", body=markup.encode(), request=Request("https://t.me/s/kazan"))


def test_a_page_is_whole_when_its_messages_end_whatever_comes_after(spider: Any) -> None:
    telegram, visit = spider
    whole = page(message(41, text("Один")), message(42, text("Два"))) + "\n<!-- page generated in 13.97ms -->\n"
    step = {"before": None, "above": 40}
    assert telegram.read(visit, step, says(whole)).broken is None
    cut = telegram.read(visit, step, says(whole[: whole.index("Два")]))
    assert (cut.broken, cut.gone, [post.text for post in cut.posts]) == ("the page broke off", [], ["Один"])


@pytest.mark.parametrize(
    "step",
    [
        {"before": None, "above": 42},
        {"before": 41, "above": 0, "more": True},
        {AGAIN: [["kazan/40", "kazan/40"], ["kazan/41", "kazan/41"]]},
    ],
)
def test_who_asks_too_often_is_told_of_no_posts_and_nothing_is_deleted_for_it(spider: Any, step: Any) -> None:
    telegram, visit = spider
    with pytest.raises(Parked, match=FELL_SILENT):
        telegram.read(visit, step, says(page(NONE_FOUND)))


@pytest.mark.parametrize("step", [{"before": None, "above": 0}, {"before": 5, "above": 0, "more": False}])
def test_a_channel_without_posts_and_the_end_of_one_are_quiet(spider: Any, step: Any) -> None:
    telegram, visit = spider
    assert telegram.read(visit, step, says(page(NONE_FOUND))).quiet
    first = telegram.read(visit, {"before": None, "above": 0}, says(page(MORE, message(41, text("Один")))))
    assert first.next == [{"before": 41, "above": 0, "more": True}]


def test_a_second_look_deletes_only_what_its_page_covers(spider: Any) -> None:
    telegram, visit = spider
    pairs = [[f"kazan/{n}", f"kazan/{n}"] for n in (12, 40, 41, 43)]
    assert telegram.request(visit, {AGAIN: pairs}).url == "https://t.me/s/kazan?before=44"
    shown = page(message(39, text("Ноль")), message(40, text("Новое слово")), message(42, text("Чужое")))
    found = telegram.read(visit, {AGAIN: pairs}, says(shown))
    assert [(post.native_id, post.text) for post in found.posts] == [("kazan/40", "Новое слово")]
    assert found.gone == ["kazan/41", "kazan/43"]
    assert found.next == [{AGAIN: [pairs[0]]}]


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
