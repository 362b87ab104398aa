from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.feeds import BROKEN, WRONG_CHARSET, NotAFeedError, read_feed

URL = "https://news.example.org/feed"
RSS = """<?xml version="1.0" encoding="{charset}"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"
 xmlns:atom="http://www.w3.org/2005/Atom" xmlns:georss="http://www.georss.org/georss">
<channel><title>News</title><language>ru-RU</language><atom:link rel="next" href="/feed?page=2"/>{items}</channel></rss>"""
ITEM = """<item><title>Автобусы &amp;amp; трамваи</title><link>https://news.example.org/1</link><guid isPermaLink="false">41</guid>
<dc:creator>Анна Петрова</dc:creator><pubDate>Sun, 22 Aug 2021 13:45:00 +0300</pubDate><slash:comments>0</slash:comments>
<description>Короткий анонс</description><content:encoded><![CDATA[<p>Автобус <b>не ходит</b>.</p><script>x()</script>]]></content:encoded>
<georss:point>55.79 49.12</georss:point></item>"""


def rss(items: str = ITEM, charset: str = "utf-8") -> bytes:
    return RSS.format(items=items, charset=charset).encode(charset)


def test_rss_whole() -> None:
    feed = read_feed(rss(), URL, "application/rss+xml")
    post = feed.posts[0]
    assert post.native_id == f"{URL} 41"
    assert (post.title, post.text) == ("Автобусы & трамваи", "Автобус не ходит.")
    assert post.author is not None
    assert "Анна Петрова" in post.author
    assert post.author_names == ("Анна Петрова",)
    assert str(post.created_at) == "2021-08-22 10:45:00+00:00"
    assert post.edited_at is None
    assert post.declared_lang == "ru-RU"
    assert post.counts == {"replies": 0}
    assert (post.latitude, post.longitude) == (55.79, 49.12)
    assert feed.next_url == "https://news.example.org/feed?page=2"
    assert not feed.broken


def test_atom_inherits_the_author_and_tells_edits() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fa"><author><name>Sara</name></author>
    <entry><id>tag:x,2026:1</id><title type="html">a &lt;b&gt;b&lt;/b&gt;</title><published>2026-01-01T10:00:00+03:30</published>
    <updated>2026-01-02T00:00:00Z</updated><content type="text">1 &lt; 2</content></entry></feed>"""
    post = read_feed(body, URL).posts[0]
    assert (post.native_id, post.title, post.text) == ("tag:x,2026:1", "a b", "1 < 2")
    assert str(post.created_at) == "2026-01-01 06:30:00+00:00"
    assert str(post.edited_at) == "2026-01-02 00:00:00+00:00"
    assert post.author == "Sara news.example.org"
    assert post.declared_lang == "fa"


def test_json_feed() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "language": "ar",
        "next_url": "https://news.example.org/feed?page=2",
        "items": [
            {"id": 7, "content_html": "<p>زحمة</p>", "date_published": "2026-01-01T10:00:00+03:00", "authors": [{"name": "Ali B"}]},
            {"id": "8", "content_text": "a < b", "date_published": "never"},
            {"content_text": "nobody knows me"},
            "not an item",
        ],
    }  # fmt: skip
    feed = read_feed(b"\xef\xbb\xbf" + json.dumps(document).encode(), URL)
    assert [(p.native_id, p.text) for p in feed.posts] == [(f"{URL} 7", "زحمة"), (f"{URL} 8", "a < b")]
    assert feed.posts[0].author == "Ali B news.example.org"
    assert str(feed.posts[0].created_at) == "2026-01-01 07:00:00+00:00"
    assert feed.posts[1].flaws == ("date unreadable",)
    assert feed.dropped == {"no id": 2}
    assert feed.next_url == "https://news.example.org/feed?page=2"


def test_a_comment_is_what_the_commenter_said_and_nothing_else() -> None:
    items = """<item><title>Comment on Traffic by Karim</title><guid>https://a.org/x/#comment-3</guid><dc:creator>Karim</dc:creator>
    <content:encoded><![CDATA[<p>In reply to <a href="https://a.org/x/#comment-2">Layla</a>.</p><p>Me too</p>]]></content:encoded></item>"""
    post = read_feed(rss(items), URL).posts[0]
    assert (post.title, post.text) == ("", "Me too")
    assert post.thread == "https://a.org/x/"
    assert post.parent == "https://a.org/x/#comment-2"


def test_broken_xml_gives_what_can_be_read_and_says_so() -> None:
    feed = read_feed(rss(ITEM + ITEM)[:-200], URL)
    assert feed.posts
    assert feed.broken
    assert feed.dropped[BROKEN] == 1


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-16"])
def test_a_declared_charset_is_honoured(charset: str) -> None:
    assert read_feed(rss(charset=charset), URL).posts[0].text == "Автобус не ходит."


def test_a_charset_declared_wrongly_is_counted_not_stored_as_rubbish() -> None:
    body = rss(charset="windows-1251").replace(b'encoding="windows-1251"', b'encoding="utf-8"')
    feed = read_feed(body, URL)
    assert feed.posts == []
    assert feed.dropped == {WRONG_CHARSET: 1}
    assert feed.broken


def test_one_letter_cut_in_half_spoils_nothing_else() -> None:
    body = rss().replace("Короткий анонс".encode(), "Короткий анонс".encode()[:-1])
    assert read_feed(body, URL).posts[0].text == "Автобус не ходит."


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "an empty answer"),
        (b"  \n", "an empty answer"),
        (b"<!DOCTYPE html><html><body>Error</body></html>", "a web page"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", "a web page"),
        (b"{}", "JSON that is no feed"),
        (b'{"items": [', "JSON that broke off"),
        (b'{"a":' * 100_000, "JSON that broke off"),
        (b"plain words", "something that is no feed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, what: str) -> None:
    with pytest.raises(NotAFeedError, match=what):
        read_feed(body, URL)


def test_paging_stays_on_the_same_host() -> None:
    body = rss().replace(b'href="/feed?page=2"', b'href="https://elsewhere.example/feed"')
    assert read_feed(body, URL).next_url is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_feed_or_named(body: bytes) -> None:
    for start in (b"", rss()[:700]):
        with suppress(NotAFeedError):
            assert read_feed(start + body, URL).dropped.total() >= 0
