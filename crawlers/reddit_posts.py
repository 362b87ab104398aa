"""Submissions and comments of Reddit, as its API and the Arctic Shift archive write them, read into posts."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from crawlers.answers import whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markdown import markdown_to_text

DELETED = "deleted or removed at Reddit"
BOT = "bot account"

DELETED_WORDS = frozenset({"[deleted]", "[deleted by user]"})
REMOVED_WORDS = frozenset({"[removed]", "[removed by reddit]", "[ removed by reddit ]"})
NOBODY = DELETED_WORDS | REMOVED_WORDS
BOTS = {"automoderator"}


def fullname(thing: Mapping[str, Any]) -> str | None:
    """Return the name that Reddit gives a submission (t3_…) or comment (t1_…)."""
    name = words(thing.get("name"))
    if name.startswith(("t1_", "t3_")):
        return name
    number = words(thing.get("id")).removeprefix("t1_").removeprefix("t3_")
    return f"{'t1' if 'body' in thing else 't3'}_{number}" if number else None


def is_gone(thing: Mapping[str, Any]) -> bool:
    """Tell whether its writer deleted it or a moderator removed it, also where the archive still holds the text.

    The archive's `removal_type` stays on what was deleted at first and is back (`was_initially_deleted`).
    """
    told = [words(thing.get(name)).strip().casefold() for name in ("body", "selftext", "title")]
    meta = thing.get("_meta")
    flags = meta if isinstance(meta, dict) else {}
    removed = flags.get("removal_type") and not flags.get("was_initially_deleted")
    return not NOBODY.isdisjoint(told) or any(
        (thing.get("removed_by_category"), removed, flags.get("was_deleted_later"))
    )


def is_bot(thing: Mapping[str, Any]) -> bool:
    """Tell whether a program of Reddit's own wrote it."""
    return words(thing.get("author")).casefold() in BOTS


def post_of(thing: Mapping[str, Any], name: str) -> RawPost:
    """Return a submission or comment as a post."""
    comment = "body" in thing
    author = words(thing.get("author"))
    known = bool(author) and author.casefold() not in NOBODY
    edited, written = thing.get("edited"), thing.get("created_utc")
    created_at = parse_date(written)
    counts = {"likes": whole(thing.get("score")), "replies": whole(thing.get("num_comments"))}
    link = words(thing.get("permalink"))
    return RawPost(
        native_id=name,
        title="" if comment else html.unescape(words(thing.get("title"))),
        text=markdown_to_text(html.unescape(words(thing.get("body" if comment else "selftext")))),
        author=author if known else None,
        author_names=(author,) if known else (),
        url=f"https://www.reddit.com{link}" if link.startswith("/") else None,
        thread=words(thing.get("link_id")) or name if comment else name,
        parent=words(thing.get("parent_id" if comment else "crosspost_parent")) or None,
        created_at=created_at,
        edited_at=None if isinstance(edited, bool) else parse_date(edited),
        counts={key: count for key, count in counts.items() if count is not None} or None,
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )
