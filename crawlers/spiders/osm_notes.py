"""Notes that people leave on OpenStreetMap around a city (docs/sources/osm_notes.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.config import City
from citystudy.targets import OsmNotesTarget
from crawlers.answers import GONE_STATUSES, object_of, objects, refuse, whole, words
from crawlers.around import box_around, centre_of
from crawlers.dates import as_stored, parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

PAGE_SIZE = 100
LARGEST_PAGE = 10_000  # the API gives no more

NOT_A_NOTE = "not a note"


class OsmNotesSpider(TargetSpider[OsmNotesTarget]):
    """Reads notes by their last change, oldest first, so that what changes meanwhile comes at the end.

    Mark: `changed`, the last change of the newest note read, and `notes`, the notes of that very second. A step asks for
    at most `limit` notes changed `from` a moment on.

    The API sorts notes by a moment that it does not tell. It may be later than all that a note shows, since the words of
    suspended users are left out; hence a page may end at no later a moment than it began, and a larger one is asked for.
    """

    name = "osm_notes"
    target_type = OsmNotesTarget
    look_batch = 1

    def opening(self, visit: Visit[OsmNotesTarget]) -> list[Step]:
        """Begin where the last crawl ended; raises Parked where there is no place to look around."""
        box_of(visit.target, visit.city)
        return [{"from": visit.mark.get("changed") or self._begin(), "limit": PAGE_SIZE}]

    def request(self, visit: Visit[OsmNotesTarget], step: Step) -> scrapy.Request:
        """Ask for notes changed from a moment on, or for one note again."""
        server = visit.target.server.rstrip("/")
        if AGAIN in step:
            number = step[AGAIN][0][1].rsplit("/", 1)[1]
            return self.ask(visit, step, f"{server}/api/0.6/notes/{number}.json")
        query = {
            "bbox": ",".join(f"{degree:.6f}" for degree in box_of(visit.target, visit.city)),
            "closed": -1,
            "limit": step["limit"],
            "sort": "updated_at",
            "order": "oldest",
            "from": step["from"],
        }
        return self.ask(visit, step, f"{server}/api/0.6/notes/search.json?{urlencode(query)}")

    def read(self, visit: Visit[OsmNotesTarget], step: Step, response: Response) -> Found:
        """Return the notes and their comments, and the page after them."""
        if AGAIN in step:
            return _second_look(visit, step, response)
        refuse(response, "server")
        features = object_of(response).get("features")
        if not isinstance(features, list):
            raise Parked("answered JSON that is no list of notes", "check `server` in the study file")
        notes = {number: note for note in objects(features) if (number := _number(note)) is not None}
        changes = {number: changed for number, note in notes.items() if (changed := _last_change(note)) is not None}
        known = set(visit.mark.get("notes", ())) if step["from"] == visit.mark.get("changed") else set()
        fresh = [number for number in notes if number not in known or _changed(changes, number) != step["from"]]
        found = Found(quiet=bool(visit.mark) and not fresh)
        if len(notes) < len(features):
            found.dropped[NOT_A_NOTE] = len(features) - len(notes)
        for number in fresh:
            found.posts.extend(posts_of(notes[number], visit.host))
        began = parse_date(step["from"])
        assert began is not None
        stamp = as_stored(max([began, *changes.values()]))
        if fresh:
            same = {number for number in changes if _changed(changes, number) == stamp}
            found.mark = {"changed": stamp, "notes": sorted(same | (known if stamp == step["from"] else set()))}
        if stamp != step["from"]:
            found.next = [{"from": stamp, "limit": PAGE_SIZE}]
        elif len(features) >= step["limit"]:
            found.next = [_beyond(step, began)]
        return found

    def _begin(self) -> str:
        """Return from when on a first crawl reads: the first notes are of April 2013."""
        first = datetime(2013, 4, 1, tzinfo=UTC)
        return as_stored(max(first, self.since() or first))


def _beyond(step: Step, began: datetime) -> Step:
    """Return the step after a full page that ended at no later a moment than it began."""
    if step["limit"] < LARGEST_PAGE:
        return {**step, "limit": min(10 * step["limit"], LARGEST_PAGE)}
    return {"from": as_stored(began + timedelta(seconds=1)), "limit": PAGE_SIZE}


def box_of(target: OsmNotesTarget, city: City) -> tuple[float, float, float, float]:
    """Return west, south, east and north in degrees: the target's box, or one around the city's centre.

    Raises Parked for a city without coordinates.
    """
    return target.box or box_around(*centre_of(city, otherwise=", or `box` to the target"), target.radius_km)


def posts_of(note: Mapping[str, Any], host: str) -> Iterator[RawPost]:
    """Yield what people wrote at a note: the note itself, then each comment that has words."""
    number = _number(note)
    longitude, latitude = _point(note)
    first = f"{host}/note/{number}"
    for place, comment in enumerate(objects(_properties(note).get("comments"))):
        text = words(comment.get("text"))
        if not text.strip():
            continue
        uid, written = whole(comment.get("uid")), comment.get("date")
        created_at = parse_date(written)
        opens = place == 0 and comment.get("action") == "opened"
        yield RawPost(
            # A comment has no number of its own; nobody writes two at one note in one second.
            native_id=first if opens else f"{first} {written} {uid or 'anonymous'}",
            ref=first,
            text=text,
            author=f"{host} user {uid}" if uid is not None else None,
            author_names=(words(comment.get("user")),) if comment.get("user") else (),
            url=f"https://www.openstreetmap.org/note/{number}",
            thread=first,
            parent=None if opens else first,
            created_at=created_at,
            latitude=latitude,
            longitude=longitude,
            basis="coordinates",
            flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
        )


def _second_look(visit: Visit[OsmNotesTarget], step: Step, response: Response) -> Found:
    [(native_id, _)] = step[AGAIN]
    if response.status in GONE_STATUSES:  # a note that moderators hid
        return Found(gone=[native_id])
    refuse(response, "server")
    still = [post for post in posts_of(object_of(response), visit.host) if post.native_id == native_id]
    return Found(posts=still, gone=[] if still else [native_id])


def _changed(changes: Mapping[int, datetime], number: int) -> str | None:
    return as_stored(changes[number]) if number in changes else None


def _properties(note: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = note.get("properties")
    return properties if isinstance(properties, dict) else {}


def _number(note: Mapping[str, Any]) -> int | None:
    return whole(_properties(note).get("id"))


def _last_change(note: Mapping[str, Any]) -> datetime | None:
    properties = _properties(note)
    dates = [properties.get("date_created"), properties.get("closed_at")]
    dates += [comment.get("date") for comment in objects(properties.get("comments"))]
    return max((moment for date in dates if (moment := parse_date(date))), default=None)


def _point(note: Mapping[str, Any]) -> tuple[float | None, float | None]:
    geometry = note.get("geometry")
    point = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if isinstance(point, list) and len(point) >= 2 and all(type(degree) in {int, float} for degree in point[:2]):  # noqa: PLR2004
        return float(point[0]), float(point[1])
    return None, None
