"""twarc: tweets of Twitter's API, v1.1 or v2, as pages with their includes or flattened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crawlers.importers.cells import Cells
from crawlers.importers.containers.rows import NOT_AN_OBJECT, Fault, Row, at
from crawlers.importers.formats.base import REPOST, Format, inner_of, language
from crawlers.importers.formats.tweets import TWITTER, latitude_and_longitude, unescaped, with_history

_PAGE_KEYS = ("includes", "meta", "errors", "matching_rules", "__twarc")
_V2_KEYS = ("author_id", "conversation_id", "edit_history_tweet_ids", "referenced_tweets", "public_metrics")


def _is_v1(row: Row) -> bool:
    return isinstance(row.get("id_str"), str) and isinstance(row.get("user"), dict) and _v1_text(row) is not None


def _is_v2(row: Row) -> bool:
    return isinstance(row.get("text"), str) and row.get("id") is not None and any(key in row for key in _V2_KEYS)


def _fits(row: Row) -> bool:
    return _is_v1(row) or _is_v2(row)


def _unfold(row: Row) -> Iterable[Row | Fault]:
    """Return the tweets of a page, each with its author; a row that is no page as it is."""
    data = row.get("data")
    if not isinstance(data, list | dict) or not any(key in row for key in _PAGE_KEYS):
        empty = data is None and at(row, "meta.result_count") == 0  # the last page of a search
        return () if empty else (row,)
    users = at(row, "includes.users")
    authors = {str(user.get("id")): user for user in users if isinstance(user, dict)} if isinstance(users, list) else {}
    return [
        {"author": authors.get(str(tweet.get("author_id"))), **tweet}
        if isinstance(tweet, dict)
        else Fault(NOT_AN_OBJECT)
        for tweet in (data if isinstance(data, list) else [data])
    ]


def _cells(row: Row) -> Cells | str:
    return _v1(row) if _is_v1(row) else _v2(row)


def _v1_text(row: Row) -> Any:
    for column in ("extended_tweet.full_text", "full_text", "text"):
        text = at(row, column)
        if isinstance(text, str):
            return text
    return None


def _v1(row: Row) -> Cells | str:
    if isinstance(row.get("retweeted_status"), dict):
        return REPOST
    user = row["user"]
    latitude, longitude = latitude_and_longitude(row.get("coordinates"))
    cells = {
        "id": row["id_str"],
        "text": unescaped(_v1_text(row)),
        "author": user.get("id_str"),
        "author_names": (user.get("screen_name"), user.get("name")),
        "created_at": row.get("created_at"),
        "lang": language(row.get("lang")),
        "parent": row.get("in_reply_to_status_id_str"),
        "latitude": latitude,
        "longitude": longitude,
        "likes": row.get("favorite_count"),
        "replies": row.get("reply_count"),
        "reposts": row.get("retweet_count"),
    }
    return with_history(cells, at(row, "edit_history.edit_tweet_ids"))


def _v2(row: Row) -> Cells | str:
    others = row.get("referenced_tweets")
    references = {
        other.get("type"): other.get("id")
        for other in (others if isinstance(others, list) else ())
        if isinstance(other, dict) and isinstance(other.get("type"), str)
    }
    if "retweeted" in references:
        return REPOST
    author = inner_of(row, ("author", "author_user"))
    latitude, longitude = latitude_and_longitude(at(row, "geo.coordinates"))
    cells = {
        "id": row["id"],
        "text": unescaped(at(row, "note_tweet.text") or row["text"]),
        "author": row.get("author_id") or author.get("id"),
        "author_names": (author.get("username"), author.get("name")),
        "created_at": row.get("created_at"),
        "lang": language(row.get("lang")),
        "thread": row.get("conversation_id"),
        "parent": references.get("replied_to"),
        "latitude": latitude,
        "longitude": longitude,
        "likes": at(row, "public_metrics.like_count"),
        "replies": at(row, "public_metrics.reply_count"),
        "reposts": at(row, "public_metrics.retweet_count"),
        "views": at(row, "public_metrics.impression_count"),
    }
    return with_history(cells, row.get("edit_history_tweet_ids"))


FORMAT = Format(
    name="twarc",
    expects="tweets: id_str, user and full_text (v1.1); data, includes and meta, or id, text and author_id (v2)",
    fits=_fits,
    cells=_cells,
    source=TWITTER,
    unfold=_unfold,
)
