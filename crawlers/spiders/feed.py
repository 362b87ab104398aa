"""RSS, Atom and JSON feeds, and the REST API of WordPress (docs/sources/feed.md)."""

from __future__ import annotations

from http import HTTPStatus

import scrapy
from scrapy.http import Response

from citystudy.targets import FeedTarget
from crawlers.answers import GONE_STATUSES, header, refuse
from crawlers.feeds import Feed, NotAFeedError, read_feed
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit
from crawlers.wordpress import PER_PAGE, Collection, collection_of

ACCEPT = (
    "application/feed+json, application/atom+xml, application/rss+xml, application/json;q=0.9, application/xml;q=0.9, "
    "text/xml;q=0.8, */*;q=0.5"
)
TOO_OLD = "older than the study reads"


class FeedSpider(TargetSpider[FeedTarget]):
    """Reads a feed if it has changed, then the older pages it links to (RFC 5005).

    Mark: `etag` and `modified` of the first page as last read. A step names a `page` (None: the feed itself) and
    whether to go `to_the_end`: on the first visit to the feed's end, later until a page brings nothing new.
    Marks and steps of a WordPress collection are told of in `crawlers.wordpress`.
    """

    name = "feed"
    target_type = FeedTarget

    def opening(self, visit: Visit[FeedTarget]) -> list[Step]:
        """Begin with the feed itself, or with what is new in a collection."""
        collection = collection_of(visit.target.url)
        if collection:
            return collection.opening(visit.mark)
        return [{"page": None, "to_the_end": not visit.mark}]

    def request(self, visit: Visit[FeedTarget], step: Step) -> scrapy.Request:
        """Ask for the feed unless it is as it was, for an older page, or for a part of a collection."""
        collection = collection_of(visit.target.url)
        if collection:
            return self.ask(visit, step, collection.address(step), headers={"Accept": "application/json"})
        headers = {"Accept": ACCEPT}
        if step["page"] is None:
            known = {"If-None-Match": visit.mark.get("etag"), "If-Modified-Since": visit.mark.get("modified")}
            headers |= {name: value for name, value in known.items() if value}
        return self.ask(visit, step, step["page"] or visit.target.url, headers=headers)

    def read(self, visit: Visit[FeedTarget], step: Step, response: Response) -> Found:
        """Return a page of the feed or collection and the next older one."""
        collection = collection_of(visit.target.url)
        if collection:
            return self._part(collection, visit, step, response)
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

    def looks(self, visit: Visit[FeedTarget]) -> int:
        """Return how many posts a collection shows again at once; a feed can't be asked for single posts."""
        return PER_PAGE if collection_of(visit.target.url) else 0

    def _part(self, collection: Collection, visit: Visit[FeedTarget], step: Step, response: Response) -> Found:
        if AGAIN in step:
            return collection.looked_again(step, response)
        found = collection.page(step, response, visit.mark, visit.seen)
        if step["by"] == "date":
            if self.too_old(found.posts):
                found.next = []
            return found
        # Among what was changed may be posts from long before the time that the study reads.
        stored = self.stored(visit, [post.native_id for post in found.posts])
        fit = [post for post in found.posts if post.native_id in stored or not self.too_old([post])]
        if len(fit) < len(found.posts):
            found.dropped[TOO_OLD] += len(found.posts) - len(fit)
            found.posts = fit
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
