"""pushshift: submissions and comments of Reddit, as the dumps of Pushshift and Arctic Shift hold them."""

from __future__ import annotations

import html
from typing import Any

from crawlers.importers.cells import Cells
from crawlers.importers.containers.rows import Row, at
from crawlers.importers.formats.base import DELETED, REMOVED, Format
from crawlers.reddit_posts import DELETED_WORDS, NOBODY, REMOVED_WORDS

_BY_AUTHOR = {"deleted", "author"}


def _is_comment(row: Row) -> bool:
    return isinstance(row.get("body"), str) and isinstance(row.get("link_id"), str)


def _is_submission(row: Row) -> bool:
    return isinstance(row.get("title"), str) and ("selftext" in row or "permalink" in row)


def _fits(row: Row) -> bool:
    return isinstance(row.get("id"), str) and "created_utc" in row and (_is_comment(row) or _is_submission(row))


def _cells(row: Row) -> Cells | str:
    comment = _is_comment(row)
    text = row.get("body" if comment else "selftext")
    gone = _reason_gone(row, text)
    if gone:
        return gone
    prefix = "t1_" if comment else "t3_"
    name = row["id"] if row["id"].startswith(prefix) else prefix + row["id"]
    author, edited, link = row.get("author"), row.get("edited"), row.get("permalink")
    if isinstance(author, str) and author in NOBODY:
        author = None
    return {
        "id": name,
        "title": None if comment else row["title"],
        "text": text,
        "author": author,
        "author_names": (author,),
        "url": f"https://www.reddit.com{link}" if isinstance(link, str) and link.startswith("/") else None,
        "thread": row["link_id"] if comment else name,
        "parent": row.get("parent_id") if comment else None,
        "created_at": row["created_utc"],
        "edited_at": None if isinstance(edited, bool) else edited,
        "likes": row.get("score"),
        "replies": row.get("num_comments"),
    }


def _reason_gone(row: Row, text: Any) -> str | None:
    """Return why a post is no longer to be had at Reddit, also where the archive still holds its text."""
    told = text.strip().casefold() if isinstance(text, str) else ""
    if told in DELETED_WORDS:
        return DELETED
    if told in REMOVED_WORDS:
        return REMOVED
    kind = at(row, "_meta.removal_type") or row.get("removed_by_category")
    if isinstance(kind, str) and kind:
        return DELETED if kind in _BY_AUTHOR else REMOVED
    return DELETED if at(row, "_meta.was_deleted_later") is True else None


FORMAT = Format(
    name="pushshift",
    expects="posts of Reddit: id and created_utc, with body and link_id (a comment) or title and selftext (a submission)",
    fits=_fits,
    cells=_cells,
    clean=html.unescape,
    source="reddit",
)
