from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import forum_shapes as shapes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import HtmlResponse

from citystudy.targets import Selectors
from crawlers.forum_pages.addresses import page_position, same_series, topic_key, without_page
from crawlers.forum_pages.document import Document, document_of
from crawlers.forum_pages.listing import feed_of, read_listing
from crawlers.forum_pages.paging import paging
from crawlers.forum_pages.second_look import missing
from crawlers.forum_pages.topic import DATE_ROUNDED, TopicPage, read_topic
from crawlers.items import RawPost
from crawlers.parking import Parked

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SERVERS = Path(os.environ.get("CITYSTUDY_SHARED", "../shared")) / "servers/samples"


def page(markup: str | bytes, url: str, zone: str = "UTC") -> Document:
    body = markup.encode() if isinstance(markup, str) else markup
    return document_of(HtmlResponse(url, body=body, encoding="utf-8"), NOW, ZoneInfo(zone))


def topic(markup: str | bytes, url: str, zone: str = "UTC", **selectors: str) -> TopicPage:
    return read_topic(page(markup, url, zone), Selectors(**selectors))


def told(post: RawPost) -> tuple[str, str, str | None, str | None]:
    moment = post.created_at.strftime("%Y-%m-%dT%H:%M") if post.created_at else None
    return post.native_id.partition("#")[2], post.text, post.author, moment


def test_phpbb_in_russian() -> None:
    found = topic(shapes.PHPBB_TOPIC, "http://f.example/viewtopic.php?f=3&t=77&start=20", "Europe/Moscow")
    member = "f.example/memberlist.php?u=5"
    assert [told(post) for post in found.posts] == [
        ("201", "Ходит раз в час, ждали с коляской\nпод дождём", member, "2026-11-20T06:15"),
        ("202", "Нужен автобус побольше", None, "2026-11-20T06:40"),
    ]
    assert {post.thread for post in found.posts} == {"f.example/viewtopic.php?f=3&t=77"}
    assert [post.title for post in found.posts] == ["", ""], "this is the topic's second page"
    assert [post.author_names for post in found.posts] == [("Зульфия Каримова",), ("Гость",)]
    assert all("sid=" not in (post.url or "") + (post.ref or "") for post in found.posts)


def test_vbulletin_in_arabic() -> None:
    found = topic(shapes.VBULLETIN_TOPIC, "http://f.example/showthread.php?88-x", "Asia/Riyadh")
    assert [told(post)[1:] for post in found.posts] == [
        ("الزحمة على الجسر لا تطاق منذ الصباح", "f.example/member.php?9-%D9%84%D9%8A%D9%84%D9%89", "2026-11-22T12:15"),
        ("نحتاج جسرا ثانيا", "f.example/member.php?11", "2026-11-23T06:05"),
    ]
    assert [post.title for post in found.posts] == ["زحمة الجسر", ""]


def test_xenforo_in_persian() -> None:
    found = topic(shapes.XENFORO_TOPIC, "http://f.example/threads/metro.55/", "Asia/Tehran")
    assert [told(post) for post in found.posts] == [
        ("401", "آسانسور ایستگاه خراب است و نمی‌شود با چرخ رفت", "f.example/members/mehrdad.31/", "2026-11-22T05:30"),
        ("402", "پله برقی هم ندارد", "f.example/members/bahram.32/", "2026-11-27T18:00"),
    ]


def test_smf_in_english() -> None:
    found = topic(shapes.SMF_TOPIC, "http://f.example/index.php?topic=12.0")
    assert [told(post) for post in found.posts] == [
        ("501", "No bench & no shade at the stop", "f.example/index.php?action=profile&u=4", "2026-11-21T17:12"),
        ("502", "Same on my street", "f.example Passer-by", "2026-11-28T08:01"),
    ]


def test_posts_that_only_links_number() -> None:
    found = topic(shapes.BARE_TOPIC, "http://f.example/talk/7")
    assert [told(post) for post in found.posts] == [
        ("61", "No place to park on Saturdays at all", "f.example Grace", "2026-11-28T06:00"),
        ("62", "Take the tram then", "f.example Tom", "2026-11-27T12:00"),
    ]
    assert [post.flaws for post in found.posts] == [(), (DATE_ROUNDED,)]


def test_schema_org_microdata_and_json_ld() -> None:
    micro = topic(shapes.MICRODATA_TOPIC, "http://f.example/t/tram/5")
    assert [told(post) for post in micro.posts] == [
        ("1", "The tram is always full", "f.example/u/grace", "2026-11-20T08:00"),
        ("2", "More trams, please", "f.example/u/tom", "2026-11-21T08:00"),
    ]
    linked = topic(shapes.JSON_LD_TOPIC, "https://f.example/d/9")
    assert [told(post) for post in linked.posts] == [
        ("91", "The swing is broken", "f.example/u/grace", "2026-11-20T08:00"),
        ("92", "Since May", "f.example Tom", "2026-11-21T08:00"),
    ]


