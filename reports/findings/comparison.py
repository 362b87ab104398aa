"""Verdicts: which needs stand out in a city, which are alike everywhere, and which can't be told.

Every comparison made in a report, of cities and of segments, enters one Benjamini-Hochberg correction. What may enter
is decided by the margins alone (k voices in all compared groups together say it), which the tests condition on.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from reports.findings.disclosure import is_open
from reports.findings.model import Comparison, Reason
from reports.findings.ratio import Tables, adjusted, alike_p, difference_p, pooled_ratio

FALSE_DISCOVERY_RATE: Final = 0.05
NICHE_INDEX: Final = 120
UNDER_INDEX: Final = 100 / 1.2

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Contest:
    """A comparison to be made; contests of one `alike` key must all be alike for any to be called common."""

    tables: Tables
    strata: tuple[str, ...]
    alike: Hashable | None = None

    @property
    def said(self) -> int:
        """Voices that say it, here and elsewhere."""
        return sum(a + b for a, _, b, _ in self.tables)


def judge(contests: Mapping[Key, Contest], k: int) -> dict[Key, Comparison]:
    """Return a verdict for each contest, in the order given."""
    tested = [key for key, contest in contests.items() if contest.said >= k]
    p_values = [difference_p(contests[key].tables) for key in tested]
    tests = dict(zip(tested, zip(p_values, adjusted(p_values), strict=True), strict=True))
    verdicts = {
        key: _verdict(contest, k, *tests[key]) if key in tests else not_compared("too_rare")
        for key, contest in contests.items()
    }
    for key in _alike_everywhere({key: contests[key] for key in tested}, verdicts, k):
        if verdicts[key].verdict != "not_compared":
            verdicts[key] = replace(verdicts[key], verdict="common")
    return verdicts


def not_compared(reason: Reason) -> Comparison:
    """Return the comparison that was not made, and why."""
    return Comparison("not_compared", reason)


def _alike_everywhere(contests: Mapping[Key, Contest], verdicts: Mapping[Key, Comparison], k: int) -> set[Key]:
    """Return the contests of each `alike` key whose largest equivalence p survives the correction.

    A need that stands out anywhere is not common, however little it stands out.
    """
    groups: dict[Hashable, list[Key]] = {}
    for key, contest in contests.items():
        if contest.alike is not None:
            groups.setdefault(contest.alike, []).append(key)
    whole = {
        alike: max(_contest_alike_p(contests[key].tables, k) for key in keys)
        for alike, keys in groups.items()
        if len(keys) > 1 and all(verdicts[key].verdict != "niche" for key in keys)
    }
    passed = zip(whole, adjusted(list(whole.values())), strict=True)
    return {key for alike, q in passed if q <= FALSE_DISCOVERY_RATE for key in groups[alike]}


def _contest_alike_p(tables: Tables, k: int) -> float:
    if sum(a for a, *_ in tables) < k or sum(b for _, _, b, _ in tables) < k:
        return 1.0
    ratio = pooled_ratio(tables)
    return 1.0 if ratio is None else alike_p(ratio)


def _verdict(contest: Contest, k: int, p: float, q: float) -> Comparison:
    ratio = pooled_ratio(contest.tables)
    here, base_here, elsewhere, base_elsewhere = (sum(column) for column in zip(*contest.tables, strict=True))
    if ratio is None or here < k:
        return not_compared("too_rare")
    comparison = Comparison(
        verdict="no_difference",
        p=_short(p),
        q=_short(q),
        share_here=_open_share(here, base_here, k),
        share_elsewhere=_open_share(elsewhere, base_elsewhere, k),
        strata=contest.strata,
    )
    # Fewer than k voices elsewhere could be worked back from an index, so only a coarse bound is given.
    if elsewhere == 0:
        comparison = replace(comparison, bound="only_here", low=math.floor(100 * ratio.low))
    elif elsewhere < k:
        comparison = replace(comparison, bound="lower", low=math.floor(10 * ratio.low) * 10)
    else:
        low, high = math.floor(100 * ratio.low), math.ceil(100 * ratio.high)
        comparison = replace(comparison, index=round(100 * ratio.estimate), low=low, high=high)
    if q > FALSE_DISCOVERY_RATE:
        return comparison
    stands_out = comparison.bound != "point" or 100 * ratio.estimate >= NICHE_INDEX
    if stands_out and ratio.low > 1 and max(a for a, *_ in contest.tables) >= k:
        return replace(comparison, verdict="niche")
    if comparison.bound == "point" and 100 * ratio.estimate < UNDER_INDEX:
        return replace(comparison, verdict="under")
    return comparison


def _open_share(count: int, total: int, k: int) -> float | None:
    """Return a share of nobody, or an open one, to the whole percent."""
    return round(count / total, 2) if count == 0 or is_open(count, total, k) else None


def _short(p: float) -> float:
    return float(f"{p:.2g}")
