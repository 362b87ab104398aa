from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from doubles.misskey import SourceDouble, error
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from citystudy.targets import MastodonTarget
from crawlers.crawl import crawl
from crawlers.items import RawPost
from crawlers.misskey import asked, looked_again, plain, refuse_if_closed, timeline
from crawlers.parking import Parked
from crawlers.timelines import BOT, NOT_PUBLIC, REBLOG
from crawlers.visits import AGAIN, Found, Step

HERE = "https://misskey.example"
TOP: Step = {"below": None, "above": None}


def target(tag: str | None = None) -> MastodonTarget:
    return MastodonTarget(source="mastodon", software="misskey", instance=f"{HERE}/", tag=tag)


def answer(value: Any, status: int = 200) -> TextResponse:
    return TextResponse(HERE, status=status, body=value if isinstance(value, bytes) else json.dumps(value).encode())


def note(number: int, text: str | None = "Автобус не пришёл", **fields: Any) -> dict[str, Any]:
    user = {"username": "Zulfiya", "name": "Зульфия :bus: Каримова", "host": None, "isBot": False}
    return {
        "id": f"9z{number:04d}",
        "createdAt": "2026-11-01T10:00:00.000Z",
        "text": text,
        "cw": None,
        "visibility": "public",
        "user": user,
        "renoteId": None,
        "replyId": None,
        **fields,
    }


def read(*notes: Any, step: Step = TOP) -> list[RawPost | str]:
    return timeline(answer(notes), step, target()).entries


def test_what_is_asked() -> None:
    assert asked(target(), TOP) == (
        "notes/local-timeline",
        {"limit": 100, "withRenotes": False, "withReplies": True},
    )
    tag = "й" + "т\u0438\u0306"  # the second й as two code points, as some keyboards write it
    stretch: Step = {"below": "9z9", "above": "9z1"}
    assert asked(target(tag), stretch) == (
        "notes/search-by-tag",
        {"limit": 100, "untilId": "9z9", "sinceId": "9z1", "tag": "йтй"},
    )
    # sinceId alone would bring the oldest notes first, and what is newer than those would never be read.
    assert "sinceId" not in asked(target(), {"below": None, "above": "9z1"})[1]
    assert asked(target(), {AGAIN: [["uri", "9z7"]]}) == ("notes/show", {"noteId": "9z7"})
    assert asked(target(), {"check": True})[0] == "meta"


def test_notes_in_four_languages() -> None:
    far = {"username": "Mehrdad", "name": None, "host": "Far.example", "isBot": False}
    parent = note(1, uri="https://far.example/notes/abc")
    entries = read(
        note(
            8,
            "$[x2 **Автобус**] опоздал, см. [расписание](https://bus.example/10)",
            cw="Про транспорт",
            updatedAt="2026-11-02T00:00:00.000Z",
            repliesCount=0,
            renoteCount=2,
            reactionCount=3,
            replyId="9z0001",
            reply=parent,
        ),
        note(7, "ایستگاه آسانسور ندارد", user=far, uri="https://far.example/notes/x7", url="https://far.example/@m/7"),
        note(6, "زحمة خانقة", renoteId="9z0002", renote={"id": "9z0002"}),
        note(5, "No bench here", user="odd", createdAt="soon"),
    )
    assert not any(isinstance(entry, str) for entry in entries)
    russian, persian, arabic, english = (entry for entry in entries if isinstance(entry, RawPost))
    assert (russian.title, russian.text) == ("Про транспорт", "Автобус опоздал, см. расписание")
    assert (russian.native_id, russian.ref) == (f"{HERE}/notes/9z0008", "9z0008")
    assert (russian.author, russian.author_names) == ("zulfiya@misskey.example", ("Зульфия Каримова", "Zulfiya"))
    assert russian.created_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert russian.edited_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert russian.counts == {"replies": 0, "reposts": 2, "likes": 3}
    assert russian.parent == "https://far.example/notes/abc"
    assert (persian.native_id, persian.url) == ("https://far.example/notes/x7", "https://far.example/@m/7")
    assert (persian.author, persian.counts) == ("mehrdad@far.example", None)
    assert arabic.parent == f"{HERE}/notes/9z0002", "a quote's parent is what it quotes"
    assert (english.author, english.created_at, english.flaws) == (None, None, ("date unreadable",))


