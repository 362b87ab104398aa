from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.dates import as_stored, believable, parse_date

# hypothesis wants bounds without a zone
FIRST, LAST = datetime(1990, 1, 1), datetime(2026, 1, 1)  # noqa: DTZ001
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2022-04-27 14:11:18", "2022-04-27T14:11:18Z"),
        ("2022-04-27T14:11:18.123Z", "2022-04-27T14:11:18Z"),
        ("2022-04-27T14:11:18+03:00", "2022-04-27T11:11:18Z"),
        ("2022-04-27 14:11:18 +0300", "2022-04-27T11:11:18Z"),
        ("2022-04-27 14:11:18 UTC", "2022-04-27T14:11:18Z"),
        ("2022-04-27", "2022-04-27T00:00:00Z"),
        ("Wed, 27 Apr 2022 17:11:18 +0300", "2022-04-27T14:11:18Z"),
        ("Wed Apr 27 14:11:18 +0000 2022", "2022-04-27T14:11:18Z"),
        (1651068678, "2022-04-27T14:11:18Z"),
        ("1651068678", "2022-04-27T14:11:18Z"),
        (1651068678000, "2022-04-27T14:11:18Z"),
        (1651068678.9, "2022-04-27T14:11:18Z"),
        (1651068678000000, "2022-04-27T14:11:18Z"),
    ],
)
def test_reads_what_sources_write(written: object, stored: str) -> None:
    moment = parse_date(written)
    assert moment is not None
    assert as_stored(moment) == stored


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "Invalid Date", "27", True, None, [], {}, float("nan"), float("inf"), 10**30, "9" * 400],
)
def test_what_is_no_date_is_none(written: object) -> None:
    assert parse_date(written) is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_never_raises_and_always_utc(written: object) -> None:
    moment = parse_date(written)
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC)))
def test_what_is_stored_reads_as_the_same_second(moment: datetime) -> None:
    assert parse_date(as_stored(moment)) == moment.replace(microsecond=0)


def test_unbelievable_are_1969_and_the_future_but_not_another_time_zone() -> None:
    assert not believable(datetime(1969, 12, 31, tzinfo=UTC), NOW)
    assert not believable(NOW + timedelta(days=1), NOW)
    assert believable(NOW + timedelta(hours=14), NOW)
    assert believable(datetime(1990, 1, 1, tzinfo=UTC), NOW)
