"""Posts of the atproto network: as an AppView shows them, and as the bare records of a repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crawlers.answers import objects, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE, NO_TEXT
from crawlers.items import RawPost

POST = "app.bsky.feed.post"
MENTION = "app.bsky.richtext.facet#mention"

NOT_A_POST = "not a post"
REPOST = "repost"
REPLY = "reply"
BLOCKED = "blocked"
OTHER_LANGUAGE = "another language"
NOT_FOR_STRANGERS = "its author shows it to members only"
ADULT = "labelled as adult or graphic"
TAKEN_DOWN = "hidden by moderators"
BOT = "bot account"
WITHDRAWN = frozenset({NOT_FOR_STRANGERS, ADULT, TAKEN_DOWN})
"""Reasons for which a post that is stored already is forgotten."""

_LABELS = {
    "!no-unauthenticated": NOT_FOR_STRANGERS,
    "!hide": TAKEN_DOWN,
    "!takedown": TAKEN_DOWN,
    "!suspend": TAKEN_DOWN,
    "porn": ADULT,
    "sexual": ADULT,
    "nudity": ADULT,
    "graphic-media": ADULT,
    "gore": ADULT,
    "nsfl": ADULT,
    "bot": BOT,
}
_URI = re.compile(r"at://(did:[a-z0-9]+:[\w.:%-]+)/app\.bsky\.feed\.post/([\w.~:-]+)", re.ASCII)
# Nobody wrote here before: an earlier date is that of something imported, or a lie.
_FIRST_POSTS = datetime(2022, 1, 1, tzinfo=UTC)
_MARK = "[HANDLE]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A post as a listing shows it: to be kept, or the reason to leave it out.

    `sorted_at` is its place in a listing, `root` the post that its thread began with, `replies` how many answer it.
    """

    uri: str = field(default="", repr=False)
    post: RawPost | None = None
    reason: str | None = None
    sorted_at: datetime | None = None
    root: str | None = field(default=None, repr=False)
    replies: int = 0


@dataclass(slots=True)
class Thread:
    """The answers below a post: what is shown, what is deleted or blocked, and below which posts the tree was cut."""

    views: list[dict[str, Any]] = field(default_factory=list, repr=False)
    gone: list[str] = field(default_factory=list, repr=False)
    blocked: int = 0
    cut: list[str] = field(default_factory=list, repr=False)


def read_view(view: Mapping[str, Any], language: str | None) -> Shown:
    """Return a post view (`app.bsky.feed.defs#postView`); `language` leaves out what says to be in another."""
    record = _mapping(view.get("record"))
    author = _mapping(view.get("author"))
    handle = words(author.get("handle"))
    shown = _read(
        words(view.get("uri")),
        record,
        names=(f"@{handle}", handle, words(author.get("displayName"))),
        indexed=parse_date(view.get("indexedAt")),
        counts=_counts(view),
        language=language,
    )
    reason = label_reason([*objects(author.get("labels")), *objects(view.get("labels")), *_self_labels(record)])
    return Shown(uri=shown.uri, reason=reason, sorted_at=shown.sorted_at) if reason and shown.post else shown


def read_record(
    entry: Mapping[str, Any], names: tuple[str, ...], language: str | None, *, replies: bool = True
) -> Shown:
    """Return an entry of `com.atproto.repo.listRecords`; `names` are its author's, `replies` keeps answers to others."""
    record = _mapping(entry.get("value"))
    shown = _read(words(entry.get("uri")), record, names, None, None, language)
    reason = label_reason(_self_labels(record)) or (REPLY if shown.root and not replies else None)
    return Shown(uri=shown.uri, reason=reason, sorted_at=shown.sorted_at) if reason and shown.post else shown


def read_thread(tree: object) -> Thread:
    """Return what an answer to `app.bsky.feed.getPostThread` holds; the post asked for comes first, if it is there."""
    thread = Thread()
    nodes = [tree]
    while nodes:
        node = _mapping(nodes.pop())
        uri = words(node.get("uri"))
        view = _mapping(node.get("post"))
        if node.get("notFound") is True:
            thread.gone.extend([uri] if uri else [])
        elif node.get("blocked") is True:
            thread.blocked += 1
        elif view:
            asked_for = not thread.views
            thread.views.append(dict(view))
            if "replies" in node:
                nodes.extend(reversed(objects(node["replies"])))
            elif whole(view.get("replyCount")) and not asked_for:
                thread.cut.append(words(view.get("uri")))
    return thread