def test_what_is_left_out_has_a_name() -> None:
    robot = {"username": "kazanbot", "isBot": True}
    page = timeline(
        answer(
            [
                note(9, None, renoteId="9z0001"),
                note(8, visibility="home"),
                note(7, None, isHidden=True),
                note(6, user=robot),
                note(5, None, renoteId="9z0001", cw="Смотрите"),
                {"text": "no id"},
                "odd",
            ]
        ),
        TOP,
        target(),
    )
    assert page.entries[:4] == [REBLOG, NOT_PUBLIC, NOT_PUBLIC, BOT]
    assert isinstance(page.entries[4], RawPost)
    assert page.strange == 2


def test_a_page_ends_at_what_is_known_even_if_that_note_is_gone() -> None:
    step: Step = {"below": None, "above": "9z0003"}
    page = timeline(answer([note(5), note(4), note(2), note(1)]), step, target())
    assert [entry.ref for entry in page.entries if isinstance(entry, RawPost)] == ["9z0005", "9z0004"]
    assert (page.ids[0], page.below) == ("9z0005", None)
    assert timeline(answer([note(5), note(4)]), step, target()).below == "9z0004"
    assert timeline(answer([note(4), note(5)]), step, target()).ids[0] == "9z0005", "a server that sorts the other way"
    assert timeline(answer([]), step, target()).below is None


@pytest.mark.parametrize(
    ("mfm", "text"),
    [
        ("$[tada.speed=2s Ура!] автобус", "Ура! автобус"),
        ("$[x2 $[rainbow $[fg.color=f00 ترافیک]]] امروز", "ترافیک امروز"),
        ("$[spin\nbus] late", "bus late"),
        ("**зимой** и ~~летом~~ ***всегда***", "зимой и летом всегда"),
        ("<center>لا <small>مواقف</small></center> <3 a < b <bus>", "لا مواقف <3 a < b <bus>"),
        ("?[карта](https://map.example/a_(b)) и [x]", "карта и [x]"),
        ("$[not closed and 2 ** 3 ** 4", "$[not closed and 2 ** 3 ** 4"),
        ("#Казань @marat :bus: snake_case 2*3*4", "#Казань @marat :bus: snake_case 2*3*4"),
    ],
)
def test_markup_is_taken_off_and_words_stay(mfm: str, text: str) -> None:
    assert plain(mfm) == text


@given(st.text(alphabet="$[]x2 .=*~<b/>()aж\n", max_size=80))
def test_taking_markup_off_loses_no_letter_but_names_of_markup(text: str) -> None:
    assert plain(text).count("ж") == text.count("ж")


def test_much_markup_is_read_in_time() -> None:
    hostile = ["$[x " * 20_000, " **a" * 20_000, "[" * 50_000, "$[x " + "[]" * 30_000, "$[x2 " * 200 + "]" * 200]
    for text in hostile:
        plain(text)


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        (error("LTL_DISABLED").body, 400, "closed: this server shows the timeline to its members only (LTL_DISABLED)"),
        (error("CREDENTIAL_REQUIRED").body, 401, "closed: this server shows the timeline to its members only (CRED"),
        (
            error("SOMETHING_NEW").body,
            403,
            "closed: this server shows the timeline to its members only (SOMETHING_NEW)",
        ),
        (b"<html>", 403, "closed: this server shows the timeline to its members only (HTTP 403)"),
        (error("INVALID_PARAM").body, 400, "the server refuses what it is asked (INVALID_PARAM)"),
        (error("UNKNOWN_API_ENDPOINT").body, 404, "no Misskey timeline here (HTTP 404)"),
        (error("INTERNAL_ERROR").body, 500, "HTTP 500"),
        (b"", 302, "redirects elsewhere (HTTP 302)"),
        (b'{"error": "x"}', 200, "the answer is not a timeline"),
        (b"<!DOCTYPE html>", 200, "answered a web page instead of JSON"),
        (json.dumps({"error": {"code": "Zulfiya wrote"}}).encode(), 400, "HTTP 400"),
    ],
)
def test_what_is_closed_or_of_another_shape_is_parked(value: bytes | str, status: int, reason: str) -> None:
    with pytest.raises(Parked) as parked:
        timeline(answer(value.encode() if isinstance(value, str) else value, status), TOP, target())
    assert parked.value.reason.startswith(reason)
    assert parked.value.mend


