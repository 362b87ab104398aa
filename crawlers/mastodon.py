"""The Mastodon API, as Mastodon, Pleroma, Akkoma, snac and others speak it: what is asked, and answers read into posts."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from scrapy.http import Response

from citystudy.targets import MastodonTarget
from crawlers.answers import GONE_STATUSES, json_of, object_of, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.timelines import BOT, CHOOSE_ANOTHER, CLOSED, NOT_PUBLIC, REBLOG, Timeline, refuse_if_away
from crawlers.visits import AGAIN, Found, Step

PAGE_SIZE = 40  # the most a Mastodon timeline gives at once
NO_PARENT = "_"  # Akkoma's word for a parent that it does not know

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_EMOJI = re.compile(r":\w+:")


def asked(target: MastodonTarget, step: Step) -> tuple[str, None]:
    """Return the path to ask for a step, and no body."""
    if AGAIN in step:
        return f"v1/statuses/{quote(step[AGAIN][0][1], safe='')}", None
    if "check" in step:
        return "v2/instance", None
    query: dict[str, str | int] = {"limit": PAGE_SIZE}
    path = "v1/timelines/public"
    if target.tag:
        path = "v1/timelines/tag/" + quote(unicodedata.normalize("NFC", target.tag), safe="")
    else:
        query["local"] = "true"
    query |= {"max_id": step["below"]} if step["below"] else {}
    query |= {"since_id": step["above"]} if step["above"] else {}
    return f"{path}?{urlencode(query)}", None


def timeline(response: Response, step: Step, target: MastodonTarget) -> Timeline:
    """Return a page of a timeline; raises Parked."""
    host = urlsplit(target.instance).netloc
    statuses = _statuses(response)
    shown = [status for status in statuses if isinstance(status, dict) and isinstance(status.get("id"), str)]
    ids = [status["id"] for status in shown]
    page = Timeline(ids, strange=len(statuses) - len(ids))
    reached = step["above"] in ids
    if reached:
        shown = shown[: ids.index(step["above"])]
    page.entries = [_read(status, host) for status in shown]
    if ids and not reached:
        page.below = _next_below(response, ids[-1])
    return page


def looked_again(response: Response, step: Step, target: MastodonTarget) -> Found:
    """Return whether the post looked at again is there, and how it reads now; raises Parked."""
    [(native_id, _)] = step[AGAIN]
    refuse_if_away(response)
    if response.status in GONE_STATUSES:
        return Found(gone=[native_id])
    if response.status != HTTPStatus.OK:
        return Found()
    status = object_of(response)
    read = _read(status, urlsplit(target.instance).netloc) if isinstance(status.get("id"), str) else None
    if read == NOT_PUBLIC:
        return Found(gone=[native_id])
    return Found(posts=[read] if isinstance(read, RawPost) else [])


def refuse_if_closed(response: Response, target: MastodonTarget) -> None:
    """Raise Parked where `/api/v2/instance` says that strangers may not see such timelines (Mastodon 4.5 and later)."""
    access = _access(response).get("hashtag_feeds" if target.tag else "live_feeds")
    if isinstance(access, dict):
        shown = [access.get("local"), *([access.get("remote")] if target.tag else [])]
        if not any(value in ("public", None) for value in shown):
            raise Parked(CLOSED, CHOOSE_ANOTHER)


def _access(response: Response) -> Mapping[str, Any]:
    """Return what an answer says of who may see timelines; {} when it says nothing."""
    try:
        access = json.loads(response.body)["configuration"]["timelines_access"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return access if isinstance(access, dict) else {}


def _statuses(response: Response) -> list[Any]:
    """Return the list in an answer; raises Parked for every other answer."""
    if response.status in {401, 403, 422}:
        raise Parked(f"{CLOSED} (HTTP {response.status})", CHOOSE_ANOTHER)
    if response.status in GONE_STATUSES:
        raise Parked(f"no Mastodon timeline here (HTTP {response.status})", "check `instance` in the study file")
    refuse(response, "instance")
    statuses = json_of(response)
    if isinstance(statuses, dict) and "error" in statuses:
        raise Parked(CLOSED, CHOOSE_ANOTHER)
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


def _read(status: Mapping[str, Any], host: str) -> RawPost | str:
    """Return a status as a post, or the reason for leaving it out."""
    if status.get("reblog"):
        return REBLOG
    if status.get("visibility") not in (None, "public"):
        return NOT_PUBLIC
    account = status.get("account")
    account = account if isinstance(account, dict) else {}
    if account.get("bot") is True:
        return BOT
    acct = words(account.get("acct"))
    parent = words(status.get("in_reply_to_id"))
    created = status.get("created_at")
    created_at = parse_date(created)
    return RawPost(
        # The address of a post is the same on every server that shows it; the id is this server's own.
        native_id=words(status.get("uri")) or f"{host} {status['id']}",
        title=html_to_text(words(status.get("spoiler_text"))),
        text=html_to_text(words(status.get("content"))),
        author=(acct if "@" in acct else f"{acct}@{host}").lower() if acct else None,
        author_names=names_of(words(account.get("display_name")), acct.partition("@")[0]),
        url=words(status.get("url")) or None,
        ref=status["id"],
        parent=f"{host} {parent}" if parent and parent != NO_PARENT else None,
        created_at=created_at,
        edited_at=parse_date(status.get("edited_at")),
        declared_lang=words(status.get("language")) or None,
        counts=_counts(status),
        flaws=(DATE_UNREADABLE,) if created is not None and created_at is None else (),
    )


def names_of(display_name: str, handle: str) -> tuple[str, ...]:
    """Return the names of an author that may stand in a text, without the :emoji: that people put into theirs."""
    return tuple(name for name in (" ".join(_EMOJI.sub(" ", display_name).split()), handle) if name)


def _counts(status: Mapping[str, Any]) -> dict[str, int] | None:
    fields = {"replies": "replies_count", "reposts": "reblogs_count", "likes": "favourites_count"}
    return {name: n for name, field in fields.items() if (n := whole(status.get(field))) is not None} or None
