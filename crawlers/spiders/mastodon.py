"""Hashtag and local timelines of servers that speak the Mastodon API (docs/sources/mastodon.md)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import scrapy
from scrapy.http import Response

from citystudy.config import MastodonTarget
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import Page, RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.spiders.base import TRY_LATER, TargetSpider
from crawlers.visits import Visit, cursor_copy

PAGE_SIZE = 40  # the most a Mastodon timeline gives at once
EXCLUDED = {"mastodon.social": "its terms of service forbid automated collection"}

NOT_A_POST = "not a post"
REBLOG = "reblog"
NOT_PUBLIC = "not public"
BOT = "bot account"

CLOSED = "closed: this server shows the timeline to its members only"
_CHOOSE_ANOTHER = "choose another server, or ask this one's administrators"
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class MastodonSpider(TargetSpider[MastodonTarget]):
    """Reads what is new since the newest post seen, then the stretches that earlier visits left unread.

    Cursor: `newest`, the id of the newest post seen, and `gaps`, stretches of the timeline not yet read, each
    `[below, above]`: posts older than `below` and newer than `above` (None: down to the timeline's beginning).
    """

    name = "mastodon"
    target_type = MastodonTarget

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._access: dict[str, Mapping[str, Any]] = {}

    def address(self, target: MastodonTarget) -> str:
        """Return the server's address."""
        return target.instance

    def first_request(self, visit: Visit[MastodonTarget]) -> scrapy.Request:
        """Ask for what is newer than the newest post seen; raises Parked for servers whose terms forbid it."""
        why = EXCLUDED.get(urlsplit(visit.target.instance).hostname or "")
        if why:
            raise Parked(f"excluded: {why}", "choose another server")
        return self._ask(visit, None, visit.cursor.get("newest"))

    def read(self, visit: Visit[MastodonTarget], response: Response) -> Iterator[Page | scrapy.Request]:
        """Yield a page of a timeline and the request for the next unread stretch."""
        if response.meta.get("check"):
            self._access[visit.host] = _access(response)
            self._refuse_if_closed(visit)
            return
        statuses = _statuses(response)
        below, above = response.meta["stretch"]
        shown = [status for status in statuses if isinstance(status, dict) and isinstance(status.get("id"), str)]
        ids = [status["id"] for status in shown]
        reached = above in ids
        if reached:
            shown = shown[: ids.index(above)]
        repeated = bool(ids) and visit.seen.issuperset(ids)  # a server that does not know max_id
        visit.seen.update(ids)

        dropped: Counter[str] = (
            Counter({NOT_A_POST: len(statuses) - len(ids)}) if len(statuses) > len(ids) else Counter()
        )
        posts = []
        for status in shown if not repeated else ():
            reason = _reason_to_leave_out(status)
            if reason:
                dropped[reason] += 1
            else:
                posts.append(_post(status, visit.host))

        cursor = cursor_copy(visit.cursor)
        gaps: list[list[str | None]] = cursor.setdefault("gaps", [])
        if below is not None:
            gaps.pop()
        elif ids:
            cursor["newest"] = ids[0]
        next_below = None if reached or repeated or not ids else _next_below(response, ids[-1])
        if next_below is not None:
            gaps.append([next_below, above])
        visit.cursor = cursor
        yield Page(target_id=visit.place.target, posts=posts, dropped=dropped, cursor=cursor)

        if gaps:
            yield self._ask(visit, *gaps[-1])
        elif below is None and not statuses:
            yield from self._look_into_emptiness(visit)

    def _ask(self, visit: Visit[MastodonTarget], below: str | None, above: str | None) -> scrapy.Request:
        target = visit.target
        path = "public"
        query: dict[str, str | int] = {"limit": PAGE_SIZE}
        if target.tag:
            path = "tag/" + quote(unicodedata.normalize("NFC", target.tag), safe="")
        else:
            query["local"] = "true"
        query |= {"max_id": below} if below else {}
        query |= {"since_id": above} if above else {}
        url = f"{target.instance.rstrip('/')}/api/v1/timelines/{path}?{urlencode(query)}"
        return self.request(visit, url, headers={"Accept": "application/json"}, meta={"stretch": (below, above)})

    def _look_into_emptiness(self, visit: Visit[MastodonTarget]) -> Iterator[scrapy.Request]:
        """Ask a server that shows nothing whether it shows anything to strangers."""
        if visit.host in self._access:
            self._refuse_if_closed(visit)
        else:
            url = f"{visit.target.instance.rstrip('/')}/api/v2/instance"
            yield self.request(visit, url, headers={"Accept": "application/json"}, meta={"check": True})

    def _refuse_if_closed(self, visit: Visit[MastodonTarget]) -> None:
        access = self._access[visit.host].get("hashtag_feeds" if visit.target.tag else "live_feeds")
        if isinstance(access, dict):
            shown = [access.get("local"), *([access.get("remote")] if visit.target.tag else [])]
            if not any(value in {"public", None} for value in shown):
                raise Parked(CLOSED, _CHOOSE_ANOTHER)


def _access(response: Response) -> Mapping[str, Any]:
    """Return what `/api/v2/instance` says of who may see timelines (Mastodon 4.5 and later); {} when it says nothing."""
    try:
        access = json.loads(response.body)["configuration"]["timelines_access"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return access if isinstance(access, dict) else {}


def _statuses(response: Response) -> list[Any]:
    """Return the list in an answer; raises Parked for every other answer."""
    if response.status in {401, 403, 422}:
        raise Parked(f"{CLOSED} (HTTP {response.status})", _CHOOSE_ANOTHER)
    if response.status in {404, 410}:
        raise Parked(f"no Mastodon timeline here (HTTP {response.status})", "check `instance` in the study file")
    if response.status != HTTPStatus.OK:
        raise Parked(f"HTTP {response.status}", TRY_LATER)
    try:
        statuses = json.loads(response.body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise Parked("the answer is not JSON, or broke off", TRY_LATER) from None
    if isinstance(statuses, dict) and "error" in statuses:
        raise Parked(CLOSED, _CHOOSE_ANOTHER)
    if not isinstance(statuses, list):
        raise Parked("the answer is not a timeline", "check `instance` in the study file")
    return statuses


def _next_below(response: Response, last_id: str) -> str | None:
    """Return the id below which the next page begins; None when the server says that this was the last page."""
    header = ", ".join(value.decode("latin-1") for value in response.headers.getlist("Link"))
    if not header:
        return last_id
    found = _NEXT.search(header)
    if not found:
        return None
    return (parse_qs(urlsplit(found[1]).query).get("max_id") or [last_id])[0]


def _reason_to_leave_out(status: Mapping[str, Any]) -> str | None:
    if status.get("reblog"):
        return REBLOG
    if status.get("visibility") not in {None, "public"}:
        return NOT_PUBLIC
    account = status.get("account")
    if isinstance(account, dict) and account.get("bot") is True:
        return BOT
    return None


def _post(status: Mapping[str, Any], host: str) -> RawPost:
    account = status.get("account") if isinstance(status.get("account"), dict) else {}
    acct = account.get("acct") if account else None
    author = (acct if "@" in acct else f"{acct}@{host}").lower() if isinstance(acct, str) and acct else None
    parent = status.get("in_reply_to_id")
    created, edited = status.get("created_at"), status.get("edited_at")
    created_at = parse_date(created)
    return RawPost(
        # The address of a post is the same on every server that shows it; the id is this server's own.
        native_id=_text(status.get("uri")) or f"{host} {status['id']}",
        title=html_to_text(_text(status.get("spoiler_text"))),
        text=html_to_text(_text(status.get("content"))),
        author=author,
        url=_text(status.get("url")) or None,
        parent=f"{host} {parent}" if isinstance(parent, str) and parent else None,
        created_at=created_at,
        edited_at=parse_date(edited),
        declared_lang=_text(status.get("language")) or None,
        counts=_counts(status),
        flaws=(DATE_UNREADABLE,) if created is not None and created_at is None else (),
    )


def _counts(status: Mapping[str, Any]) -> dict[str, int] | None:
    fields = {"replies": "replies_count", "reposts": "reblogs_count", "likes": "favourites_count"}
    found = {name: status.get(field) for name, field in fields.items()}
    return {name: n for name, n in found.items() if isinstance(n, int) and not isinstance(n, bool)} or None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
