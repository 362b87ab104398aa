"""What VKontakte's API says instead of an answer: errors, which come with HTTP 200."""

from __future__ import annotations

from crawlers.answers import TRY_LATER, whole
from crawlers.parking import Held, Parked

PASSING = frozenset({1, 6, 10, 36})  # unknown, too many a second, internal, timed out: asked again
CLOSED = frozenset({7, 15, 18, 19, 30, 37, 200, 203, 210, 211, 212, 261})
NOTHING_HERE = frozenset({39, 40, 100, 104, 113, 125})
_BAD_KEY = frozenset({4, 5, 27, 28, 38, 1116, 1117})
_FOR_PEOPLE = frozenset({14, 17, 24, 25})  # a captcha, a validation, confirmations
_SPENT = {
    6: "too many requests a second",
    9: "flood control",
    29: "the rate limit is spent",
    103: "out of limits",
    601: "too many requests today",
}

NO_KEY = 'set [credentials] vk = "env:NAME" to the service token of an app of your own'
_LATER = "nothing to do: the next crawl goes on from here"
_CHECK = "check `community` in the study file, or remove the target"


def error_code(answer: dict[str, object]) -> int | None:
    """Return the number of an answer's error, 0 where it bears none; None for an answer without an error."""
    if "error" not in answer:
        return None
    error = answer["error"]
    return (whole(error.get("error_code")) or 0) if isinstance(error, dict) else 0


def refusal(code: int) -> Parked:
    """Return what an error means for a target; VK's own words may quote the request and are left out."""
    told = f"(VK error {code})"
    if code in CLOSED:
        return Parked(f"closed {told}", _CHECK)
    if code in NOTHING_HERE:
        return Parked(f"nothing here {told}", _CHECK)
    if code in _BAD_KEY:
        return Parked(f"the key is not accepted {told}", NO_KEY)
    if code in _FOR_PEOPLE:
        return Held(f"VK asks for a person {told}", "wait a day, and set limits.delay_seconds higher")
    if code in _SPENT:
        return Held(f"{_SPENT[code]} {told}", _LATER)
    return Parked(f"VK error {code}", TRY_LATER)
