"""Strata: the only thing within which cities are compared.

A stratum is source × target kind × language × authors known or not × a window that its cities share.
The window rule: undated posts, and targets marked as not comparable, stay out. Of the cities with 30 dated voices or
more the window runs from the latest first day to the earliest last day (days at the 1st and 99th percentile of each
city's posts, so that one stray date does not decide). While a city has fewer than 30 voices inside it, the one with
the fewest (of equals the one without which the window is longest, then by id) is dropped and the window is taken anew. Two cities must remain.
An author who writes in several strata of a city counts in the one with most of their posts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from reports.findings.model import Need, Reason
from reports.findings.ratio import Tables
from reports.findings.voices import Panel, Speech

LEAST_VOICES: Final = 30
LEAST_CITIES: Final = 2


class Place(NamedTuple):
    """Where voices are met: what makes two posts comparable, apart from their time."""

    source: str
    target_kind: str
    lang: str
    authors_known: bool

    @property
    def name(self) -> str:
        """The place in one word, for tables and files."""
        return f"{self.source}/{self.target_kind}/{self.lang}/{'known' if self.authors_known else 'unknown'}"


@dataclass(frozen=True, slots=True)
class Group:
    """The voices of one city within a stratum, and what they said there."""

    voices: frozenset[str]
    said: Mapping[Need, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A place and window with the groups of its cities."""

    place: Place
    first: date
    last: date
    cities: Mapping[str, Group]


def place_of(speech: Speech) -> Place:
    """Return where a speech was met."""
    post = speech.post
    return Place(post.source, post.target_kind, post.lang or "", post.author is not None)


def by_home(speeches: Iterable[Speech]) -> dict[Place, list[Speech]]:
    """Return speeches by place, each voice only in the place with most of its posts (ties by name)."""
    places: dict[str, Counter[Place]] = defaultdict(Counter)
    kept = list(speeches)
    for speech in kept:
        places[speech.voice][place_of(speech)] += 1
    home = {voice: min(counts, key=lambda place: (-counts[place], place)) for voice, counts in places.items()}
    result: dict[Place, list[Speech]] = defaultdict(list)
    for speech in kept:
        if home[speech.voice] == place_of(speech):
            result[home[speech.voice]].append(speech)
    return dict(result)


def group_of(speeches: Iterable[Speech]) -> Group:
    """Return the voices of some speeches and what they said."""
    kept = list(speeches)
    said: dict[Need, set[str]] = defaultdict(set)
    for speech in kept:
        for need, _ in speech.needs():
            said[need].add(speech.voice)
    return Group(frozenset(s.voice for s in kept), {need: frozenset(voices) for need, voices in said.items()})


def shared_strata(panels: Sequence[Panel]) -> tuple[Stratum, ...]:
    """Return every stratum that two or more cities share, by name."""
    places: dict[Place, dict[str, list[Speech]]] = defaultdict(dict)
    for panel in panels:
        usable = (speech for speech in panel.speeches if speech.post.comparable and speech.post.day is not None)
        for place, speeches in by_home(usable).items():
            places[place][panel.city] = speeches
    found = (_stratum(place, cities) for place, cities in sorted(places.items()))
    return tuple(stratum for stratum in found if stratum is not None)


def tables_for(strata: Iterable[Stratum], city: str, need: Need) -> Tables:
    """Return a city's counts against the others' in every stratum that it shares and where `need` can be said."""
    tables = []
    for stratum in strata:
        if city not in stratum.cities or (need.lang and need.lang != stratum.place.lang):
            continue
        here = stratum.cities[city]
        others = [group for name, group in stratum.cities.items() if name != city]
        nobody: frozenset[str] = frozenset()
        tables.append(
            (
                len(here.said.get(need, nobody)),
                len(here.voices),
                sum(len(group.said.get(need, nobody)) for group in others),
                sum(len(group.voices) for group in others),
            )
        )
    return tables


def why_alone(panel: Panel) -> Reason:
    """Return why a panel without any shared stratum has none."""
    usable = [speech for speech in panel.speeches if speech.post.comparable]
    if not usable:
        return "not_comparable"
    dated = [speech for speech in usable if speech.post.day is not None]
    if not dated:
        return "no_dates"
    if max(len({s.voice for s in speeches}) for speeches in by_home(dated).values()) < LEAST_VOICES:
        return "too_few_voices"
    return "no_shared_stratum"


def _stratum(place: Place, cities: Mapping[str, list[Speech]]) -> Stratum | None:
    left = {city: own for city, own in cities.items() if len({s.voice for s in own}) >= LEAST_VOICES}
    while len(left) >= LEAST_CITIES:
        first, last = _window(left.values())
        inside = {city: [s for s in own if first <= _ordinal(s) <= last] for city, own in left.items()}
        voices = {city: len({s.voice for s in own}) for city, own in inside.items()}
        if min(voices.values()) >= LEAST_VOICES:
            groups = {city: group_of(inside[city]) for city in sorted(inside)}
            return Stratum(place, date.fromordinal(first), date.fromordinal(last), groups)
        without = {city: _window(own for name, own in left.items() if name != city) for city in left}
        del left[min(left, key=lambda city: (voices[city], without[city][0] - without[city][1], city))]
    return None


def _window(cities: Iterable[list[Speech]]) -> tuple[int, int]:
    ends = [span_of([_ordinal(speech) for speech in own]) for own in cities]
    return max(first for first, _ in ends), min(last for _, last in ends)


def span_of(days: Sequence[int]) -> tuple[int, int]:
    """Return the days at the 1st and 99th percentile."""
    low = np.percentile(days, 1, method="lower")
    high = np.percentile(days, 99, method="higher")
    return int(low), int(high)


def _ordinal(speech: Speech) -> int:
    day = speech.post.day
    assert day is not None
    return day.toordinal()
