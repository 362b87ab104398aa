"""What became of posts that a topic's page no longer shows: gone, or moved to a neighbouring page."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from crawlers.forum_pages.paging import Paging

_NUMBER = re.compile(r"[# ](\d+)$")


@dataclass(slots=True)
class Missing:
    """Native ids that are gone, and those to look for on the page before or after."""

    gone: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def missing(asked: Iterable[str], shown: Collection[str], way: Paging, came_from: str | None) -> Missing:
    """Sort the posts that a page does not show by where they can still be.

    Posts of a topic stand in the order of their numbers, so that a deletion further up moves later posts to the page
    before. One whose neighbours on both sides are shown without it is gone. Posts without numbers are gone only where
    the topic has no other page; else nothing is said of them. `came_from` is the page that was looked at before.
    """
    found = Missing()
    numbers = [number for native_id in shown if (number := _number(native_id)) is not None]
    for native_id in asked:
        if native_id in shown:
            continue
        number = _number(native_id)
        if number is None or not numbers:
            if way.previous is None and way.next is None:
                found.gone.append(native_id)
        elif number < min(numbers) and way.previous not in {None, came_from}:
            found.before.append(native_id)
        elif number > max(numbers) and way.next not in {None, came_from}:
            found.after.append(native_id)
        else:
            found.gone.append(native_id)
    return found


def _number(native_id: str) -> int | None:
    found = _NUMBER.search(native_id)
    return int(found[1]) if found else None