def test_a_second_look() -> None:
    step: Step = {AGAIN: [["uri", "9z0007"]]}

    def look(value: Any, status: int = 200) -> tuple[list[str], list[str]]:
        found = looked_again(answer(value.encode() if isinstance(value, str) else value, status), step, target())
        return [post.text for post in found.posts], found.gone

    assert look(note(7, "Теперь ходит")) == (["Теперь ходит"], [])
    assert look(error("NO_SUCH_NOTE").body, 400) == ([], ["uri"])
    assert look(error("CONTENT_RESTRICTED_BY_USER").body, 400) == ([], ["uri"])
    assert look(note(7, None, isHidden=True)) == look(note(7, visibility="followers")) == ([], ["uri"])
    # What the server shows to members only may well be there.
    for code in ("SIGNIN_REQUIRED", "CONTENT_RESTRICTED_BY_SERVER", "INVALID_PARAM"):
        assert look(error(code).body, 400) == ([], [])
    assert look(b"<html>", 404) == look(error("X").body, 500) == ([], [])
    for status in (429, 503):
        with pytest.raises(Parked):
            look(b"", status)


def test_an_empty_timeline_is_closed_where_the_server_says_so() -> None:
    refuse_if_closed(answer({"policies": {"ltlAvailable": True}}), target())
    refuse_if_closed(answer({"policies": {"ltlAvailable": False}}), target("kazan"))
    for odd in (b"<html>", b"[]", b'{"policies": 5}'):
        refuse_if_closed(answer(odd, 404), target())
    for meta in ({"policies": {"ltlAvailable": False}}, {"ugcVisibilityForVisitor": "none"}):
        with pytest.raises(Parked, match=r"^closed"):
            refuse_if_closed(answer(meta), target())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("text", "cw", "user", "visibility", "replyId", "reply", "renoteId", "uri", "createdAt", "repliesCount")
odd_notes = st.builds(
    lambda number, fields: {"id": number, **fields},
    json_values | st.text(max_size=4),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=10),
)


@given(st.lists(odd_notes | json_values, max_size=4) | json_values, odd_notes, st.sampled_from([200, 400, 403]))
def test_no_answer_breaks_the_reader(value: Any, one: Any, status: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: timeline(answer(value, status), {"below": "9z9", "above": "9z1"}, target()),
        lambda: looked_again(answer(one, status), {AGAIN: [["uri", "9z1"]]}, target()),
        lambda: refuse_if_closed(answer(value, status), target()),
    ]
    for call in calls:
        try:
            found = call()
        except Parked:
            continue
        if isinstance(found, Found):
            assert all(isinstance(native_id, str) for native_id in found.gone)


def test_stretches_that_were_left_unread_come_later_and_the_newest_may_be_deleted(site: Any, folder: Any) -> None:
    double = SourceDouble(site, 40)
    study = folder.write(double.target() + '\nkind = "microblog"', limits="max_pages_per_target = 2")
    assert crawl(study)[0].new == 16
    double.delete(40)
    for number in range(41, 51):
        double.write(number)
    result = crawl(study)[0]
    assert (result.new, result.outcome) == (10, "page limit reached; the next crawl goes on from here")
    study = folder.write(double.target() + '\nkind = "microblog"')
    result = crawl(study)[0]
    assert (result.new, result.unchanged, result.outcome, result.parked) == (24, 0, "finished", None)
    stored = {post["opened"]["id"] for post in folder.posts()}
    assert stored == {double.native_id(number) for number in range(1, 51)}
    site.asked.clear()
    result = crawl(study)[0]
    assert (result.new, result.unchanged, result.alerts) == (0, 0, ())
    assert site.paths() == ["/api/notes/local-timeline"]
