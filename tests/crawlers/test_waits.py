from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawlers.waits import backoff, rate_limit_pause, retry_after

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("Sun, 22 Nov 2026 06:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 05:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        ("0", "2026-11-22T06:00:42.5Z", 42.5),
        ("0", str(int(NOW.timestamp()) + 30), 30),
        ("0", "15", 15),
        ("0", "2026-11-22T05:00:00Z", 0),
        ("1", "2026-11-22T06:00:42Z", 0),
        ("0", "never", 0),
        ("many", "15", 0),
        (None, "15", 0),
    ],
)
@pytest.mark.parametrize("prefix", ["x-ratelimit-", "ratelimit-"])
def test_a_spent_rate_limit_says_when_it_is_renewed(
    remaining: str | None, reset: str, seconds: float, prefix: str
) -> None:
    headers = {f"{prefix}reset": reset} | ({f"{prefix}remaining": remaining} if remaining else {})
    assert rate_limit_pause(headers, NOW) == seconds


def test_of_two_rate_limits_the_one_that_is_spent_longer_counts() -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "15", "ratelimit-remaining": "0"}
    assert rate_limit_pause(spent | {"ratelimit-reset": str(int(NOW.timestamp()) + 60)}, NOW) == 60
    assert rate_limit_pause(spent | {"ratelimit-remaining": "2999", "ratelimit-reset": "60"}, NOW) == 15


def test_backoff_doubles_and_follows_the_delay_of_the_study() -> None:
    assert 2 <= backoff(1, 2.0) <= 6
    assert 8 <= backoff(3, 2.0) <= 24
    assert backoff(1, 0.0) < 1
