"""One visit of one target: what is still to be asked, what it brought, and how it is told to the parent process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic

from citystudy.config import City
from citystudy.store import History, Saved
from citystudy.targets import TargetT
from crawlers.dates import as_stored
from crawlers.health import Now
from crawlers.intake import Place
from crawlers.items import Page, RawPost

Step = dict[str, Any]
AGAIN = "again"

FINISHED = "finished"
PAGE_LIMIT = "page limit reached; the next crawl goes on from here"
INTERRUPTED = "interrupted; the next crawl goes on from here"

# What of a post is watched for vanishing: a platform that changed its answers.
WATCHED = ("author", "created_at", "title", "thread", "counts", "declared_lang", "latitude")


@dataclass(slots=True)
class Found:
    """What a spider found in one answer.

    `next` are the steps that this answer opens, in the order in which they are to be asked, before whatever else is
    left. `mark` is what to remember of where the target stands, merged into what is known. `gone` are native ids that
    the source no longer has. `quiet` says that the source itself stated that there is nothing new. `broken` says why the
    answer was not whole: what it held is kept, and the step is asked again by the next crawl.
    """

    posts: list[RawPost] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    next: list[Step] = field(default_factory=list)
    mark: dict[str, Any] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    quiet: bool = False
    broken: str | None = None


@dataclass(slots=True)
class Tally:
    """What a visit has brought so far."""

    pages: int = 0
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    deleted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)

    def add(self, saved: Saved, page: Page) -> None:
        """Count one stored page."""
        self.new += saved.new
        self.edited += saved.edited
        self.unchanged += saved.unchanged
        self.deleted += saved.deleted
        self.dropped.update(page.dropped)
        self.altered.update(page.altered)


@dataclass(slots=True, eq=False)
class Visit(Generic[TargetT]):
    """A target while it is being read.

    `mark` is where it stands and `todo` what is still to be asked, the next step last; both are what the cursor in the
    database keeps. `openings` are the steps this visit began with, `seen` ids that the spider met in this visit, `spent`
    the retries it cost. `keyed` tells whether it is read with the operator's own key.
    """

    target: TargetT
    city: City
    place: Place
    host: str
    mark: dict[str, Any] = field(default_factory=dict)
    todo: list[Step] = field(default_factory=list)
    openings: list[Step] = field(default_factory=list)
    crawl: int = 0
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)
    status: int | None = None
    keyed: bool = False
    posts: int = 0
    newest: datetime | None = None
    before: History = field(default_factory=History)
    listed: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    quiet: bool = False
    spent: int = 0
    ended: bool = False
    parked: bool = False

    def cursor(self) -> dict[str, Any]:
        """Return what the database keeps; second looks are worked out anew each time."""
        return {"mark": self.mark, "todo": [step for step in self.todo if AGAIN not in step]}

    def now(self) -> Now:
        """Return what this visit found, as `crawlers.health` judges it."""
        return Now(self.listed, self.tally.new, self.quiet, self.filled)

    def take(self, step: Step, found: Found) -> None:
        """Take in what the answer to a step held."""
        if AGAIN not in step:
            self.listed += len(found.posts) + found.dropped.total()
            self.filled.update(name for post in found.posts for name in WATCHED if getattr(post, name))
        self.mark = {**self.mark, **found.mark}
        self.todo.extend(reversed(found.next))
        self.quiet = self.quiet or found.quiet
        self.posts += len(found.posts)
        moments = [post.created_at for post in found.posts if post.created_at]
        self.newest = max([*moments, *([self.newest] if self.newest else [])], default=None)

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
            "deleted": tally.deleted,
            "dropped": tally.dropped,
            "altered": tally.altered,
            "ends": ends,
            "parked": parked,
        }

    def probed(self, reason: str | None, mend: str | None, quota: str | None) -> dict[str, Any]:
        """Return what a probe of the target found as one line."""
        return {
            "target": self.place.target,
            "city": self.place.city,
            "status": self.status,
            "keyed": self.keyed,
            "quota": quota,
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


def unread(known: Sequence[Step], opening: Sequence[Step]) -> list[Step]:
    """Return what is to be asked, last first: the opening steps in their order, then what an earlier visit left."""
    left = [step for step in known if step not in opening]
    return [*left, *reversed(opening)]
