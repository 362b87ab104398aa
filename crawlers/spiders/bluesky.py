"""Feeds, authors, searches and repositories of the atproto network (docs/sources/bluesky.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import BlueskyTarget
from crawlers.answers import words
from crawlers.bluesky_answers import MEND_KEY, error_of, looked_up, owner_name, page_of, token_of, tree_of
from crawlers.bluesky_listing import PAGE_SIZE, below, entries, listing, place, shown, stamp
from crawlers.bluesky_posts import (
    BLOCKED,
    NOT_A_POST,
    WITHDRAWN,
    Shown,
    read_thread,
    read_view,
    record_key,
)
from crawlers.dates import parse_date
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

THREAD_DEPTH = 20
OVERLAP = timedelta(hours=1)  # posts that the index learns of late stand below what it showed before
HIGHEST_KEY = "~"  # sorts behind every letter of a record's key


class BlueskySpider(TargetSpider[BlueskyTarget]):
    """Reads listings newest first, and the answers to their posts as trees.

    Mark: `newest`, the place of the newest post seen: a moment (search, author) or a record's key (repository);
    `read`, that a feed was opened before; `name`, the display name of a repository's owner. Steps: `login`; `profile`
    of a repository's owner; a page of the listing, from its `cursor` (None: its top) down to the place `above`, for a
    search `until` a moment and `low`, where the page before it ended; `thread`, the answers below a post; `records`
    of a repository, to be looked at again.
    """

    name = "bluesky"
    target_type = BlueskyTarget
    look_batch = 25

    def __init__(self, study: str | Path, **options: Any) -> None:
        super().__init__(study, **options)
        self._tokens: dict[str, str] = {}

    def opening(self, visit: Visit[BlueskyTarget]) -> list[Step]:
        """Begin with the newest posts, after a login where one is needed; raises Parked where there is no key for it."""
        target, newest = visit.target, visit.mark.get("newest")
        if target.feed:
            return [{"cursor": None, "to_the_end": "read" not in visit.mark}]
        if target.repository:
            return [{"profile": True}, {"cursor": None, "above": newest}]
        moment = parse_date(newest)
        top: Step = {"cursor": None, "above": stamp(moment - OVERLAP) if moment else None}
        if target.query is None:
            return [top]
        self._account()
        login: list[Step] = [{"login": True}] if target.login_server not in self._tokens else []
        return [*login, {**top, "until": None, "low": None}]

    def request(self, visit: Visit[BlueskyTarget], step: Step) -> scrapy.Request:
        """Ask for a session, a page of the listing, a thread, or posts again."""
        target = visit.target
        if "login" in step:
            handle, password = self._account()
            body = json.dumps({"identifier": handle, "password": password})
            return self._xrpc(visit, step, "com.atproto.server.createSession", {}, body=body)
        if "profile" in step:
            record = {"repo": target.repository, "collection": "app.bsky.actor.profile", "rkey": "self"}
            return self._xrpc(visit, step, "com.atproto.repo.getRecord", record)
        if "thread" in step:
            tree = {"uri": step["thread"], "depth": THREAD_DEPTH, "parentHeight": 0}
            return self._xrpc(visit, step, "app.bsky.feed.getPostThread", tree)
        pairs = step.get(AGAIN) or step.get("records")
        if not pairs:
            return self._xrpc(visit, step, *listing(target, step))
        if not target.repository:
            return self._xrpc(visit, step, "app.bsky.feed.getPosts", {"uris": [ref for _, ref in pairs]})
        from_here = max(record_key(uri) for uri, _ in pairs) + HIGHEST_KEY
        return self._xrpc(visit, step, *listing(target, {"cursor": from_here}))

    def read(self, visit: Visit[BlueskyTarget], step: Step, response: Response) -> Found:
        """Return what an answer holds and what is to be asked because of it."""
        if "login" in step:
            self._tokens[visit.target.login_server] = token_of(response)
            return Found()
        if visit.target.query and error_of(response) == "ExpiredToken" and "anew" not in step:
            return Found(next=[{"login": True}, {**step, "anew": True}])
        if "profile" in step:
            return Found(mark={"name": owner_name(response)})
        if "thread" in step:
            return _thread(visit, step, response)
        if AGAIN in step or "records" in step:
            pairs = step.get(AGAIN) or step["records"]
            look = _records_again if visit.target.repository else self._posts_again
            return look(visit, pairs, response)
        return self._page(visit, step, response)

    def _page(self, visit: Visit[BlueskyTarget], step: Step, response: Response) -> Found:
        target = visit.target
        if target.query and step["cursor"] and step["low"] and response.status == HTTPStatus.BAD_REQUEST:
            return Found(next=below(step, step["low"]))  # the index does not go on from that cursor
        body = page_of(response, target)
        page = [shown(entry, target, _owner(visit)) for entry in entries(body, target)]
        found = _found(page)
        if target.replies:
            found.next = self._threads(visit, page)
        cursor = words(body.get("cursor")) or None
        goes_on = cursor is not None and cursor != step["cursor"] and bool(page) and not self.too_old(found.posts)
        if target.feed:
            found.mark = {"read": True}
            if goes_on and (step["to_the_end"] or not self._all_stored(visit, found)):
                found.next.append({"cursor": cursor, "to_the_end": step["to_the_end"]})
            return found

        places = [where for entry in page if (where := place(target, entry)) is not None]
        if step["cursor"] is None and not step.get("until"):
            known = visit.mark.get("newest")
            found.mark = {"newest": max([*places, *([known] if known else [])], default=None)}
            found.quiet = known is not None and not page
        if step["above"] and places and max(places) <= step["above"]:
            return found
        if goes_on:
            onward: Step = {"cursor": cursor, "above": step["above"]}
            by_time = {"until": step["until"], "low": min(places, default=None)} if target.query else {}
            found.next.append({**onward, **by_time})
        elif target.query and cursor is None and 2 * len(page) >= PAGE_SIZE and not self.too_old(found.posts):
            found.next += below(step, min(places, default=None))
        return found

    def _threads(self, visit: Visit[BlueskyTarget], page: Sequence[Shown]) -> list[Step]:
        """Return the threads of those posts that are new and have answers; later answers come with the second look."""
        answered = {entry.uri: entry for entry in page if entry.post and entry.replies}
        new = answered.keys() - self.stored(visit, list(answered))
        return [{"thread": uri} for uri, entry in answered.items() if uri in new and entry.root not in new]

    def _all_stored(self, visit: Visit[BlueskyTarget], found: Found) -> bool:
        """Tell whether a page of a feed, whose order is its maker's own, holds only what is stored already."""
        ids = {post.native_id for post in found.posts}
        return bool(ids) and ids == self.stored(visit, sorted(ids))

    def _posts_again(self, visit: Visit[BlueskyTarget], pairs: Sequence[Sequence[str]], response: Response) -> Found:
        """Return what is still there of the posts looked at again, and the threads that have begun below them."""
        views = looked_up(response, "posts")
        if views is None:
            return Found()
        there = {entry.uri: entry for entry in (read_view(view, None) for view in views)}
        looked = [there[uri] for uri, _ in pairs if uri in there]
        found = Found(posts=[entry.post for entry in looked if entry.post])
        found.gone = [uri for uri, _ in pairs if uri not in there or there[uri].reason in WITHDRAWN]
        if visit.target.replies:
            roots = self.stored(visit, [entry.root for entry in looked if entry.root])
            found.next = [{"thread": e.uri} for e in looked if e.post and e.replies and e.root not in roots]
        return found

    def _account(self) -> tuple[str, str]:
        """Return the operator's handle and app password; raises Parked where they are not named."""
        handle, _, password = (self.credential() or "").rpartition(":")
        if not handle or not password:
            raise Parked("a search needs a login", MEND_KEY)
        return handle, password

    def _xrpc(
        self, visit: Visit[BlueskyTarget], step: Step, method: str, query: Mapping[str, Any], *, body: str | None = None
    ) -> scrapy.Request:
        """Return the request of an XRPC method, a procedure where there is a body.

        Searches are made in the name of the operator's own account; what proves it goes to that one server only.
        """
        target = visit.target
        headers, meta = {"Accept": "application/json"}, {}
        token = self._tokens.get(target.login_server)
        if target.query:
            meta = {"own_key": True}
            if body is not None:
                headers["Content-Type"] = "application/json"
            elif token:
                headers["Authorization"] = f"Bearer {token}"
        asked = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        url = f"{target.address.rstrip('/')}/xrpc/{method}" + (f"?{asked}" if asked else "")
        verb = "GET" if body is None else "POST"
        return self.ask(visit, step, url, headers=headers, meta=meta, method=verb, body=body)


