from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.jalali import MONTHS, YEARS, from_jalali, is_leap

# Nowruz as the official calendar of Iran has it.
NEW_YEARS = {
    1375: date(1996, 3, 20),
    1376: date(1997, 3, 21),
    1388: date(2009, 3, 21),
    1395: date(2016, 3, 20),
    1399: date(2020, 3, 20),
    1400: date(2021, 3, 21),
    1403: date(2024, 3, 20),
    1404: date(2025, 3, 21),
    1408: date(2029, 3, 20),
}


@pytest.mark.parametrize("year", NEW_YEARS)
def test_new_year(year: int) -> None:
    assert from_jalali(year, 1, 1) == NEW_YEARS[year]


def test_days_within_a_year() -> None:
    assert from_jalali(1405, 9, 1) == date(2026, 11, 22)
    assert from_jalali(1405, 6, 31) == date(2026, 9, 22)
    assert from_jalali(1403, 12, 30) == date(2025, 3, 20)


@pytest.mark.parametrize("day", [(1404, 12, 30), (1404, 7, 31), (1404, 13, 1), (1404, 0, 1), (1404, 1, 0), (900, 1, 1)])
def test_days_that_do_not_exist(day: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no such day"):
        from_jalali(*day)


@given(st.integers(YEARS.start, YEARS.stop - 2))
def test_a_year_has_no_gaps(year: int) -> None:
    lengths = [31] * 6 + [30] * 5 + [30 if is_leap(year) else 29]
    days = [from_jalali(year, m, d) for m in range(1, len(MONTHS) + 1) for d in range(1, lengths[m - 1] + 1)]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert from_jalali(year + 1, 1, 1) == days[-1] + timedelta(days=1)
