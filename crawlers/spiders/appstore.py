"""Customer reviews of an app in one country's App Store (docs/sources/appstore.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import scrapy
from scrapy.http import Response

from citystudy.targets import AppStoreTarget
from crawlers.answers import object_of, objects, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE, NO_ID
from crawlers.items import RawPost
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import Found, Step, Visit

LAST_PAGE = 10  # the feed goes no further

EMPTY = "no reviews: this may be a refusal, an app that is not in this country's store, or one that nobody reviewed"
_LOOK = "look at the app in that country's store; check `app` and `country` in the study file"


class AppStoreSpider(TargetSpider[AppStoreTarget]):
    """Reads the newest reviews page by page until one brings nothing new.

    Mark: `read`, that the feed has shown reviews before. A step is a `page` from 1 to 10 and whether to go `to_the_end`:
    on the first visit all that there is, later until a page brings nothing new.
    """

    name = "appstore"
    target_type = AppStoreTarget

    def opening(self, visit: Visit[AppStoreTarget]) -> list[Step]:
        """Begin with the newest reviews."""
        return [{"page": 1, "to_the_end": "read" not in visit.mark}]

    def request(self, visit: Visit[AppStoreTarget], step: Step) -> scrapy.Request:
        """Ask for a page of the feed."""
        target = visit.target
        country = (target.country or visit.city.country).lower()
        path = f"{country}/rss/customerreviews/page={step['page']}/id={target.app}/sortby=mostrecent/json"
        return self.ask(visit, step, f"{target.server.rstrip('/')}/{path}", headers={"Accept": "application/json"})

    def read(self, visit: Visit[AppStoreTarget], step: Step, response: Response) -> Found:
        """Return a page of reviews and the next one."""
        refuse(response, "app")
        feed = object_of(response).get("feed")
        if not isinstance(feed, dict):
            raise Parked("answered JSON that is no feed of reviews", _LOOK)
        found = reviews_of(feed, visit.target.app)
        if step["page"] == 1 and not found.posts:
            raise Parked(EMPTY, _LOOK)
        found.mark = {"read": True}
        ids = [post.native_id for post in found.posts]
        goes_on = step["to_the_end"] or len(self.stored(visit, ids)) < len(set(ids))
        if ids and goes_on and step["page"] < LAST_PAGE and not self.too_old(found.posts):
            found.next = [{**step, "page": step["page"] + 1}]
        return found


def reviews_of(feed: Mapping[str, Any], app: int) -> Found:
    """Return the reviews that a feed holds."""
    found = Found()
    entries = feed.get("entry", [])
    for entry in objects(entries if isinstance(entries, list) else [entries]):  # a single entry is in no list
        number = _label(entry, "id")
        if "im:rating" not in entry:
            continue  # older feeds begin with the app itself
        if not number:
            found.dropped[NO_ID] += 1
            continue
        author = entry.get("author")
        name, address = (_label(author, key) if isinstance(author, dict) else "" for key in ("name", "uri"))
        written = _label(entry, "updated")
        created_at = parse_date(written)
        rating = whole(_label(entry, "im:rating"))
        found.posts.append(
            RawPost(
                native_id=f"review {number}",
                title=_label(entry, "title"),
                text=_label(entry, "content"),
                author=address or name or None,
                author_names=(name,) if name else (),
                thread=f"app {app}",
                created_at=created_at,
                counts={"rating": rating} if rating is not None else None,
                basis="country",
                flaws=(DATE_UNREADABLE,) if written and created_at is None else (),
            )
        )
    return found


def _label(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return words(value.get("label")) if isinstance(value, dict) else ""
