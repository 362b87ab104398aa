"""What the timelines of fediverse servers have in common, whichever API they speak."""

from __future__ import annotations

from dataclasses import dataclass, field

from scrapy.http import Response

from crawlers.answers import TRY_LATER
from crawlers.items import RawPost
from crawlers.parking import Parked

NOT_A_POST = "not a post"
REBLOG = "reblog"
NOT_PUBLIC = "not public"
BOT = "bot account"

CLOSED = "closed: this server shows the timeline to its members only"
CHOOSE_ANOTHER = "choose another server, or ask this one's administrators"
_AWAY = frozenset({429, 502, 503, 504, 520, 521, 522, 523, 524})


@dataclass(slots=True)
class Timeline:
    """A page of a timeline, newest first.

    `ids` are those of all that it shows, `entries` the posts that are newer than what was asked for, or why one of them
    is left out; `strange` counts what is no post at all. `below` is the id below which the next page begins, None where
    there is none.
    """

    ids: list[str]
    entries: list[RawPost | str] = field(default_factory=list)
    strange: int = 0
    below: str | None = None


def refuse_if_away(response: Response) -> None:
    """Raise Parked where an answer says nothing of the post that was looked at again, but of the server."""
    if response.status in _AWAY:
        raise Parked(f"HTTP {response.status}", TRY_LATER)
