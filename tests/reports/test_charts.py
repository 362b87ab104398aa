from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from reports.findings.model import Period
from reports.site.charts import axis_for, last_day, step_curve

shares = st.floats(0, 1)


@given(shares, shares)
def test_every_share_has_room_and_mirrors(highest: float, share: float) -> None:
    axis, mirrored = axis_for(highest, mirrored=False), axis_for(highest, mirrored=True)
    assert min(1.0, highest) <= axis.top + 1e-9 <= 1 + 1e-9
    assert 2 <= len(axis.ticks()) <= 6
    assert float(axis.at(share)[:-1]) + float(mirrored.at(share)[:-1]) == 100 or share > 0
    assert 0 <= float(axis.at(share)[:-1]) <= 100


def test_a_curve_runs_with_the_language() -> None:
    periods = [Period(date(2026, 1, 5), 1, 5, 50), Period(date(2026, 1, 12), 3, 20, 50)]
    assert step_curve(periods, mirrored=False) == "0.0,21.5 25.0,21.5 25.0,2.0 100.0,2.0"
    assert step_curve(periods, mirrored=True) == "100.0,21.5 75.0,21.5 75.0,2.0 0.0,2.0"
    assert last_day(periods[1]) == date(2026, 2, 1)
