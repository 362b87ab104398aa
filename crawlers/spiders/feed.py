"""RSS, Atom and JSON feeds (docs/sources/feed.md)."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import scrapy
from scrapy.http import Response

from citystudy.config import FeedTarget
from crawlers.feeds import Feed, NotAFeedError, read_feed
from crawlers.items import Page
from crawlers.parking import Parked
from crawlers.spiders.base import TRY_LATER, TargetSpider
from crawlers.visits import Visit, cursor_copy

ACCEPT = (
    "application/feed+json, application/atom+xml, application/rss+xml, application/json;q=0.9, application/xml;q=0.9, "
    "text/xml;q=0.8, */*;q=0.5"
)


class FeedSpider(TargetSpider[FeedTarget]):
    """Reads a feed if it has changed, then the older pages it links to (RFC 5005).

    Cursor: `etag` and `modified` of the first page as last read; `unread`, older pages still to be read, each
    `[address, to_the_end]`: on the first visit to the feed's end, later until a page brings nothing new.
    """

    name = "feed"
    target_type = FeedTarget

    def address(self, target: FeedTarget) -> str:
        """Return the feed's address."""
        return target.url

    def first_request(self, visit: Visit[FeedTarget]) -> scrapy.Request:
        """Ask for the feed unless it is as it was."""
        headers = {"Accept": ACCEPT}
        if visit.cursor.get("etag"):
            headers["If-None-Match"] = visit.cursor["etag"]
        if visit.cursor.get("modified"):
            headers["If-Modified-Since"] = visit.cursor["modified"]
        return self.request(visit, visit.target.url, headers=headers, meta={"older": None})

    def read(self, visit: Visit[FeedTarget], response: Response) -> Iterator[Page | scrapy.Request]:
        """Yield a page of the feed and the request for the next older one."""
        cursor = cursor_copy(visit.cursor)
        older: list[str | bool] | None = response.meta["older"]
        unread: list[list[str | bool]] = cursor.setdefault("unread", [])
        feed = Feed()
        if older is not None:
            unread.pop()
        if older is not None and response.status in {404, 410}:
            pass  # an older page that is gone ends the paging, not the target
        elif older is None and response.status == HTTPStatus.NOT_MODIFIED:
            pass
        else:
            feed = self._feed(response)
            if older is None:
                to_the_end = not visit.cursor
                cursor["etag"] = _header(response, "ETag") if not feed.broken else None
                cursor["modified"] = _header(response, "Last-Modified") if not feed.broken else None
            else:
                to_the_end = bool(older[1])
            if feed.next_url and self._goes_on(visit, feed, to_the_end=to_the_end):
                unread.append([feed.next_url, to_the_end])
        visit.seen.update(post.native_id for post in feed.posts)
        visit.cursor = cursor
        yield Page(target_id=visit.place.target, posts=feed.posts, dropped=feed.dropped, cursor=cursor)
        if unread:
            yield self.request(visit, str(unread[-1][0]), headers={"Accept": ACCEPT}, meta={"older": unread[-1]})

    def _feed(self, response: Response) -> Feed:
        if response.status in {404, 410}:
            raise Parked(f"no feed here (HTTP {response.status})", "check `url` in the study file")
        if response.status in {401, 402, 403, 451}:
            raise Parked(f"closed (HTTP {response.status})", "ask the site's owner, or remove the target")
        if response.status != HTTPStatus.OK:
            raise Parked(f"HTTP {response.status}", TRY_LATER)
        try:
            return read_feed(response.body, response.url, _header(response, "Content-Type") or "")
        except NotAFeedError as found:
            raise Parked(f"answered {found} instead of a feed", "check `url` in the study file") from None

    def _goes_on(self, visit: Visit[FeedTarget], feed: Feed, *, to_the_end: bool) -> bool:
        """Tell whether the page after this one may bring posts that are not stored yet."""
        ids = [post.native_id for post in feed.posts]
        if not ids or visit.seen.issuperset(ids):  # a feed whose 'next' leads in circles
            return False
        if to_the_end or self.probing:
            return True
        keys = [self.secret.key(visit.place.source, native_id) for native_id in ids]
        return len(self.store.known_keys(keys)) < len(set(keys))


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
