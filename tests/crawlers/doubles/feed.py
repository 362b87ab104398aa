"""A feed of an old-fashioned site: RSS with conditional requests and older pages (RFC 5005)."""

from __future__ import annotations

import hashlib
from email.utils import format_datetime
from html import escape

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written


class SourceDouble(Double):
    """One RSS feed; what is deleted just disappears from it."""

    source = "feed"
    sees_deletions = False

    def mount(self) -> None:
        self.site.answers["/feed"] = self._feed

    def target(self) -> str:
        return f'source = "feed"\nkind = "forum"\nurl = "{self.site.url}/feed"'

    def native_id(self, number: int) -> str:
        return f"https://forum.example/posts/{number}"

    def author_id(self, post: Written) -> str:
        return f"{post.author} {self.site.host}"

    def _feed(self, asked: Asked) -> Reply:
        posts, page = self.newest_first(), int(asked.query.get("page", 0))
        etag = f'"{hashlib.sha256(repr(posts).encode()).hexdigest()}"'
        if page == 0 and asked.headers.get("if-none-match") == etag:
            return Reply(status=304)
        shown = posts[page * PAGE : (page + 1) * PAGE]
        more = f'<atom:link rel="next" href="/feed?page={page + 1}"/>' if len(posts) > (page + 1) * PAGE else ""
        items = "".join(
            f"<item><guid>{self.native_id(post.number)}</guid><description>{escape(post.text)}</description>"
            f"<dc:creator>{post.author}</dc:creator>"
            f"<pubDate>{format_datetime(post.created_at)}</pubDate></item>"
            for post in shown
        )
        head = (
            '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        )
        body = f"{head}<channel><title>Forum</title>{more}{items}</channel></rss>"
        return Reply(body, headers={"Content-Type": "application/rss+xml; charset=utf-8", "ETag": etag})