def label_reason(labels: Iterable[Mapping[str, Any]]) -> str | None:
    """Return why labels forbid keeping a post, None when they don't; the weightiest first."""
    values = {words(label.get("val")) for label in labels if label.get("neg") is not True}
    return next((reason for label, reason in _LABELS.items() if label in values), None)


def record_key(uri: str) -> str:
    """Return the last part of a post's address."""
    return uri.rsplit("/", 1)[-1]


def text_of(record: Mapping[str, Any]) -> str:
    """Return a record's text, mentions replaced by a mark; facets count bytes of UTF-8.

    Some clients count letters instead, so that their facets point at something else: one that begins or ends in the
    middle of a letter or a word is not believed.
    """
    raw = words(record.get("text")).encode("utf-8", "surrogatepass")
    kept: list[bytes] = []
    at = 0
    for start, end in sorted(_mentions(record)):
        if at <= start < end <= len(raw) and _whole_words(raw, start, end):
            kept += [raw[at:start], _MARK.encode()]
            at = end
    return b"".join([*kept, raw[at:]]).decode("utf-8", "surrogatepass")


def written_at(created: datetime | None, indexed: datetime | None) -> datetime | None:
    """Return when a post was written: as its author's client says, unless the network knows better.

    `created` is any date that the client likes. One after `indexed`, when the network saw the post, or before the
    network was, is not believed.
    """
    if indexed is None:
        return created
    return created if created is not None and _FIRST_POSTS <= created <= indexed else indexed


def _read(
    uri: str,
    record: Mapping[str, Any],
    names: tuple[str, ...],
    indexed: datetime | None,
    counts: Mapping[str, int] | None,
    language: str | None,
) -> Shown:
    address = _URI.fullmatch(uri)
    if address is None or record.get("$type") != POST:
        return Shown(uri=uri, reason=NOT_A_POST)
    stated = record.get("createdAt")
    created = parse_date(stated)
    moments = [moment for moment in (created, indexed) if moment is not None]
    sorted_at = min(moments, default=None)
    languages = _languages(record)
    text = text_of(record)
    if language and languages and language not in languages:
        return Shown(uri=uri, reason=OTHER_LANGUAGE, sorted_at=sorted_at)
    if not text.strip():
        return Shown(uri=uri, reason=NO_TEXT, sorted_at=sorted_at)
    reply = _mapping(record.get("reply"))
    root = words(_mapping(reply.get("root")).get("uri")) or None
    post = RawPost(
        native_id=uri,
        text=text,
        author=address[1],
        author_names=names,
        url=f"https://bsky.app/profile/{address[1]}/post/{address[2]}",
        thread=root,
        parent=words(_mapping(reply.get("parent")).get("uri")) or None,
        created_at=written_at(created, indexed),
        declared_lang=languages[0] if len(languages) == 1 else None,
        counts=counts,
        flaws=(DATE_UNREADABLE,) if stated is not None and not moments else (),
    )
    return Shown(uri=uri, post=post, sorted_at=sorted_at, root=root, replies=(counts or {}).get("replies", 0))


def _counts(view: Mapping[str, Any]) -> dict[str, int] | None:
    fields = {"replies": "replyCount", "reposts": "repostCount", "likes": "likeCount"}
    return {name: n for name, field in fields.items() if (n := whole(view.get(field))) is not None} or None


def _languages(record: Mapping[str, Any]) -> list[str]:
    """Return the languages that the author's client states, without their regions."""
    stated = record.get("langs")
    codes = [words(code).partition("-")[0].lower() for code in stated] if isinstance(stated, list) else []
    return list(dict.fromkeys(filter(None, codes)))


def _self_labels(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return objects(_mapping(record.get("labels")).get("values"))


def _mentions(record: Mapping[str, Any]) -> Iterable[tuple[int, int]]:
    for facet in objects(record.get("facets")):
        index = _mapping(facet.get("index"))
        start, end = whole(index.get("byteStart")), whole(index.get("byteEnd"))
        is_mention = any(feature.get("$type") == MENTION for feature in objects(facet.get("features")))
        if is_mention and start is not None and end is not None and start >= 0:
            yield start, end


def _whole_words(raw: bytes, start: int, end: int) -> bool:
    try:
        before, inside, after = (
            part.decode("utf-8", "surrogatepass") for part in (raw[:start], raw[start:end], raw[end:])
        )
    except UnicodeDecodeError:
        return False
    return not (before[-1:].isalnum() and inside[0].isalnum()) and not (inside[-1].isalnum() and after[:1].isalnum())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
