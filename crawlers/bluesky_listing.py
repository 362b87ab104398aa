"""How a target's posts are listed: what is asked, where an entry stands, and how a search goes on by time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from citystudy.targets import BlueskyTarget
from crawlers.answers import TRY_LATER
from crawlers.bluesky_posts import NOT_A_POST, POST, REPOST, Shown, read_record, read_view, record_key
from crawlers.dates import parse_date
from crawlers.parking import Parked
from crawlers.visits import Step

PAGE_SIZE = 100  # the most that a listing gives at once
_INSTANT = timedelta(milliseconds=1)


def listing(target: BlueskyTarget, step: Step) -> tuple[str, dict[str, Any]]:
    """Return the method and the query that ask for a page of a target's posts, newest first."""
    page = {"limit": PAGE_SIZE, "cursor": step["cursor"]}
    if target.feed:
        return "app.bsky.feed.getFeed", {"feed": target.feed, **page}
    if target.author:
        kept = "posts_with_replies" if target.replies else "posts_no_replies"
        return "app.bsky.feed.getAuthorFeed", {"actor": target.author, "filter": kept, **page}
    if target.repository:
        return "com.atproto.repo.listRecords", {"repo": target.repository, "collection": POST, **page}
    period = {"since": step["above"], "until": step["until"]}
    query = {"q": target.query, "sort": "latest", "lang": target.language}
    return "app.bsky.feed.searchPosts", {**query, **period, **page}


def entries(body: Mapping[str, Any], target: BlueskyTarget) -> list[Any]:
    """Return the entries of a page; raises Parked where there is no list of them."""
    found = body.get("records" if target.repository else "posts" if target.query else "feed")
    if not isinstance(found, list):
        raise Parked("answered JSON of another shape", TRY_LATER)
    return found


def shown(entry: object, target: BlueskyTarget, owner: tuple[str, ...] = ()) -> Shown:
    """Return an entry of a listing; `owner` are the names of whoever a repository belongs to."""
    if not isinstance(entry, dict):
        return Shown(reason=NOT_A_POST)
    if target.repository:
        return read_record(entry, owner, target.language, replies=target.replies)
    if target.query:
        return read_view(entry, target.language)
    reason = entry.get("reason")
    if isinstance(reason, dict) and "by" in reason:
        return Shown(reason=REPOST, sorted_at=parse_date(reason.get("indexedAt")))
    view = entry.get("post")
    return read_view(view, target.language) if isinstance(view, dict) else Shown(reason=NOT_A_POST)


def place(target: BlueskyTarget, entry: Shown) -> str | None:
    """Return where an entry stands in its listing, as words that sort as the listing does."""
    if target.repository:
        return record_key(entry.uri) or None
    return stamp(entry.sorted_at) if entry.sorted_at else None


def below(step: Step, lowest: str | None) -> list[Step]:
    """Return the step by which a search goes on from the lowest moment of a page, by time instead of by a cursor.

    None when the page lies no lower than it was asked for: this is the end, or the index does not know `until` and
    shows its newest posts again.
    """
    moment = parse_date(lowest)
    until = stamp(moment + _INSTANT) if moment else None
    if until is None or (step["until"] and until >= step["until"]):
        return []
    return [{"cursor": None, "above": step["above"], "until": until, "low": None}]


def stamp(moment: datetime) -> str:
    """Return a moment as the network writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
