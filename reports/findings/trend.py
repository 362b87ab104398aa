"""Change over time: the last third of a city's window against the time before it, and a curve of shares.

The window runs between the days at the 1st and 99th percentile of the panel's dated posts (the few outside count at
its ends) and must be three weeks long or longer. Both parts are compared within source × target kind × language, so a source that begins late does not
pass for a change; an author who wrote in both counts in both. The curve joins whole weeks until each period holds k
voices who say it, so no period shows a closed count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeVar

from reports.findings.comparison import FALSE_DISCOVERY_RATE
from reports.findings.disclosure import is_open
from reports.findings.model import Direction, Need, Period, Trend
from reports.findings.ratio import Tables, adjusted, difference_p, pooled_ratio
from reports.findings.strata import Group, Place, group_of, place_of, span_of
from reports.findings.voices import Panel, Speech

LEAST_DAYS: Final = 21
WEEK: Final = 7
LEAST_PERIODS: Final = 2

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Timeline:
    """A panel's dated speeches: by week of its window, and in the last third against before, place by place."""

    monday: date
    weeks: tuple[Group, ...]
    parts: Mapping[Place, tuple[Group, Group]]
    long_enough: bool


def timeline(panel: Panel) -> Timeline | None:
    """Return a panel's timeline, or None where no post has a date."""
    dated = [(speech.post.day.toordinal(), speech) for speech in panel.speeches if speech.post.day is not None]
    if not dated:
        return None
    first, last = span_of([day for day, _ in dated])
    monday = first - date.fromordinal(first).weekday()
    weeks: list[list[Speech]] = [[] for _ in range((last - monday) // WEEK + 1)]
    places: dict[Place, tuple[list[Speech], list[Speech]]] = defaultdict(lambda: ([], []))
    turn = last - (last - first) / 3
    for day, speech in dated:
        inside = min(max(day, first), last)
        weeks[(inside - monday) // WEEK].append(speech)
        places[place_of(speech)][inside <= turn].append(speech)
    return Timeline(
        date.fromordinal(monday),
        tuple(group_of(week) for week in weeks),
        {place: (group_of(late), group_of(early)) for place, (late, early) in sorted(places.items())},
        last - first >= LEAST_DAYS,
    )


def change_tables(line: Timeline, need: Need) -> Tables:
    """Return the counts of the last third against those before, place by place."""
    nobody: frozenset[str] = frozenset()
    return [
        (len(late.said.get(need, nobody)), len(late.voices), len(early.said.get(need, nobody)), len(early.voices))
        for place, (late, early) in line.parts.items()
        if not need.lang or need.lang == place.lang
    ]


def judge_trends(
    lines: Mapping[Key, tuple[Timeline | None, Need]], said: Mapping[Key, int], k: int
) -> dict[Key, Trend]:
    """Return a trend for each key; those with 2k voices over the window are tested, with one correction over all.

    `said` is how many voices say it at all, dated or not: a curve that would tell how few of them are undated is
    not drawn.
    """
    result: dict[Key, Trend] = {}
    tables: dict[Key, Tables] = {}
    for key, (line, need) in lines.items():
        if line is None:
            result[key] = Trend("no_dates")
        elif not line.long_enough:
            result[key] = Trend("too_short")
        else:
            result[key] = Trend("too_few", periods=_periods(line, need, said[key], k))
            counts = change_tables(line, need)
            if sum(a + b for a, _, b, _ in counts) >= 2 * k:
                tables[key] = counts
    p_values = [difference_p(counts) for counts in tables.values()]
    for (key, counts), p, q in zip(tables.items(), p_values, adjusted(p_values), strict=True):
        ratio = pooled_ratio(counts)
        changed = ratio is not None and q <= FALSE_DISCOVERY_RATE
        rises = sum(b for _, _, b, _ in counts) == 0 or (ratio is not None and ratio.estimate > 1)
        direction: Direction = "steady" if not changed else "rising" if rises else "falling"
        result[key] = replace(result[key], direction=direction, p=float(f"{p:.2g}"), q=float(f"{q:.2g}"))
    return result


@dataclass(frozen=True, slots=True)
class _Run:
    weeks: int
    voices: frozenset[str] = frozenset()
    base: frozenset[str] = frozenset()

    def __add__(self, other: _Run) -> _Run:
        return _Run(self.weeks + other.weeks, self.voices | other.voices, self.base | other.base)

    def is_open(self, k: int) -> bool:
        return is_open(len(self.voices), len(self.base), k)


def _periods(line: Timeline, need: Need, said: int, k: int) -> tuple[Period, ...]:
    """Join weeks from the first on until each run is open; weeks left over at the end join the last run."""
    runs: list[_Run] = []
    run = _Run(0)
    for week in line.weeks:
        run += _Run(1, week.said.get(need, frozenset()), week.voices)
        if run.is_open(k):
            runs.append(run)
            run = _Run(0)
    while run.weeks and runs and not run.is_open(k):
        run = runs.pop() + run
    if run.weeks:
        runs.append(run)
    undated = said - sum(len(run.voices) for run in runs)
    if len(runs) < LEAST_PERIODS or 0 < undated < k:
        return ()
    periods = []
    monday = line.monday
    for run in runs:
        periods.append(Period(monday, run.weeks, len(run.voices), len(run.base)))
        monday += timedelta(weeks=run.weeks)
    return tuple(periods)