def test_a_post_that_nothing_names_is_named_by_who_wrote_it_when() -> None:
    post = '<div class="c"><b class="author">{}</b> <i>20 Nov 2026, 10:0{}</i><p>No shade anywhere here</p></div>'
    markup = f"<html><body><section>{post.format('Grace', 1)}{post.format('Tom', 2)}</section></body></html>"
    found = topic(markup, "http://f.example/talk/7")
    assert [told(p)[0] for p in found.posts] == [
        "f.example Grace 2026-11-20T10:01:00+00:00",
        "f.example Tom 2026-11-20T10:02:00+00:00",
    ]
    bare = topic(markup.replace("20 Nov 2026, 10:0", "yesterday "), "http://f.example/talk/7")
    assert (bare.posts, bare.dropped) == ([], {"no id": 2})


def test_removed_posts_are_gone_and_one_post_is_a_page() -> None:
    note = (
        '<div class="note post" id="c2" data-pk="72"><div class="badge"><i></i></div><div class="info"><span><a href="/user/2/tom/">tom</a>\'s comment was '
        'removed <span title="Nov. 21, 2026, 3 p.m.">a week ago</span></span></div></div>'
    )
    post = (
        '<div class="post" id="c1" data-pk="71"><a href="/user/1/grace/">grace</a><time datetime="2026-11-20T08:00:00Z">'
        "</time><div class='text'>The only one</div></div>"
    )
    alone = topic(f"<html><body><div>{post}</div></body></html>", "http://f.example/topic/7/x/")
    assert [p.native_id for p in alone.posts] == ["f.example/topic/7#71"]
    both = topic(f"<html><body><div>{post}{note}</div></body></html>", "http://f.example/topic/7/x/")
    assert [p.native_id for p in both.posts] == ["f.example/topic/7#71"]
    assert both.gone == ["f.example/topic/7#72"]


def test_selectors_override_what_is_found() -> None:
    markup = (
        '<html><body><div class="x"><i>Grace</i><u>2026/11/20 10:00</u><s>One</s><p>A long text of somebody else</p></div>'
        '<div class="x"><i>Tom</i><u>never</u><s>Two</s></div></body></html>'
    )
    found = topic(markup, "http://f.example/t/1", post="div.x", author="i", date="u", text="s")
    assert [(p.text, p.author_names, p.flaws) for p in found.posts] == [("One", ("Grace",), ())]
    assert found.dropped == {"no id": 1}
    with pytest.raises(Parked, match=r"selectors\.post"):
        topic(markup, "http://f.example/t/1", post="div[")


def test_a_section_in_the_shape_of_phpbb() -> None:
    def read(**numbers: int) -> Document:
        return page(shapes.PHPBB_SECTION.format(**numbers), "http://f.example/viewforum.php?f=3")

    before = read_listing(read(replies=3, views=10, last=202), None)
    assert [found.url for found in before] == [
        "http://f.example/viewtopic.php?f=3&t=1",
        "http://f.example/viewtopic.php?f=3&t=77",
    ]
    assert [found.active.date().isoformat() for found in before if found.active] == ["2021-05-05", "2026-11-20"]
    assert read_listing(read(replies=3, views=11, last=202), None) == before, "being looked at is nothing new"
    assert read_listing(read(replies=4, views=11, last=203), None)[0] == before[0]
    assert read_listing(read(replies=4, views=11, last=203), None)[1].trace != before[1].trace
    assert read_listing(read(replies=3, views=10, last=202), "a.topictitle") == before
    assert paging(read(replies=3, views=10, last=202)).next == "http://f.example/viewforum.php?f=3&start=25"
    assert feed_of(read(replies=3, views=10, last=202)) == "http://f.example/feed/forum/3"


def test_an_age_is_no_trace_and_a_menu_no_list() -> None:
    row = '<div class="row"><h3><a href="/topic/{n}/x">The tram line {n}</a></h3><span class="age">{age}</span></div>'
    menu = "".join(f'<li><a href="/category/{n}/a-part-of-town">A part of the town {n}</a></li>' for n in range(9))

    def read(age: str) -> Document:
        rows = "".join(row.format(n=n, age=age) for n in (1, 2))
        return page(f"<html><body><ul>{menu}</ul><div>{rows}</div></body></html>", "http://f.example/category/1/")

    assert [found.trace for found in read_listing(read("5m"), None)] == [None, None]
    assert read_listing(page(f"<html><body><ul>{menu}</ul></body></html>", "http://f.example/"), None) == []


