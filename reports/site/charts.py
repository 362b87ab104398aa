"""Where marks stand in the report's small inline SVG charts; mirrored where the language runs right to left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from reports.findings.model import Period

_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MOST_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from 0 to `top` drawn across the whole width; `step` is the distance of its ticks."""

    top: float
    step: float
    mirrored: bool

    def at(self, share: float) -> str:
        """Return where a share stands, as a percentage of the width."""
        place = 100 * min(share, self.top) / self.top
        return f"{100 - place if self.mirrored else place:.2f}%"

    def ticks(self) -> list[float]:
        """Return the shares that are marked on the axis, the last one only where it fits."""
        return [round(self.step * number, 4) for number in range(int(self.top / self.step + 1e-9) + 1)]


def axis_for(highest: float, *, mirrored: bool) -> Axis:
    """Return the axis on which shares up to `highest` have room."""
    step = next((step for step in _STEPS if highest / step <= MOST_TICKS), _STEPS[-1])
    return Axis(min(1.0, max(step, math.ceil(highest / step - 1e-9) * step)), step, mirrored)


def step_curve(periods: Sequence[Period], *, mirrored: bool) -> str:
    """Return the points of a step curve in a box of 100 × 30, time running with the language, shares from 0."""
    weeks = sum(period.weeks for period in periods)
    top = max(period.share for period in periods) or 1.0
    points = []
    passed = 0
    for period in periods:
        height = 28 - 26 * period.share / top
        for week in (passed, passed + period.weeks):
            across = 100 * week / weeks
            points.append(f"{100 - across if mirrored else across:.1f},{height:.1f}")
        passed += period.weeks
    return " ".join(points)


def last_day(period: Period) -> date:
    """Return a period's last day."""
    return period.start + timedelta(weeks=period.weeks, days=-1)