def _found(page: Sequence[Shown]) -> Found:
    found = Found(posts=[entry.post for entry in page if entry.post])
    found.dropped.update(entry.reason or NOT_A_POST for entry in page if not entry.post)
    return found


def _thread(visit: Visit[BlueskyTarget], step: Step, response: Response) -> Found:
    """Return the answers below a post, and the threads below where the tree was cut."""
    tree = tree_of(response)
    if tree is None:
        return Found(gone=[step["thread"]])
    thread = read_thread(tree)
    found = _found([read_view(view, visit.target.language) for view in thread.views[1:]])
    found.gone, found.next = thread.gone, [{"thread": uri} for uri in thread.cut]
    found.dropped.update([BLOCKED] * thread.blocked)
    return found


def _records_again(visit: Visit[BlueskyTarget], pairs: Sequence[Sequence[str]], response: Response) -> Found:
    """Return what is still there of the records looked at again, down to where the page ends."""
    records = looked_up(response, "records")
    if records is None:
        return Found()
    there = {entry.uri: entry for entry in (shown(record, visit.target, _owner(visit)) for record in records)}
    lowest = min((record_key(uri) for uri in there), default="")
    found = Found()
    unsettled = []
    for uri, ref in pairs:
        entry = there.get(uri)
        if entry is not None:
            found.posts += [entry.post] if entry.post else []
        elif record_key(uri) > lowest:
            found.gone.append(uri)
        else:
            unsettled.append([uri, ref])
    found.next = [{"records": unsettled}] if unsettled else []
    return found


def _owner(visit: Visit[BlueskyTarget]) -> tuple[str, ...]:
    handle = visit.target.repository or ""
    return (f"@{handle}", handle, visit.mark.get("name", ""))
