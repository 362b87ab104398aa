from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.robots import PARSED_BYTES, rules_of

URL = "https://example.org/feed"


@pytest.mark.parametrize("status", [500, 503, 599, 429, 401, 403, 301, 100, None])
def test_without_a_clear_answer_stay_away(status: int | None) -> None:
    assert rules_of(status).forbids(URL)


@pytest.mark.parametrize("status", [400, 404, 410, 451])
def test_other_client_errors_mean_no_rules(status: int) -> None:
    assert rules_of(status).forbids(URL) is None


def test_rules_for_this_crawler_go_before_those_for_all() -> None:
    rules = rules_of(200, b"User-agent: *\nDisallow: /\n\nUser-agent: CityStudy\nDisallow: /private\nCrawl-delay: 3\n")
    assert rules.forbids(URL) is None
    assert rules.forbids("https://example.org/private/1") == "robots.txt forbids it"
    assert rules.delay_seconds == 3


def test_a_request_rate_is_a_delay() -> None:
    assert rules_of(200, b"User-agent: *\nRequest-rate: 1/10\nDisallow:\n").delay_seconds == 10


def test_rules_beyond_what_is_parsed_do_not_count() -> None:
    comment = b"# " + b"x" * PARSED_BYTES + b"\n"
    assert rules_of(200, comment + b"User-agent: *\nDisallow: /\n").forbids(URL) is None


def test_a_byte_order_mark_does_not_hide_the_first_line() -> None:
    assert rules_of(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n").forbids(URL)


@given(st.binary(max_size=300))
def test_any_bytes_are_rules(body: bytes) -> None:
    rules_of(200, body).forbids(URL)
