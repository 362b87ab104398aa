"""The Misskey API, as Misskey, Sharkey and others speak it: what is asked, and answers read into posts."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from scrapy.http import Response

from citystudy.targets import MastodonTarget
from crawlers.answers import TRY_LATER, json_of, object_of, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.mastodon import names_of
from crawlers.parking import Parked
from crawlers.timelines import BOT, CHOOSE_ANOTHER, CLOSED, NOT_PUBLIC, REBLOG, Timeline, refuse_if_away
from crawlers.visits import AGAIN, Found, Step

PAGE_SIZE = 100
CLOSED_CODES = frozenset(
    {
        "ACCESS_DENIED",
        "AUTHENTICATION_FAILED",
        "CONTENT_RESTRICTED_BY_SERVER",
        "CREDENTIAL_REQUIRED",
        "GTL_DISABLED",
        "LTL_DISABLED",
        "PERMISSION_DENIED",
        "ROLE_PERMISSION_DENIED",
        "SIGNIN_REQUIRED",
    }
)
GONE_CODES = frozenset({"NO_SUCH_NOTE", "CONTENT_RESTRICTED_BY_USER"})
DEEPEST_NESTING = 20  # Misskey itself reads functions no deeper

_CODE = re.compile(r"[A-Z_]{1,60}")
_LINK = re.compile(r"\??\[([^\[\]\n]+)\]\(<?https?://[^\s()]+(?:\([^\s()]*\)[^\s()]*)*>?\)")
_FUNCTION = re.compile(r"\$\[[a-z0-9_]+(?:\.[^\s\[\]]*)?\s((?:[^\[\]]|\[[^\[\]]*\])*)\]")
_TAG = re.compile(r"</?(?:b|i|s|small|center|plain)>")
_STRONG = re.compile(r"(\*\*\*|\*\*|~~)(?=\S)(.{1,1000}?)(?<=\S)\1", re.DOTALL)


def asked(target: MastodonTarget, step: Step) -> tuple[str, dict[str, Any]]:
    """Return the path and the body to ask for a step."""
    if AGAIN in step:
        return "notes/show", {"noteId": step[AGAIN][0][1]}
    if "check" in step:
        return "meta", {"detail": False}
    body: dict[str, Any] = {"limit": PAGE_SIZE}
    if step["below"]:
        body["untilId"] = step["below"]
        # With sinceId alone Misskey shows the oldest first: the page at the top goes without.
        body |= {"sinceId": step["above"]} if step["above"] else {}
    if target.tag:
        return "notes/search-by-tag", {**body, "tag": unicodedata.normalize("NFC", target.tag)}
    return "notes/local-timeline", {**body, "withRenotes": False, "withReplies": True}


def timeline(response: Response, step: Step, target: MastodonTarget) -> Timeline:
    """Return a page of a timeline; raises Parked."""
    notes = _notes(response)
    shown = [note for note in notes if isinstance(note, dict) and isinstance(note.get("id"), str)]
    shown.sort(key=lambda note: words(note["id"]), reverse=True)  # later ids sort later, whichever kind a server makes
    page = Timeline([note["id"] for note in shown], strange=len(notes) - len(shown))
    above = step["above"] or ""
    page.entries = [_read(note, target.instance.rstrip("/")) for note in shown if note["id"] > above]
    if page.ids and page.ids[-1] > above:
        page.below = page.ids[-1]
    return page


def looked_again(response: Response, step: Step, target: MastodonTarget) -> Found:
    """Return whether the note looked at again is there, and how it reads now; raises Parked."""
    [(native_id, _)] = step[AGAIN]
    refuse_if_away(response)
    if response.status != HTTPStatus.OK:
        return Found(gone=[native_id] if _error(response) in GONE_CODES else [])
    note = object_of(response)
    read = _read(note, target.instance.rstrip("/")) if isinstance(note.get("id"), str) else None
    if read == NOT_PUBLIC:
        return Found(gone=[native_id])
    return Found(posts=[read] if isinstance(read, RawPost) else [])


def refuse_if_closed(response: Response, target: MastodonTarget) -> None:
    """Raise Parked where `/api/meta` says that strangers may not see such timelines."""
    try:
        meta = json.loads(response.body)
    except (ValueError, RecursionError):
        return
    meta = meta if isinstance(meta, dict) else {}
    policies = meta.get("policies")
    policies = policies if isinstance(policies, dict) else {}
    no_timeline = policies.get("ltlAvailable") is False and not target.tag
    if no_timeline or meta.get("ugcVisibilityForVisitor") == "none":
        raise Parked(CLOSED, CHOOSE_ANOTHER)


def plain(text: str) -> str:
    """Return a text without the markup of MFM that would part words or hide them: functions, tags, bold, link targets."""
    text = _TAG.sub("", _LINK.sub(r"\1", text))
    for _ in range(DEEPEST_NESTING):
        shorter = _FUNCTION.sub(r"\1", text)
        if shorter == text:
            break
        text = shorter
    return _STRONG.sub(r"\2", text)


def _notes(response: Response) -> list[Any]:
    """Return the list in an answer; raises Parked for every other answer."""
    code = _error(response)
    if code in CLOSED_CODES or (code and response.status in {401, 403}):
        raise Parked(f"{CLOSED} ({code})", CHOOSE_ANOTHER)
    if response.status in {401, 403}:
        raise Parked(f"{CLOSED} (HTTP {response.status})", CHOOSE_ANOTHER)
    if response.status == HTTPStatus.NOT_FOUND:
        raise Parked("no Misskey timeline here (HTTP 404)", "check `instance` and `software` in the study file")
    if response.status == HTTPStatus.BAD_REQUEST and code:
        raise Parked(f"the server refuses what it is asked ({code})", TRY_LATER)
    refuse(response, "instance")
    notes = json_of(response)
    if not isinstance(notes, list):
        raise Parked("the answer is not a timeline", "check `instance` and `software` in the study file")
    return notes


def _error(response: Response) -> str:
    """Return the code of an error, '' where the answer is none."""
    try:
        answer = json.loads(response.body) if response.status != HTTPStatus.OK else None
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    code = words(error.get("code")) if isinstance(error, dict) else ""
    return code if _CODE.fullmatch(code) else ""


def _read(note: Mapping[str, Any], instance: str) -> RawPost | str:
    """Return a note as a post, or the reason for leaving it out."""
    text, warning = words(note.get("text")), words(note.get("cw"))
    if note.get("renoteId") and not text and not warning:
        return REBLOG
    if note.get("visibility") not in (None, "public") or note.get("isHidden") is True:
        return NOT_PUBLIC
    user = note.get("user")
    user = user if isinstance(user, dict) else {}
    if user.get("isBot") is True:
        return BOT
    name = words(user.get("username"))
    created = note.get("createdAt")
    created_at = parse_date(created)
    return RawPost(
        native_id=_address(note, instance),
        title=plain(warning),
        text=plain(text),
        author=f"{name}@{words(user.get('host')) or urlsplit(instance).netloc}".lower() if name else None,
        author_names=names_of(words(user.get("name")), name),
        url=words(note.get("url")) or _address(note, instance),
        ref=note["id"],
        parent=_answered(note, instance),
        created_at=created_at,
        edited_at=parse_date(note.get("updatedAt")),
        counts=_counts(note),
        flaws=(DATE_UNREADABLE,) if created is not None and created_at is None else (),
    )


def _answered(note: Mapping[str, Any], instance: str) -> str | None:
    """Return the address of the note that this one answers or, failing that, quotes."""
    for kind in ("reply", "renote"):
        other, number = note.get(kind), words(note.get(f"{kind}Id"))
        if number:
            return _address({"id": number, **(other if isinstance(other, dict) else {})}, instance)
    return None


def _address(note: Mapping[str, Any], instance: str) -> str:
    """Return the address of a note that all servers know it by; of one written here Misskey leaves it out."""
    return words(note.get("uri")) or f"{instance}/notes/{note['id']}"


def _counts(note: Mapping[str, Any]) -> dict[str, int] | None:
    fields = {"replies": "repliesCount", "reposts": "renoteCount", "likes": "reactionCount"}
    return {name: n for name, field in fields.items() if (n := whole(note.get(field))) is not None} or None
