from __future__ import annotations

import gzip
from typing import Any

from crawlers.crawl import crawl

ITEM = "<item><title>Post {n}</title><guid>https://x.example/{n}</guid><author>{author}</author><pubDate>{date}</pubDate><description>{text}</description></item>"


def item(
    n: int, text: str = "No bus here", author: str = "Ramilya Safina", date: str = "Sun, 22 Aug 2021 13:45:00 +0300"
) -> str:
    return ITEM.format(n=n, text=text, author=author, date=date)


def rss(*items: str, older: str = "") -> str:
    link = f'<atom:link rel="next" href="{older}"/>' if older else ""
    return f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>t</title>{link}{"".join(items)}</channel></rss>'


def long_feed(page: int, *, pages: int) -> str:
    return rss(item(500 + page), older=f"/long?page={page + 1}" if page < pages else "")


def target(url: str) -> str:
    return f'source = "feed"\nkind = "news"\nurl = "{url}"'


def by_path(results: list[Any]) -> dict[str, Any]:
    return {result.target.rsplit("/", 1)[1]: result for result in results}


def test_feeds_and_their_faults_over_two_crawls(site: Any, new_site: Any, folder: Any) -> None:
    xml = {"Content-Type": "application/rss+xml; charset=utf-8"}
    site.answers = {
        "/changed": lambda asked: (
            site.Reply(status=304)
            if asked.headers.get("if-none-match") == '"two"'
            else site.Reply(rss(item(1), item(2)), headers=xml | {"ETag": '"one"', "Last-Modified": "Sun, 22 Aug 2021 10:45:00 GMT"})
        ),
        "/same": lambda asked: (
            site.Reply(status=304)
            if asked.headers.get("if-none-match") == '"e"' and asked.headers.get("if-modified-since") == "yesterday"
            else site.Reply(rss(item(3)), headers=xml | {"ETag": '"e"', "Last-Modified": "yesterday"})
        ),
        "/odd": site.Reply(
            rss(item(4, text=""), item(5, date="Thu, 01 Jan 1970 00:00:00 GMT"), item(6, date="soon"), "<item><title>x</title></item>"),
            headers=xml,
        ),
        "/html": site.Reply("<!DOCTYPE html><html>Down for repairs</html>", headers={"Content-Type": "text/html"}),
        "/cut": site.Reply(gzip.compress(rss(*(item(n) for n in range(100, 400))).encode())[:-900], headers=xml | {"Content-Encoding": "gzip"}),
        "/off": site.Reply(rss(item(7)), headers=xml, hang_up=True),
        "/circle": site.Reply(status=302, headers={"Location": "/circle"}),
        "/moved": site.Reply(status=301, headers={"Location": "/same"}),
        "/gone": site.Reply(status=410),
        "/shut": site.Reply(status=403),
        "/big": site.Reply(b" " * 2_000_000, headers=xml),
        "/bomb": site.Reply(gzip.compress(b" " * 50_000_000), headers=xml | {"Content-Encoding": "gzip"}),
        "/nothing": site.Reply(b""),
    }  # fmt: skip
    pages = {
        "1": rss(item(21), item(22), older="/paged?page=2"),
        "2": rss(item(23), older="/paged?page=3"),
        "3": rss(item(24)),
    }
    site.answers["/paged"] = lambda asked: site.Reply(pages[asked.query.get("page", "1")], headers=xml)
    site.answers["/round"] = site.Reply(rss(item(31), older="/round?again"), headers=xml)
    site.answers["/long"] = lambda asked: site.Reply(long_feed(int(asked.query.get("page", "1")), pages=5), headers=xml)
    names = [*site.answers]
    folder.write(*(target(site.url + name) for name in names), limits="max_response_mb = 1\nmax_pages_per_target = 3")

    first = by_path(crawl(folder.study_path))

    assert {name: result.parked for name, result in first.items() if result.parked} == {
        "html": "answered a web page instead of a feed",
        "off": "the answer broke off",
        "circle": "redirects without end, or an answer too large once unpacked",
        "gone": "no feed here (HTTP 410)",
        "shut": "closed (HTTP 403)",
        "big": "the answer is larger than limits.max_response_mb",
        "bomb": "redirects without end, or an answer too large once unpacked",
        "nothing": "answered an empty answer instead of a feed",
    }
    assert (first["changed"].new, first["same"].new, first["moved"].unchanged) == (2, 1, 1)
    assert first["odd"].dropped == {"no id": 1}
    assert first["odd"].altered == {"date unbelievable": 1, "date unreadable": 1}
    assert 0 < first["cut"].new < 300
    assert first["cut"].dropped["feed page broken"] == 1
    assert (first["paged"].new, first["paged"].pages) == (4, 3)
    assert (first["round"].new, first["round"].unchanged, first["round"].pages) == (1, 1, 2)
    assert (first["long"].new, first["long"].parked) == (3, None)
    assert first["long"].outcome == "page limit reached; the next crawl goes on from here"

    posts = {post["opened"]["id"]: post for post in folder.posts()}
    assert posts["https://x.example/1"]["created_at"] == "2021-08-22T10:45:00Z"
    assert (posts["https://x.example/4"]["title"], posts["https://x.example/4"]["text"]) == ("", "Post 4")
    assert posts["https://x.example/5"]["created_at"] is None
    assert posts["https://x.example/1"]["counts"] is None
    everything = folder.database_bytes()
    for secret in (b"Ramilya", b"Safina", b"x.example/1", b'"one"'):
        assert secret not in everything
    assert b"No bus here" in everything
    assert "Safina" not in (folder.path / "crawl.log").read_text()

    pages["1"] = rss(item(20), item(21), item(22, text="No tram either"), older="/paged?page=2")
    site.answers["/changed"] = site.Reply(rss(item(1, text="No bus, no tram"), item(2), item(8)), headers=xml)
    site.asked.clear()
    second = by_path(crawl(folder.study_path))

    assert (second["changed"].new, second["changed"].edited, second["changed"].unchanged) == (1, 1, 1)
    assert (second["same"].new, second["same"].unchanged, second["same"].parked) == (0, 0, None)
    assert (second["paged"].new, second["paged"].edited, second["paged"].unchanged) == (1, 1, 2)
    assert (second["long"].new, second["long"].pages, second["long"].outcome) == (2, 3, "finished")
    asked = [(a.path, a.query.get("page"), a.headers.get("if-none-match")) for a in site.asked]
    assert ("/changed", None, '"one"') in asked
    assert [page for path, page, _ in asked if path == "/paged"] == [None, "2"], "page 2 brought nothing new"
    assert [tag for path, _, tag in asked if path == "/cut"] == [None], "a broken page is read again in full"
    with folder.store() as store:
        assert [row["text"] for row in store.query("SELECT text FROM edit ORDER BY id")] == ["No bus here"] * 2
        assert {row["outcome"] for row in store.query("SELECT outcome FROM crawl WHERE ended_at IS NULL")} == set()
