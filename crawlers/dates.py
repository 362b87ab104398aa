"""Moments as sources write them, read as UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# A local time read as UTC is at most this far ahead of the truth (UTC+14, Kiribati).
FUTURE_SLACK = timedelta(hours=14)

MILLISECONDS_FROM = 1e11  # as seconds: the year 5138; as milliseconds: 1973
MICROSECONDS_FROM = 1e14
_NUMBER = re.compile(r"-?\d{9,17}(?:\.\d+)?")
_SPACE_BEFORE_ZONE = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$)")
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)
_TWITTER = "%a %b %d %H:%M:%S %z %Y"


def parse_date(value: object) -> datetime | None:
    """Return a moment in UTC from ISO 8601, RFC 2822 or epoch seconds, milli- or microseconds; None if unreadable.

    A moment without a zone is taken as UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text))
    for read in (_from_iso, parsedate_to_datetime, _from_twitter):
        try:
            return _utc(read(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def believable(moment: datetime, now: datetime) -> bool:
    """Tell whether a post can have been written then: not before 1990, not after `now` (in any time zone)."""
    return EARLIEST <= moment <= now + FUTURE_SLACK


def as_stored(moment: datetime) -> str:
    """Return a moment as the database writes it: UTC, ISO 8601, whole seconds, Z."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number):
        return None
    size = abs(number)
    seconds = number / 1e6 if size >= MICROSECONDS_FROM else number / 1e3 if size >= MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _from_iso(text: str) -> datetime:
    return datetime.fromisoformat(_SPACE_BEFORE_ZONE.sub("", _ZONE_NAME.sub("", text)))


def _from_twitter(text: str) -> datetime:
    return datetime.strptime(text, _TWITTER)  # noqa: DTZ007  the format holds %z


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
