"""fourcat: data sets of 4CAT, and Zeeschuimer's CSV, with the columns that 4CAT maps every platform to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from crawlers.importers.cells import Cells, word
from crawlers.importers.containers.rows import Row
from crawlers.importers.formats.base import REPOST, Format, first_of, language
from crawlers.importers.formats.tweets import TWITTER
from crawlers.markup import plain

_HEADER = frozenset({"id", "thread_id", "body", "timestamp"})
_URLS = ("comment_url", "tiktok_url", "post_url", "link", "url")
_NAMES = ("author", "author_username", "author_full", "author_fullname", "author_name", "author_forwarded_from_name")
_HOSTS = {
    "tiktok.com": "tiktok",
    "x.com": TWITTER,
    "twitter.com": TWITTER,
    "instagram.com": "instagram",
    "threads.com": "threads",
    "threads.net": "threads",
    "linkedin.com": "linkedin",
    "bsky.app": "bluesky",
    "facebook.com": "facebook",
    "youtube.com": "youtube",
}


def _fits(row: Row) -> bool:
    return "body" in row and "thread_id" in row and "id" in row


def _cells(row: Row) -> Cells | str:
    if row.get("is_retweet") == "yes":
        return REPOST
    of_reddit = row.get("subreddit") is not None
    url = None if of_reddit else first_of(row, _URLS)
    latitude, _, longitude = str(row.get("location_latlong") or "").partition(",")
    native_id, thread = row.get("id"), row.get("thread_id")
    parent = first_of(row, ("parent_id", "parent"))
    chat, answered = word(row.get("chat")), word(row.get("reply_to"))
    if chat and answered:
        parent = f"{chat}-{answered}"  # ids of messages are made so
    return {
        "id": native_id,
        "title": row.get("subject"),
        "text": row.get("body"),
        "source": _source(row, url, of_reddit=of_reddit),
        "author": first_of(row, ("author_id", "author")),
        "author_names": tuple(row.get(name) for name in _NAMES),
        "url": url,
        "thread": thread,
        "parent": None if parent == native_id else parent,
        "created_at": first_of(row, ("unix_timestamp", "timestamp")),
        "edited_at": first_of(row, ("unix_timestamp_edited", "timestamp_edited")),
        "lang": language(first_of(row, ("language_guess", "language"))),
        "latitude": latitude,
        "longitude": longitude,
        "likes": _known(
            first_of(row, ("likes", "like_count", "num_likes", "amount_likes", "score")), of_reddit=of_reddit
        ),
        "replies": _known(first_of(row, ("comments", "reply_count", "replies", "num_comments", "amount_comments"))),
        "reposts": _known(first_of(row, ("shares", "retweet_count", "reposts", "amount_shares"))),
        "views": _known(first_of(row, ("plays", "impression_count", "views", "amount_plays"))),
    }


def _source(row: Row, url: object, *, of_reddit: bool) -> str | None:
    """Return the platform, which 4CAT's columns do not name: from the post's address, or columns of one platform."""
    if of_reddit:
        return "reddit"
    if row.get("is_comment_on_comment") is not None:
        return "tiktok-comments"
    if isinstance(url, str):
        host = _host(url)
        return next((source for known, source in _HOSTS.items() if host == known or host.endswith("." + known)), None)
    return "telegram" if "author_is_bot" in row and "chat" in row else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _known(count: Any, *, of_reddit: bool = False) -> Any:
    """Return a count; a negative one stands for unknown, but for Reddit's scores."""
    return None if not of_reddit and str(count).startswith("-") else count


FORMAT = Format(
    name="fourcat",
    expects="4CAT's columns: id, thread_id, timestamp, body and author",
    fits=_fits,
    cells=_cells,
    clean=plain,
    header=_HEADER,
)
