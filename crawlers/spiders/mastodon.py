"""Hashtag and local timelines of servers that speak the Mastodon API (docs/sources/mastodon.md)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import scrapy
from scrapy.http import Response

from citystudy.targets import MastodonTarget
from crawlers.answers import GONE_STATUSES, json_of, object_of, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

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

    Mark: `newest`, the id of the newest post seen. A step is a stretch of the timeline, `below` an id (None: from its
    top) and `above` another (None: down to its beginning), or `check`: does this server show anything to strangers?
    """

    name = "mastodon"
    target_type = MastodonTarget
    look_batch = 1

    def opening(self, visit: Visit[MastodonTarget]) -> list[Step]:
        """Begin with what is newer than the newest post seen; raises Parked for servers whose terms forbid it."""
        why = EXCLUDED.get(urlsplit(visit.target.instance).hostname or "")
        if why:
            raise Parked(f"excluded: {why}", "choose another server")
        return [{"below": None, "above": visit.mark.get("newest")}]

    def request(self, visit: Visit[MastodonTarget], step: Step) -> scrapy.Request:
        """Ask for a stretch of the timeline, one post again, or who may see timelines."""
        target = visit.target
        query: dict[str, str | int] = {}
        if AGAIN in step:
            path = f"v1/statuses/{quote(step[AGAIN][0][1], safe='')}"
        elif "check" in step:
            path = "v2/instance"
        else:
            query = {"limit": PAGE_SIZE}
            path = "v1/timelines/public"
            if target.tag:
                path = "v1/timelines/tag/" + quote(unicodedata.normalize("NFC", target.tag), safe="")
            else:
                query["local"] = "true"
            query |= {"max_id": step["below"]} if step["below"] else {}
            query |= {"since_id": step["above"]} if step["above"] else {}
        url = f"{target.instance.rstrip('/')}/api/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(visit, step, url, headers={"Accept": "application/json"})

    def read(self, visit: Visit[MastodonTarget], step: Step, response: Response) -> Found:
        """Return a page of a timeline and the stretch below it."""
        if AGAIN in step:
            return _second_look(visit, step, response)
        if "check" in step:
            _refuse_if_closed(visit.target, _access(response))
            return Found(quiet=True)
        return self._timeline(visit, step, response)

    def _timeline(self, visit: Visit[MastodonTarget], step: Step, response: Response) -> Found:
        statuses = _statuses(response)
        shown = [status for status in statuses if isinstance(status, dict) and isinstance(status.get("id"), str)]
        ids = [status["id"] for status in shown]
        reached = step["above"] in ids
        if reached:
            shown = shown[: ids.index(step["above"])]
        repeated = bool(ids) and visit.seen.issuperset(ids)  # a server that does not know max_id
        visit.seen.update(ids)

        found = Found()
        if len(statuses) > len(ids):
            found.dropped[NOT_A_POST] = len(statuses) - len(ids)
        for status in shown if not repeated else ():
            reason = _reason_to_leave_out(status)
            if reason:
                found.dropped[reason] += 1
            else:
                found.posts.append(_post(status, visit.host))
        if step["below"] is None and ids:
            found.mark["newest"] = ids[0]
        below = None if reached or repeated or not ids else _next_below(response, ids[-1])
        if below is not None and not self.too_old(found.posts):
            found.next = [{"below": below, "above": step["above"]}]
        elif step["below"] is None and not statuses:
            found.quiet = step["above"] is not None
            found.next = [{"check": True}]
        return found


def _second_look(visit: Visit[MastodonTarget], step: Step, response: Response) -> Found:
    [(native_id, _)] = step[AGAIN]
    if response.status in GONE_STATUSES:
        return Found(gone=[native_id])
    if response.status != HTTPStatus.OK:
        return Found()
    status = object_of(response)
    if _reason_to_leave_out(status) or not isinstance(status.get("id"), str):
        return Found()
    return Found(posts=[_post(status, visit.host)])


def _refuse_if_closed(target: MastodonTarget, allowed: Mapping[str, Any]) -> None:
    access = allowed.get("hashtag_feeds" if target.tag else "live_feeds")
    if isinstance(access, dict):
        shown = [access.get("local"), *([access.get("remote")] if target.tag else [])]
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
    if response.status in GONE_STATUSES:
        raise Parked(f"no Mastodon timeline here (HTTP {response.status})", "check `instance` in the study file")
    refuse(response, "instance")
    statuses = json_of(response)
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
        native_id=words(status.get("uri")) or f"{host} {status['id']}",
        title=html_to_text(words(status.get("spoiler_text"))),
        text=html_to_text(words(status.get("content"))),
        author=author,
        url=words(status.get("url")) or None,
        ref=status["id"],
        parent=f"{host} {parent}" if isinstance(parent, str) and parent else None,
        created_at=created_at,
        edited_at=parse_date(edited),
        declared_lang=words(status.get("language")) or None,
        counts=_counts(status),
        flaws=(DATE_UNREADABLE,) if created is not None and created_at is None else (),
    )


def _counts(status: Mapping[str, Any]) -> dict[str, int] | None:
    fields = {"replies": "replies_count", "reposts": "reblogs_count", "likes": "favourites_count"}
    return {name: n for name, field in fields.items() if (n := whole(status.get(field))) is not None} or None
