"""What an answer's status and body say before a spider looks into it: one reading for all JSON sources."""

from __future__ import annotations

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from scrapy.http import Response

from crawlers.parking import Parked

TRY_LATER = "try again later; if it stays so, check the target's address in a browser"
CLOSED_STATUSES = frozenset({401, 402, 403, 451})
GONE_STATUSES = frozenset({404, 410})
UNREADABLE_ONE_IN = 100


def refuse(response: Response, key: str, *, closed: Collection[int] = CLOSED_STATUSES) -> None:
    """Raise Parked for every status but 200; `key` is the study file's key to check where nothing is there."""
    status = response.status
    if status == HTTPStatus.OK:
        return
    if status in closed:
        raise Parked(f"closed (HTTP {status})", "ask the site's owner, or remove the target")
    if status in GONE_STATUSES:
        raise Parked(f"nothing here (HTTP {status})", f"check `{key}` in the study file")
    if 300 <= status < 400:  # noqa: PLR2004  redirects that Scrapy was told not to follow
        raise Parked(f"redirects elsewhere (HTTP {status})", f"check `{key}` in the study file")
    raise Parked(f"HTTP {status}", TRY_LATER)


def text_of(response: Response) -> str:
    """Return an answer's text, which must be UTF-8, without its byte-order mark.

    A few bytes that are not UTF-8 become U+FFFD; an answer full of them is refused, since storing it would store
    rubbish.
    """
    try:
        return response.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = response.body.decode("utf-8-sig", "replace")
        if text.count("\ufffd") * UNREADABLE_ONE_IN > sum(letter > "\x7f" for letter in text):
            raise Parked("the answer is not UTF-8", TRY_LATER) from None
        return text


def json_of(response: Response) -> Any:
    """Return the JSON document in an answer, with or without a byte-order mark; raises Parked for anything else."""
    text = text_of(response)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        start = text[:1000].lstrip().lower()
        seen = "a web page" if start.startswith("<") else "nothing" if not start else "JSON that broke off"
        raise Parked(f"answered {seen} instead of JSON", TRY_LATER) from None


def stated_error(response: Response, *names: str) -> str | None:
    """Return what the JSON of a refusal states under the first of `names` that says anything; None where nothing does."""
    if response.status == HTTPStatus.OK:
        return None
    try:
        body = json_of(response)
    except Parked:
        return None
    return next(filter(None, (words(body.get(name)) for name in names)), None) if isinstance(body, dict) else None


def object_of(response: Response) -> dict[str, Any]:
    """Return the JSON object in an answer; raises Parked for anything else."""
    value = json_of(response)
    if not isinstance(value, dict):
        raise Parked("answered JSON of another shape", TRY_LATER)
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; an empty list for anything else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def words(value: object) -> str:
    """Return a JSON string as it is, '' for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """Return a JSON number that counts something, or a string of digits, as an int; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def header(response: Response, name: str) -> str | None:
    """Return a header's first value, None where there is none."""
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
