"""The one way in for every post, from a spider or a file: examined, then protected.

Reasons for leaving a post out, and for altering one that is kept, are named here and counted by the caller.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from citystudy.privacy import Secret, redact
from citystudy.store import CityBasis, Post
from citystudy.text import full_text, names_city, storable
from crawlers.dates import as_stored, believable
from crawlers.items import RawPost

TEXT_LIMIT = 100_000
ID_LIMIT = 2_000
NAME_MIN_LETTERS = 3
MAX_LATITUDE = 90
MAX_LONGITUDE = 180

NO_ID = "no id"
NO_TEXT = "no text"
ID_TOO_LONG = f"id over {ID_LIMIT:,} characters"
TEXT_CUT = f"text cut at {TEXT_LIMIT:,} characters"
DATE_UNBELIEVABLE = "date unbelievable"
DATE_UNREADABLE = "date unreadable"

_LANGUAGE = re.compile(r"[a-z]{2,3}(?![a-z])")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where posts belong: their target, its city, the source name that keys their ids, and the city's names."""

    target: str
    city: str
    source: str
    city_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """A post fit to be protected, or the reason it is left out; and what was altered in it."""

    post: RawPost | None
    dropped: str | None = None
    altered: tuple[str, ...] = ()


@dataclass(slots=True)
class Batch:
    """Posts fit to store, with what was left out and what was altered, each by reason."""

    posts: list[Post] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)


def examine(raw: RawPost, now: datetime) -> Examined:
    """Check one post and clean its texts; an unbelievable date is taken away, never guessed."""
    native_id = storable(raw.native_id)
    if not native_id:
        return Examined(None, NO_ID)
    if len(native_id) > ID_LIMIT:
        return Examined(None, ID_TOO_LONG)
    title, text = storable(raw.title).replace("\n", " "), storable(raw.text)
    if not text:
        title, text = "", title
    if not text:
        return Examined(None, NO_TEXT)
    altered = list(raw.flaws)
    if len(text) > TEXT_LIMIT or len(title) > TEXT_LIMIT:
        title, text = title[:TEXT_LIMIT].rstrip(), text[:TEXT_LIMIT].rstrip()
        altered.append(TEXT_CUT)
    created_at, edited_at = raw.created_at, raw.edited_at
    if created_at is not None and not believable(created_at, now):
        created_at = None
        altered.append(DATE_UNBELIEVABLE)
    if edited_at is not None and not believable(edited_at, now):
        edited_at = None
    whole = _on_earth(raw.latitude, raw.longitude)
    post = replace(
        raw,
        native_id=native_id,
        title=title,
        text=text,
        url=storable(raw.url) or None if raw.url else None,
        thread=storable(raw.thread) or None if raw.thread else None,
        parent=storable(raw.parent) or None if raw.parent else None,
        ref=storable(raw.ref) or None if raw.ref else None,
        created_at=created_at,
        edited_at=edited_at,
        declared_lang=_language(raw.declared_lang),
        latitude=raw.latitude if whole else None,
        longitude=raw.longitude if whole else None,
    )
    return Examined(post, altered=tuple(altered))


def protect(post: RawPost, place: Place, secret: Secret, fetched_at: str) -> Post:
    """Return an examined post as it may be stored: ids keyed and sealed, author a pseudonym, text redacted."""
    names = [storable(name) for name in post.author_names]
    sealed = {"id": post.native_id, "url": post.url, "thread": post.thread, "parent": post.parent, "ref": post.ref}
    return Post(
        key=secret.key(place.source, post.native_id),
        target=place.target,
        city=place.city,
        title=redact(_without(names, post.title)),
        text=redact(_without(names, post.text)),
        sealed=secret.seal({name: value for name, value in sealed.items() if value is not None}),
        fetched_at=fetched_at,
        city_basis=_basis(post, place),
        author=secret.pseudonym(place.source, post.author) if post.author else None,
        thread=secret.key(place.source, post.thread) if post.thread else None,
        parent=secret.key(place.source, post.parent) if post.parent else None,
        created_at=as_stored(post.created_at) if post.created_at else None,
        edited_at=as_stored(post.edited_at) if post.edited_at else None,
        declared_lang=post.declared_lang,
        counts=dict(post.counts) if post.counts else None,
        latitude=post.latitude,
        longitude=post.longitude,
    )


def take_in(raws: Iterable[RawPost], place: Place, secret: Secret, now: datetime) -> Batch:
    """Examine and protect posts of one place."""
    batch = Batch()
    fetched_at = as_stored(now)
    for raw in raws:
        examined = examine(raw, now)
        if examined.post is None:
            batch.dropped[examined.dropped or NO_TEXT] += 1
        else:
            batch.altered.update(examined.altered)
            batch.posts.append(protect(examined.post, place, secret, fetched_at))
    return batch


def _basis(post: RawPost, place: Place) -> CityBasis:
    """Return why a post counts for its city: one of which only the country is known may still name the city."""
    if post.basis == "country" and names_city(full_text(post.title, post.text), place.city_names):
        return "mention"
    return post.basis


def _without(names: Sequence[str], text: str) -> str:
    """Return `text` with the author's own names as whole words replaced by the mark of a handle."""
    for name in names:
        # Looked for as it is first: to compile a pattern for each name of each post would cost more than all else.
        if name in text and len(_LETTER.findall(name)) >= NAME_MIN_LETTERS:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[HANDLE]", text)
    return text


def _language(code: str | None) -> str | None:
    found = _LANGUAGE.match(code.strip().lower()) if code else None
    return found[0] if found and found[0] != "und" else None


def _on_earth(latitude: float | None, longitude: float | None) -> bool:
    return (
        latitude is not None
        and longitude is not None
        and abs(latitude) <= MAX_LATITUDE
        and abs(longitude) <= MAX_LONGITUDE
    )
