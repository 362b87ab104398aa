from __future__ import annotations

import json
import socket
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from importlib import resources
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest

from citystudy.codeframe import KINDS, THEMES
from citystudy.demo.server import FEED_PAGE, TIMELINE_MOST, TIMELINE_PAGE, DemoPost, demo_posts, serving
from citystudy.errors import CityStudyError

CITIES = {"leeds": "en", "amman": "ar", "shiraz": "fa", "kazan": "ru"}
NEXT = "{http://www.w3.org/2005/Atom}link"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = Request(
        quote(url, safe=":/?&=%"), headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urlopen(request, timeout=10) as response:
            return response.status, dict(response.headers), response.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def timeline(address: str, tag: str, **query: object) -> tuple[list[dict[str, Any]], str | None]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    status, headers, body = get(f"{address}/api/v1/timelines/tag/{tag}?{asked}")
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-RateLimit-Remaining"].isdigit()
    link = headers.get("Link")
    return json.loads(body), link[link.index("<") + 1 : link.index(">")] if link else None


def tagged(tag: str) -> list[DemoPost]:
    return [
        p for p in demo_posts() if p.channel == "mastodon" and f"#{tag}" in p.text.casefold().replace("#", " #").split()
    ]


class TestPosts:
    def test_each_city_has_its_posts_in_its_main_language(self) -> None:
        posts = demo_posts()
        assert len(posts) >= 600
        assert {post.city for post in posts} == set(CITIES)
        for city, lang in CITIES.items():
            languages = Counter(post.lang for post in posts if post.city == city)
            assert languages.most_common(1)[0][0] == lang

    def test_they_come_oldest_first_with_ids_that_grow(self) -> None:
        posts = demo_posts()
        assert [post.date for post in posts] == sorted(post.date for post in posts)
        ids = [post.id for post in posts]
        assert ids == sorted(set(ids))
        assert all(post.date.tzinfo is not None and post.date < datetime(2027, 1, 1, tzinfo=UTC) for post in posts)

    def test_their_codes_are_of_the_codeframe_and_most_have_none(self) -> None:
        posts = demo_posts()
        assert {code for post in posts for code in post.codes} <= {(kind, theme) for kind in KINDS for theme in THEMES}
        assert sum(not post.codes for post in posts) >= 0.4 * len(posts)

    def test_the_spans_of_their_codes_stand_in_their_texts(self) -> None:
        for file in resources.files("citystudy.demo.posts").iterdir():
            if not file.name.endswith(".jsonl"):
                continue
            for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
                for code in row["codes"]:
                    assert code["span"] in f"{row.get('title') or ''}\n{row['text']}", row["id"]

    def test_every_post_is_on_a_page_that_the_study_reads(self) -> None:
        template = resources.files("citystudy.demo").joinpath("study.toml").read_text(encoding="utf-8")
        targets = [target for city in tomllib.loads(template)["cities"] for target in city["targets"]]
        tags = {target["tag"] for target in targets if target["source"] == "mastodon"}
        for post in demo_posts():
            if post.channel == "mastodon":
                assert any(f"#{tag}" in post.text.casefold() for tag in tags), post
            else:
                assert post.channel == "forum"


class TestTimeline:
    def test_paging_shows_every_post_once_newest_first(self, address: str) -> None:
        shown: list[str] = []
        page, following = timeline(address, "казань")
        while True:
            assert len(page) <= TIMELINE_PAGE
            shown += [status["id"] for status in page]
            if following is None:
                break
            status, headers, body = get(following)
            assert status == 200
            page = json.loads(body)
            link = headers.get("Link")
            following = link[link.index("<") + 1 : link.index(">")] if link else None
        expected = [str(post.id) for post in reversed(tagged("казань"))]
        assert len(expected) > TIMELINE_PAGE
        assert shown == expected

    def test_since_id_and_max_id_bound_the_page(self, address: str) -> None:
        ids = [int(status["id"]) for status in timeline(address, "leeds", limit=10)[0]]
        assert [int(status["id"]) for status in timeline(address, "leeds", since_id=ids[3])[0]] == ids[:3]
        assert int(timeline(address, "leeds", max_id=ids[3])[0][0]["id"]) == ids[4]
        assert timeline(address, "leeds", since_id=ids[0]) == ([], None)

    @pytest.mark.parametrize(
        ("limit", "shown"), [("5", 5), ("1000", TIMELINE_MOST), ("0", 1), ("-3", 20), ("x", 20), ("9" * 99, 20)]
    )
    def test_any_limit_is_answered(self, address: str, limit: str, shown: int) -> None:
        assert len(timeline(address, "leeds", limit=limit)[0]) == shown

    def test_tags_are_told_without_case_and_in_any_script(self, address: str) -> None:
        assert timeline(address, "LEEDS", limit=3)[0] == timeline(address, "leeds", limit=3)[0]
        assert timeline(address, "عمان")[0]
        assert timeline(address, "nosuchtag") == ([], None)

    def test_a_status_has_the_shape_of_the_api(self, address: str) -> None:
        [status] = timeline(address, "leeds", limit=1)[0]
        post = next(post for post in demo_posts() if str(post.id) == status["id"])
        assert unescape(status["content"].removeprefix("<p>").removesuffix("</p>").replace("<br />", "\n")) == post.text
        assert datetime.fromisoformat(status["created_at"]) == post.date
        assert status["url"] == f"{address}/@{post.author}/{post.id}"
        assert status["account"]["acct"] == post.author
        assert {tag["name"] for tag in status["tags"]} >= {"leeds"}
        assert status["visibility"] == "public"


class TestFeed:
    def items(self, body: bytes) -> list[ET.Element]:
        return ET.fromstring(body).findall("channel/item")

    @pytest.mark.parametrize("city", CITIES)
    def test_paging_shows_every_post_of_the_forum_once(self, address: str, city: str) -> None:
        url: str | None = f"{address}/{city}/feed.xml"
        shown: list[str] = []
        while url:
            status, headers, body = get(url)
            assert status == 200
            assert headers["Content-Type"].startswith("application/rss+xml")
            items = self.items(body)
            assert 0 < len(items) <= FEED_PAGE
            shown += [str(item.findtext("guid")) for item in items]
            link = ET.fromstring(body).find(f"channel/{NEXT}")
            url = link.get("href") if link is not None else None
        posts = [post for post in demo_posts() if post.city == city and post.channel == "forum"]
        assert shown == [f"{city}-forum-{post.id}" for post in reversed(posts)]

    def test_an_item_says_what_the_post_says(self, address: str) -> None:
        item = self.items(get(f"{address}/leeds/feed.xml")[2])[0]
        post = [post for post in demo_posts() if post.city == "leeds" and post.channel == "forum"][-1]
        assert item.findtext("title") == post.title
        assert item.findtext(CREATOR) == post.author
        assert parsedate_to_datetime(str(item.findtext("pubDate"))) == post.date
        assert unescape(str(item.findtext("description")).replace("<br/>", "\n")) == post.text

    def test_what_has_not_changed_is_not_sent_again(self, address: str) -> None:
        url = f"{address}/amman/feed.xml"
        etag = get(url)[1]["ETag"]
        status, headers, body = get(url, If_None_Match=etag)
        assert (status, body, headers["ETag"]) == (304, b"", etag)
        assert get(url, If_None_Match='"other"')[0] == 200
        assert get(f"{url}?page=2")[1]["ETag"] != etag

    @pytest.mark.parametrize("page", ["0", "-1", "x", "1"])
    def test_a_page_that_is_no_number_is_the_first(self, address: str, page: str) -> None:
        assert get(f"{address}/amman/feed.xml?page={page}")[2] == get(f"{address}/amman/feed.xml")[2]

    def test_after_the_last_page_there_is_nothing(self, address: str) -> None:
        status, _, body = get(f"{address}/amman/feed.xml?page=999")
        assert (status, self.items(body)) == (200, [])


class TestSite:
    def test_robots_closes_a_part_of_it(self, address: str) -> None:
        status, headers, body = get(f"{address}/robots.txt")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain")
        assert b"Disallow: /private/" in body

    @pytest.mark.parametrize("path", ["/", "/atlantis/feed.xml", "/api/v1/timelines/public", "/../etc/passwd"])
    def test_all_else_is_not_found(self, address: str, path: str) -> None:
        assert get(address + path)[0] == 404

    def test_it_is_this_machines_alone_and_gone_afterwards(self) -> None:
        with serving() as address:
            assert address.startswith("http://127.0.0.1:")
            port = int(address.rpartition(":")[2])
            assert get(f"{address}/robots.txt")[0] == 200
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0

    def test_a_port_in_use_is_told(self, address: str) -> None:
        port = int(address.rpartition(":")[2])
        with (
            pytest.raises(
                CityStudyError, match=rf"port {port} on this machine can't be had \(Address already in use\)"
            ),
            serving(port),
        ):
            pass
