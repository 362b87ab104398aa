"""Is a target as it was? What it gave before against what a visit found: pure rules, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from citystudy.store import History

FALL = 0.2  # what is left after a fall of 80 %
LEAST_EXPECTED = 10  # posts; P(X <= 2 | Poisson 10) = .003
LEAST_EXPECTED_OF_NONE = 5  # P(X = 0 | Poisson 5) = .007
USUAL_SHARE = 0.8
LEAST_BEFORE = 20
LEAST_NOW = 5

FIELD_NAMES = {"declared_lang": "declared language", "latitude": "coordinates", "created_at": "date"}


@dataclass(frozen=True, slots=True)
class Now:
    """What a visit found: posts `listed` by the source, `new` ones, how many have a field, and whether it said 'nothing new'."""

    listed: int
    new: int
    quiet: bool
    filled: Mapping[str, int] = field(default_factory=dict)


def gave_nothing(before: History, now: Now) -> str | None:
    """Return what is wrong with a target that showed posts at the last crawl and now shows none, old ones included."""
    if before.showed and now.listed == 0 and not now.quiet:
        return f"gave no posts; the last crawl saw some ({before.posts:,} are stored)"
    expected = before.per_day * before.days
    if now.new == 0 and expected >= LEAST_EXPECTED_OF_NONE:
        return f"gave no new posts in {before.days:.1f} days; about {expected:,.0f} were to be expected"
    return None


def fell(before: History, now: Now) -> str | None:
    """Return what is wrong with a target that brought less than a fifth of what its last four weeks let expect."""
    expected = before.per_day * before.days
    if 0 < now.new < FALL * expected and expected >= LEAST_EXPECTED:
        share = 100 * (1 - now.new / expected)
        return f"fell by {share:.0f} %: {now.new:,} new posts in {before.days:.1f} days, about {expected:,.0f} expected"
    return None


def lost_fields(before: History, now: Now) -> str | None:
    """Return which fields nearly every post had before and not one has now: a platform that changed its answers."""
    if before.posts < LEAST_BEFORE or now.listed < LEAST_NOW:
        return None
    gone = [
        FIELD_NAMES.get(name, name)
        for name, share in before.filled.items()
        if share >= USUAL_SHARE and now.filled.get(name, 0) == 0
    ]
    return f"no {' and no '.join(gone)} in any of {now.listed:,} posts; nearly all had it before" if gone else None
