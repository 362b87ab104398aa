"""RSS, Atom and JSON feeds (docs/sources/feed.md)."""

from __future__ import annotations

from http import HTTPStatus

import scrapy
from scrapy.http import Response

from citystudy.targets import FeedTarget
from crawlers.answers import GONE_STATUSES, header, refuse
from crawlers.feeds import Feed, NotAFeedError, read_feed
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import Found, Step, Visit

ACCEPT = (
    "application/feed+json, application/atom+xml, application/rss+xml, application/json;q=0.9, application/xml;q=0.9, "
    "text/xml;q=0.8, */*;q=0.5"
)


class FeedSpider(TargetSpider[FeedTarget]):
    """Reads a feed if it has changed, then the older pages it links to (RFC 5005).

    Mark: `etag` and `modified` of the first page as last read. A step names a `page` (None: the feed itself) and
    whether to go `to_the_end`: on the first visit to the feed's end, later until a page brings nothing new.
    """

    name = "feed"
    target_type = FeedTarget

    def opening(self, visit: Visit[FeedTarget]) -> list[Step]:
        """Begin with the feed itself."""
        return [{"page": None, "to_the_end": not visit.mark}]

    def request(self, visit: Visit[FeedTarget], step: Step) -> scrapy.Request:
        """Ask for the feed unless it is as it was, or for an older page."""
        headers = {"Accept": ACCEPT}
        if step["page"] is None:
            known = {"If-None-Match": visit.mark.get("etag"), "If-Modified-Since": visit.mark.get("modified")}
            headers |= {name: value for name, value in known.items() if value}
        return self.ask(visit, step, step["page"] or visit.target.url, headers=headers)

    def read(self, visit: Visit[FeedTarget], step: Step, response: Response) -> Found:
        """Return a page of the feed and the next older one."""
        if step["page"] is None and response.status == HTTPStatus.NOT_MODIFIED:
            return Found(quiet=True)
        if step["page"] is not None and response.status in GONE_STATUSES:
            return Found()  # an older page that is gone ends the paging, not the target
        feed = self._feed(response)
        found = Found(posts=feed.posts, dropped=feed.dropped)
        if feed.broken and step["page"] is not None:
            found.broken = "an older page broke off"
        if step["page"] is None:
            found.mark = {
                "etag": header(response, "ETag") if not feed.broken else None,
                "modified": header(response, "Last-Modified") if not feed.broken else None,
            }
        if feed.next_url and self._goes_on(visit, feed, to_the_end=step["to_the_end"]):
            found.next = [{"page": feed.next_url, "to_the_end": step["to_the_end"]}]
        visit.seen.update(post.native_id for post in feed.posts)
        return found

    def _feed(self, response: Response) -> Feed:
        if response.status in GONE_STATUSES:
            raise Parked(f"no feed here (HTTP {response.status})", "check `url` in the study file")
        refuse(response, "url")
        try:
            return read_feed(response.body, response.url, header(response, "Content-Type") or "")
        except NotAFeedError as found:
            raise Parked(f"answered {found} instead of a feed", "check `url` in the study file") from None

    def _goes_on(self, visit: Visit[FeedTarget], feed: Feed, *, to_the_end: bool) -> bool:
        """Tell whether the page after this one may bring posts that are not stored yet."""
        ids = [post.native_id for post in feed.posts]
        if not ids or visit.seen.issuperset(ids):  # a feed whose 'next' leads in circles
            return False
        if to_the_end or self.probing:
            return not self.too_old(feed.posts)
        return len(self.stored(visit, ids)) < len(set(ids))
