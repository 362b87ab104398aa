"""What a forum spider remembers of topics: for each a trace that changes with every post, and its last page as read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

TOPICS_KEPT = 500  # those at the top of the list; one further down that wakes up is read from its beginning

Marks = Mapping[str, list[Any]]


def changed(known: Marks, traces: Mapping[str, str | None]) -> list[str]:
    """Return the keys of the topics that have something new, or whose trace can't tell (None), in their order."""
    return [key for key, trace in traces.items() if trace is None or key not in known or known[key][0] != trace]


def remembered(known: Marks, traces: Mapping[str, str | None], above: Collection[str]) -> dict[str, list[Any]]:
    """Return the marks with a page of the list taken in; `above` are the keys that this visit saw on earlier pages."""
    first = {key: mark for key, mark in known.items() if key in above and key not in traces}
    here = {key: [trace, page_of(known, key)] for key, trace in traces.items()}
    below = {key: mark for key, mark in known.items() if key not in first and key not in here}
    return dict(list({**first, **here, **below}.items())[:TOPICS_KEPT])


def page_of(known: Marks, key: str) -> Any:
    """Return the last page of a topic as it was read, None where none was."""
    return known[key][1] if key in known else None


def with_page(known: Marks, key: str, page: Any) -> dict[str, list[Any]]:
    """Return the marks with a topic's last page, the topic left out where it is not kept."""
    return {**known, key: [known[key][0], page]} if key in known else dict(known)


def traces_of(entries: Iterable[tuple[str, str | None]]) -> dict[str, str | None]:
    """Return the traces of a list's topics by key, the first of those that come twice."""
    traces: dict[str, str | None] = {}
    for key, trace in entries:
        traces.setdefault(key, trace)
    return traces