PAGES = {
    "http://f.example/topic/12/?page=3": ("f.example/topic/12", 3),
    "http://f.example/topic/12/old-title/": ("f.example/topic/12", 0),
    "http://f.example/topic/12/%D8%B2%D8%AD%D9%85%D8%A9/?page=1": ("f.example/topic/12", 0),
    "http://f.example/threads/title.55/page-14": ("f.example/threads/55", 14),
    "http://f.example/threads/other.55/latest": ("f.example/threads/55", 0),
    "http://f.example/viewtopic.php?f=3&t=77&sid=ab&start=40": ("f.example/viewtopic.php?f=3&t=77", 40),
    "http://f.example/index.php?topic=12.30": ("f.example/index.php?topic=12.0", 30),
    "http://f.example/index.php?topic=12.msg9#msg9": ("f.example/index.php?topic=12.0", 0),
    "http://f.example/showthread.php?88-title/page2": ("f.example/showthread.php?88", 2),
    "http://f.example/forum/topic-7/?PAGEN_1=4": ("f.example/forum/topic-7", 4),
    "http://f.example/2026/11/20/title-10": ("f.example/2026/11/20/title-10", 0),
    "http://f.example/top-10": ("f.example/top-10", 0),
}


@pytest.mark.parametrize("url", PAGES)
def test_addresses(url: str) -> None:
    assert (topic_key(url), page_position(url)) == PAGES[url]
    assert same_series(url, without_page(url))
    assert page_position(without_page(url)) == 0


def test_pages_by_words_and_by_selector() -> None:
    worded = '<html><body><a href="/city/list/b2">Следующая →</a><a href="/x">next</a></body></html>'
    assert paging(page(worded, "http://f.example/city/list")).next == "http://f.example/city/list/b2"
    chosen = '<html><body><a class="more" href="/any">…</a></body></html>'
    assert paging(page(chosen, "http://f.example/city"), "a.more").next == "http://f.example/any"
    middle = '<html><body><a href="?page=2">‹</a><a href="?page=4">›</a></body></html>'
    way = paging(page(middle, "http://f.example/topic/1/?page=3"))
    assert (way.previous, way.next, way.last) == (
        "http://f.example/topic/1/?page=2",
        "http://f.example/topic/1/?page=4",
        "http://f.example/topic/1/?page=4",
    )


def test_where_a_post_that_is_not_shown_can_be() -> None:
    middle = paging(
        page(
            '<html><body><a href="?page=1">1</a><a href="?page=3">3</a></body></html>',
            "http://f.example/topic/1/?page=2",
        )
    )
    shown = ["f.example/topic/1#20", "f.example/topic/1#30"]
    asked = [f"f.example/topic/1#{number}" for number in (5, 20, 25, 40)]
    found = missing(asked, shown, middle, None)
    assert (found.before, found.gone, found.after) == ([asked[0]], [asked[2]], [asked[3]])
    turned = missing(asked[:1], shown, middle, middle.previous)
    assert (turned.before, turned.gone) == ([], asked[:1]), "it was looked for there before"
    nameless = missing(["f.example/topic/1#grace"], shown, middle, None)
    assert (nameless.gone, nameless.before, nameless.after) == ([], [], [])


def test_a_page_that_breaks_off_or_is_none() -> None:
    assert page("<html><body><p>All</p></body></html>", "http://f.example/").whole
    assert not page("<html><body><p>Ha", "http://f.example/").whole
    for body in (b"", b"\0\0", "Автобус".encode("cp1251") * 9):
        with pytest.raises(Parked):
            page(body, "http://f.example/")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/=\"' divtimeaclsshrefpot1290#&;?n:."), max_size=200))
def test_no_page_crashes_a_reader(junk: str) -> None:
    for markup in (junk, shapes.PHPBB_TOPIC.replace("viewtopic", junk), f"<html><body><div id='p1'>{junk}</div>"):
        try:
            document = page(markup, "http://f.example/topic/1/")
        except Parked:
            continue
        read_topic(document, Selectors())
        read_listing(document, None)
        paging(document)
        feed_of(document)


@pytest.mark.shared
def test_recorded_pages_of_real_servers() -> None:
    if not SERVERS.exists():
        pytest.skip(f"{SERVERS} is not here; CITYSTUDY_SHARED names the shared folder")
    spirit = topic((SERVERS / "spirit/topic.html").read_bytes(), "http://127.0.0.1:8003/topic/1/x/")
    assert [told(post)[0] for post in spirit.posts] == ["1", "2", "3"]
    assert [told(post)[3] for post in spirit.posts] == ["2026-11-22T02:25"] * 3
    assert [bool(post.title) for post in spirit.posts] == [True, False, False]
    section = read_listing(page((SERVERS / "spirit/index.html").read_bytes(), "http://127.0.0.1:8003/"), None)
    assert [(found.key, found.trace) for found in section] == [
        ("127.0.0.1:8003/topic/1", "2026-11-22T02:25:00+00:00 3")
    ]
    nodebb = topic((SERVERS / "nodebb/topic.html").read_bytes(), "http://127.0.0.1:4567/topic/2/x")
    assert [told(post)[0] for post in nodebb.posts] == ["2", "3", "4", "5"]
    assert len({post.created_at for post in nodebb.posts} - {None}) == 4
    assert all(post.text and post.author and post.author.count("/user/") == 1 for post in nodebb.posts)
