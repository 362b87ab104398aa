"""How long a server asks to be left alone, read from its headers; and how long to wait where it does not say."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime

from crawlers.dates import parse_date

_EPOCH_FROM = 1e9
_RATE_LIMIT = ("x-ratelimit-", "ratelimit-")
LEAST_BACKOFF_SECONDS = 0.05


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (seconds or an HTTP date); None when it says nothing."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        moment = parse_date(value)
        return max(0.0, (moment - now).total_seconds()) if moment else None


def rate_limit_pause(headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds to wait before the next request by RateLimit-Remaining and -Reset; 0 while some are left.

    The headers bear an X- (Mastodon) or not (atproto). Reset may be an ISO 8601 moment (Mastodon), epoch seconds
    (atproto), or seconds from now.
    """
    return max(_pause(headers.get(f"{x}remaining"), headers.get(f"{x}reset"), now) for x in _RATE_LIMIT)


def _pause(remaining: str | None, reset: str | None, now: datetime) -> float:
    if remaining is None or reset is None:
        return 0.0
    try:
        if float(remaining) >= 1:
            return 0.0
    except ValueError:
        return 0.0
    try:
        seconds = float(reset)
    except ValueError:
        moment = parse_date(reset)
        return max(0.0, (moment - now).total_seconds()) if moment else 0.0
    return max(0.0, seconds - now.timestamp() if seconds >= _EPOCH_FROM else seconds)


def backoff(attempt: int, delay_seconds: float) -> float:
    """Return the pause before retry number `attempt` (from 1): doubled each time, with jitter of half."""
    return max(delay_seconds, LEAST_BACKOFF_SECONDS) * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311  jitter, no secret
