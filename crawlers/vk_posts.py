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
NOT_A_POST = "not a post of a wall"

Names = Mapping[int, tuple[str, ...]]

_PLACE = re.compile(r"\s*(-?\d+(?:\.\d+)?)[\s,]+(-?\d+(?:\.\d+)?)\s*")
_MENTION = re.compile(r"\[(?:id|club|public|event|app)\d+(?:[_:][^|\[\]]*)?\|[^\[\]]*\]")
_LINK = re.compile(r"\[(?:#alias\|[^|\[\]]*\|)?(https?://[^|\[\]\s]+)(?:\|[^\[\]]*)?\]")
_HASHTAG_OF = re.compile(r"(#\w+)@[\w.]+")
_OWN_NAME = re.compile(r"(?:id|club|public)\d+")


def post_id(post: Mapping[str, Any]) -> str | None:
    """Return a post's id over all of VK, such as wall-1_2; None where it has none."""
    owner, number = signed(post.get("owner_id")), whole(post.get("id"))
    return f"wall{owner}_{number}" if owner and number else None


def post_of(name: str) -> str:
    """Return the id of the post that an id belongs to: its own, or the post's below which a comment stands."""
    return name.partition("_r")[0]


def names_of(told: Mapping[str, Any]) -> Names:
    """Return what the people of an answer call themselves, by their number: either order of the name, and a handle."""
    names = {}
    for person in objects(told.get("profiles")):
        number = whole(person.get("id"))
        first, last, handle = (words(person.get(key)).strip() for key in ("first_name", "last_name", "screen_name"))
        whole_name = (f"{first} {last}", f"{last} {first}") if first and last else ()
        if number:
            names[number] = (*whole_name, *([handle] if handle and not _OWN_NAME.fullmatch(handle) else ()))
    return names


def reason_to_leave_out(post: Mapping[str, Any]) -> str | None:
    """Return why a post of a wall says nothing for its city, None where it does."""
    if post.get("post_type") == "reply":
        return NOT_A_POST
    if post.get("marked_as_ads"):
        return ADVERT
    if not _text(post) and objects(post.get("copy_history")):
        return REPOST
    return None


def wall_post(post: Mapping[str, Any], name: str, names: Names, *, by_place: bool) -> RawPost:
    """Return a post of a wall; `by_place` where VK found it by its place."""
    latitude, longitude = place_of(post.get("geo"))
    fields = {"likes": "likes", "reposts": "reposts", "views": "views", "replies": "comments"}
    created_at = parse_date(post.get("date"))
    speaker = post.get("signer_id") or post.get("from_id")
    return RawPost(
        native_id=name,
        text=_text(post),
        author=_author(speaker),
        author_names=names.get(speaker, ()) if isinstance(speaker, int) else (),
        url=f"https://vk.com/{name}",
        thread=name,
        created_at=created_at,
        edited_at=parse_date(post.get("edited")),
        counts={key: n for key, field in fields.items() if (n := count_of(post, field)) is not None} or None,
        latitude=latitude,
        longitude=longitude,
        basis="coordinates" if by_place else "target",
        flaws=(DATE_UNREADABLE,) if post.get("date") is not None and created_at is None else (),
    )


def comment_post(comment: Mapping[str, Any], name: str, names: Names, head: str | None) -> RawPost:
    """Return a comment below a post; `head` is the id of the comment whose thread it stands in."""
    post, _, number = name.partition("_r")
    above = whole(comment.get("reply_to_comment"))
    created_at = parse_date(comment.get("date"))
    speaker = comment.get("from_id")
    likes = count_of(comment, "likes")
    return RawPost(
        native_id=name,
        text=_text(comment),
        author=_author(speaker),
        author_names=names.get(speaker, ()) if isinstance(speaker, int) else (),
        url=f"https://vk.com/{post}?reply={number}",
        thread=post,
        parent=f"{post}_r{above}" if above else head or post,
        ref=head,
        created_at=created_at,
        counts={"likes": likes} if likes is not None else None,
        flaws=(DATE_UNREADABLE,) if comment.get("date") is not None and created_at is None else (),
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


def count_of(holder: Mapping[str, Any], name: str) -> int | None:
    """Return the number that stands in an object such as {"count": 7}; None where it is not stated."""
    value = holder.get(name)
    return whole(value.get("count")) if isinstance(value, dict) else None


def signed(value: object) -> int | None:
    """Return a JSON number that may be below zero, as communities' are; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def readable(text: str) -> str:
    """Return a text without VK's own marks: of a mention or a link no name is left, of a hashtag not its community."""
    text = _LINK.sub(r"\1", _MENTION.sub("[HANDLE]", text)) if "[" in text else text
    return _HASHTAG_OF.sub(r"\1", text) if "#" in text else text


def _text(post: Mapping[str, Any]) -> str:
    """Return what a post or comment says: its text, else the question of a poll."""
    text = words(post.get("text")).strip()
    if not text:
        polls = [entry["poll"] for entry in objects(post.get("attachments")) if isinstance(entry.get("poll"), dict)]
        text = next((asked for poll in polls if (asked := words(poll.get("question")).strip())), "")
    return readable(plain(text))


def _author(number: object) -> str | None:
    """Return who speaks: an account, or a community in its own name."""
    told = signed(number)
    return None if not told else f"id{told}" if told > 0 else f"club{-told}"
