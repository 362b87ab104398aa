"""One visit of one target: where it began, what it brought, and how it is told to the parent process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from citystudy.config import FeedTarget, MastodonTarget
from citystudy.store import Saved
from crawlers.dates import as_stored
from crawlers.intake import Place
from crawlers.items import Page

TargetT = TypeVar("TargetT", FeedTarget, MastodonTarget)

FINISHED = "finished"
PAGE_LIMIT = "page limit reached; the next crawl goes on from here"
INTERRUPTED = "interrupted; the next crawl goes on from here"


@dataclass(slots=True)
class Tally:
    """What a visit has brought so far."""

    pages: int = 0
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)

    def add(self, saved: Saved, page: Page) -> None:
        """Count one stored page."""
        self.new += saved.new
        self.edited += saved.edited
        self.unchanged += saved.unchanged
        self.dropped.update(page.dropped)
        self.altered.update(page.altered)


@dataclass(slots=True)
class Visit(Generic[TargetT]):
    """A target while it is being read. `cursor` is where it stands, `seen` the native ids met in this visit."""

    target: TargetT
    place: Place
    host: str
    cursor: dict[str, Any]
    crawl: int = 0
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)
    status: int | None = None
    posts: int = 0
    newest: datetime | None = None
    ended: bool = False

    def note(self, pages: Sequence[Page]) -> None:
        """Remember how many posts pages held and when the newest was written."""
        for page in pages:
            self.posts += len(page.posts)
            for post in page.posts:
                if post.created_at and (self.newest is None or post.created_at > self.newest):
                    self.newest = post.created_at

    def told(self, ends: str | None, *, parked: bool) -> dict[str, Any]:
        """Return the visit's state as one line of progress."""
        tally = self.tally
        return {
            "target": self.place.target,
            "city": self.place.city,
            "pages": tally.pages,
            "new": tally.new,
            "edited": tally.edited,
            "unchanged": tally.unchanged,
            "dropped": tally.dropped,
            "altered": tally.altered,
            "ends": ends,
            "parked": parked,
        }

    def probed(self, reason: str | None, mend: str | None) -> dict[str, Any]:
        """Return what a probe of the target found as one line."""
        return {
            "target": self.place.target,
            "city": self.place.city,
            "status": self.status,
            "posts": self.posts,
            "newest": as_stored(self.newest) if self.newest else None,
            "reason": reason,
            "mend": mend,
        }


class HostTurns:
    """Lets one visit at a time read a host, over all spiders of this process."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def free(self, host: str) -> bool:
        """Tell whether nobody reads the host."""
        return not self._lock(host).locked()

    async def take(self, host: str) -> None:
        """Wait for the host and take it."""
        await self._lock(host).acquire()

    def give_back(self, host: str) -> None:
        """Let the next one read the host."""
        self._lock(host).release()

    def _lock(self, host: str) -> asyncio.Lock:
        return self._locks.setdefault(host, asyncio.Lock())


def cursor_copy(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a cursor whose lists may be changed without changing the original."""
    return {key: [*value] if isinstance(value, list) else value for key, value in cursor.items()}
