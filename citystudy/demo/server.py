"""The demonstration's own server on 127.0.0.1: its posts in the shapes that real sources have.

It speaks the part of the Mastodon API that a public hashtag timeline needs (paging by `max_id` and `since_id`, the
Link and rate-limit headers) and serves one forum a city as a paged RSS feed (RFC 5005 `next` links, ETag and 304),
beside a robots.txt that closes a part of the site.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from citystudy.errors import CityStudyError

FEED_PAGE = 40
TIMELINE_PAGE = 20
TIMELINE_MOST = 40
LONGEST_NUMBER = 20
ROBOTS = "User-agent: *\nDisallow: /private/\nAllow: /\n"
_HASHTAG = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True)
class DemoPost:
    """A post written for the demonstration, with the codes its writer gave it."""

    id: int
    city: str
    channel: str
    lang: str
    author: str
    date: datetime
    title: str
    text: str
    codes: tuple[tuple[str, str], ...]
    note: str


def demo_posts() -> list[DemoPost]:
    """Return all demonstration posts, oldest first."""
    rows = [
        (file.name.removesuffix(".jsonl"), json.loads(line))
        for file in resources.files("citystudy.demo.posts").iterdir()
        if file.name.endswith(".jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    rows.sort(key=lambda row: (row[1]["date"], row[1]["id"]))
    return [
        DemoPost(
            id=110_000_000_000 + number * 7,
            city=city,
            channel=row["channel"],
            lang=row["lang"],
            author=row["author"],
            date=datetime.fromisoformat(row["date"]),
            title=row.get("title") or "",
            text=row["text"],
            codes=tuple((code["kind"], code["theme"]) for code in row["codes"]),
            note=row["note"],
        )
        for number, (city, row) in enumerate(rows, 1)
    ]


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Serve the demonstration on 127.0.0.1 while the block runs; give its address. Port 0 takes a free one."""
    posts = demo_posts()

    class Handler(_Handler):
        newest_first = tuple(reversed(posts))

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise CityStudyError(
            f"port {port} on this machine can't be had ({error.strerror}); end what uses it, or give the demonstration "
            "another folder"
        ) from None
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    newest_first: tuple[DemoPost, ...]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        path = unquote(url.path)
        if path == "/robots.txt":
            self._answer(ROBOTS.encode(), "text/plain; charset=utf-8")
        elif match := re.fullmatch(r"/api/v1/timelines/tag/(\w+)", path):
            self._timeline(match[1], query)
        elif match := re.fullmatch(r"/(\w+)/feed\.xml", path):
            self._feed(match[1], max(1, _asked(query, "page", 1)))
        else:
            self._answer(b"Not found", "text/plain", status=404)

    def _timeline(self, tag: str, query: dict[str, str]) -> None:
        limit = max(1, min(_asked(query, "limit", TIMELINE_PAGE), TIMELINE_MOST))
        before, after = _asked(query, "max_id", 2**62), _asked(query, "since_id", 0)
        tagged = [
            post
            for post in self.newest_first
            if post.channel == "mastodon"
            and after < post.id < before
            and tag.casefold() in {found.casefold() for found in _HASHTAG.findall(post.text)}
        ]
        page = tagged[:limit]
        headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299"}
        if len(tagged) > limit:
            address = f"http://{self.headers['Host']}/api/v1/timelines/tag/{quote(tag)}"
            headers["Link"] = f'<{address}?limit={limit}&max_id={page[-1].id}>; rel="next"'
        body = json.dumps([self._status(post) for post in page], ensure_ascii=False)
        self._answer(body.encode(), "application/json; charset=utf-8", headers=headers)

    def _status(self, post: DemoPost) -> dict[str, Any]:
        address = f"http://{self.headers['Host']}"
        content = html.escape(post.text, quote=False).replace("\n", "<br />")
        return {
            "id": str(post.id),
            "created_at": post.date.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "edited_at": None,
            "in_reply_to_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": post.lang,
            "uri": f"{address}/users/{post.author}/statuses/{post.id}",
            "url": f"{address}/@{post.author}/{post.id}",
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "content": f"<p>{content}</p>",
            "reblog": None,
            "account": {"id": str(_number(post.author)), "username": post.author, "acct": post.author, "bot": False},
            "tags": [{"name": tag.lower()} for tag in _HASHTAG.findall(post.text)],
        }

    def _feed(self, city: str, page: int) -> None:
        posts = [post for post in self.newest_first if post.channel == "forum" and post.city == city]
        if not posts:
            self._answer(b"Not found", "text/plain", status=404)
            return
        shown = posts[(page - 1) * FEED_PAGE : page * FEED_PAGE]
        address = f"http://{self.headers['Host']}/{city}"
        more = page * FEED_PAGE < len(posts)
        items = "".join(_item(post, address) for post in shown)
        link = f'<atom:link rel="next" href="{address}/feed.xml?page={page + 1}"/>' if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{city.title()} town forum (written for demonstration)</title><link>{address}/</link>"
            f"<description>Posts written for demonstration</description>{link}{items}</channel></rss>"
        ).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self._answer(b"", "application/rss+xml", status=304, headers={"ETag": etag})
        else:
            self._answer(body, "application/rss+xml; charset=utf-8", headers={"ETag": etag})

    def _answer(
        self, body: bytes, content_type: str, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **(headers or {})}.items():
            self.send_header(name, value)
        if status != 304:  # noqa: PLR2004  RFC 9110: Not Modified has no body
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:  # noqa: PLR2004
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the program's own words."""


def _item(post: DemoPost, address: str) -> str:
    return (
        f"<item><title>{escape(post.title)}</title><link>{address}/thread/{post.id}</link>"
        f'<guid isPermaLink="false">{post.city}-forum-{post.id}</guid><dc:creator>{escape(post.author)}</dc:creator>'
        f"<pubDate>{format_datetime(post.date)}</pubDate><dc:language>{post.lang}</dc:language>"
        f"<description>{escape(html.escape(post.text, quote=False).replace(chr(10), '<br/>'))}</description></item>"
    )


def _asked(query: dict[str, str], name: str, otherwise: int) -> int:
    """Return a number of the query, or `otherwise` where it is none, as Mastodon does."""
    value = query.get(name, "")
    return int(value) if value.isdecimal() and len(value) <= LONGEST_NUMBER else otherwise


def _number(author: str) -> int:
    return int(hashlib.sha256(author.encode()).hexdigest()[:12], 16)
