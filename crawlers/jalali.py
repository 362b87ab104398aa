"""The Persian calendar (Jalali, solar Hijri), as forums of Iran date their posts."""

from __future__ import annotations

from datetime import date, timedelta

MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
LONG_MONTHS = 6  # of 31 days; the others have 30, the last 29 but in leap years
YEARS = range(1244, 1473)  # where the cycle of 33 years gives the days of the official calendar

_NEW_YEAR_1400 = date(2021, 3, 21)
_LEAP_IN_CYCLE = frozenset({1, 5, 9, 13, 17, 22, 26, 30})
_CYCLE = 33


def from_jalali(year: int, month: int, day: int) -> date:
    """Return the Gregorian day of a Jalali one; raises ValueError for days that do not exist or years outside YEARS."""
    if year not in YEARS or not 1 <= month <= len(MONTHS) or not 1 <= day <= _length(year, month):
        raise ValueError(f"no such day: {year}-{month}-{day}")
    new_year = _NEW_YEAR_1400 + timedelta(days=365 * (year - 1400) + _leap_days(year) - _leap_days(1400))
    passed = 31 * min(month - 1, LONG_MONTHS) + 30 * max(0, month - 1 - LONG_MONTHS)
    return new_year + timedelta(days=passed + day - 1)


def is_leap(year: int) -> bool:
    """Tell whether a Jalali year has 366 days."""
    return year % _CYCLE in _LEAP_IN_CYCLE


def _length(year: int, month: int) -> int:
    if month <= LONG_MONTHS:
        return 31
    return 30 if month < len(MONTHS) or is_leap(year) else 29


def _leap_days(year: int) -> int:
    """Return how many leap years come before a year."""
    return sum(is_leap(earlier) for earlier in range(YEARS.start, year))
