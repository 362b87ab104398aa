"""Posts and comments of VKontakte's API, read into posts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crawlers.answers import objects, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import plain

ADVERT = "marked as advertising"
REPOST = "repost without words of its own"

_PLACE = re.compile(r"\s*(-?\d+(?:\.\d+)?)[\s,]+(-?\d+(?:\.\d+)?)\s*")


def post_id(post: Mapping[str, Any]) -> str | None:
    """Return a post's id over all of VK, such as wall-1_2; None where it has none."""
    owner, number = whole_signed(post.get("owner_id")), whole(post.get("id"))
    return f"wall{owner}_{number}" if owner and number else None


def comment_id(comment: Mapping[str, Any], post: str) -> str | None:
    """Return a comment's id over all of VK, such as wall-1_2_r3."""
    number = whole(comment.get("id"))
    return f"{post}_r{number}" if number else None


def reason_to_leave_out(post: Mapping[str, Any]) -> str | None:
    """Return why a post of a wall says nothing for its city, None where it does."""
    if post.get("marked_as_ads"):
        return ADVERT
    if not words(post.get("text")).strip() and objects(post.get("copy_history")):
        return REPOST
    return None


def wall_post(post: Mapping[str, Any], name: str, *, by_place: bool) -> RawPost:
    """Return a post of a wall; `by_place` where VK found it by its place."""
    latitude, longitude = place_of(post.get("geo"))
    counts = {
        "likes": _count(post, "likes"),
        "reposts": _count(post, "reposts"),
        "views": _count(post, "views"),
        "replies": _count(post, "comments"),
    }
    written = post.get("date")
    created_at = parse_date(written)
    return RawPost(
        native_id=name,
        text=plain(words(post.get("text"))),
        author=_author(post.get("signer_id") or post.get("from_id")),
        url=f"https://vk.com/{name}",
        thread=name,
        created_at=created_at,
        edited_at=parse_date(post.get("edited")),
        counts={key: count for key, count in counts.items() if count is not None} or None,
        latitude=latitude,
        longitude=longitude,
        basis="coordinates" if by_place else "target",
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )


def comment_post(comment: Mapping[str, Any], name: str, post: str) -> RawPost:
    """Return a comment below a post."""
    written = comment.get("date")
    created_at = parse_date(written)
    above = whole(comment.get("reply_to_comment"))
    likes = _count(comment, "likes")
    return RawPost(
        native_id=name,
        text=plain(words(comment.get("text"))),
        author=_author(comment.get("from_id")),
        url=f"https://vk.com/{post}?reply={comment.get('id')}",
        thread=post,
        parent=f"{post}_r{above}" if above else post,
        created_at=created_at,
        counts={"likes": likes} if likes is not None else None,
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )


def place_of(geo: object) -> tuple[float | None, float | None]:
    """Return latitude and longitude of a `geo`: a string, or an object whose coordinates are a string or an object."""
    told = geo.get("coordinates") if isinstance(geo, dict) else geo
    if isinstance(told, dict):
        numbers = told.get("latitude"), told.get("longitude")
        if all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
            return float(numbers[0]), float(numbers[1])  # type: ignore[arg-type]
    match = _PLACE.fullmatch(told) if isinstance(told, str) else None
    return (float(match[1]), float(match[2])) if match else (None, None)


def whole_signed(value: object) -> int | None:
    """Return a JSON number that may be below zero, as communities' are; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _author(number: object) -> str | None:
    """Return who speaks: an account, or a community in its own name."""
    told = whole_signed(number)
    return None if not told else f"id{told}" if told > 0 else f"club{-told}"


def _count(holder: Mapping[str, Any], name: str) -> int | None:
    value = holder.get(name)
    return whole(value.get("count")) if isinstance(value, dict) else None
