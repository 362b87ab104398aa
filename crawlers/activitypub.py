"""One post by its own address, as servers show it to each other (ActivityPub, W3C 2018).

Some servers show their timelines to everybody, but single posts by their API to members only (snac); the post's own
address they have to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from scrapy.http import Response

from crawlers.answers import GONE_STATUSES, object_of, words
from crawlers.dates import parse_date
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.timelines import refuse_if_away
from crawlers.visits import Found

ACCEPT = "application/activity+json"
EVERYBODY = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}


def looked_again(response: Response, pair: Sequence[str], *, missing: bool) -> Found:
    """Return whether a post, a pair of native id and ref, is there, and how it reads if it was edited; raises Parked.

    `missing` says whether it was found missing elsewhere, which holds where its address tells nothing.
    """
    native_id, ref = pair
    refuse_if_away(response)
    note = _note(response, native_id)
    if response.status in GONE_STATUSES or (note is None and missing) or (note is not None and _withdrawn(note)):
        return Found(gone=[native_id])
    # What was never edited reads as it was read in the timeline, whose markup may differ.
    if note is None or parse_date(note.get("updated")) is None:
        return Found()
    return Found(posts=[_post(note, native_id, ref)])


def _note(response: Response, native_id: str) -> Mapping[str, Any] | None:
    """Return the post in an answer, None for every other answer."""
    if response.status != HTTPStatus.OK:
        return None
    try:
        note = object_of(response)
    except Parked:
        return None  # a page for people
    return note if note.get("id") == native_id else None


def _withdrawn(note: Mapping[str, Any]) -> bool:
    """Tell whether a post was deleted, or is no longer for everybody."""
    to = note.get("to")
    readers = to if isinstance(to, list) else [to]
    return note.get("type") == "Tombstone" or not any(isinstance(who, str) and who in EVERYBODY for who in readers)


def _post(note: Mapping[str, Any], native_id: str, ref: str) -> RawPost:
    writer = words(note.get("attributedTo")).rstrip("/").rpartition("/")[2].lstrip("@")
    return RawPost(
        native_id=native_id,
        ref=ref,
        title=html_to_text(words(note.get("summary"))),
        text=html_to_text(words(note.get("content"))),
        author_names=(writer,) if writer else (),
        created_at=parse_date(note.get("published")),
        edited_at=parse_date(note.get("updated")),
    )
