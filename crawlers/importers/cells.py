"""What a format read in a row, by field, made a post; whatever types the file holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crawlers.dates import parse_date
from crawlers.importers.columns import COUNTS
from crawlers.intake import DATE_UNREADABLE, NO_ID
from crawlers.items import RawPost

WRONG_TYPE = "wrong type"

# Values by field (columns.FIELDS), and `author_names`: all that the author is called, to be taken out of the text.
Cells = dict[str, Any]


def raw_post(cells: Mapping[str, Any], clean: Callable[[str], str]) -> RawPost | str:
    """Return the post that cells tell, its texts made plain by `clean`, or the reason why they tell none."""
    native_id = cells.get("id")
    if isinstance(native_id, bool) or not isinstance(native_id, str | int | None):
        return WRONG_TYPE
    if native_id is None or native_id == "":
        return NO_ID
    title, text = cells.get("title"), cells.get("text")
    if not isinstance(title, str | None) or not isinstance(text, str | None):
        return WRONG_TYPE
    written = cells.get("created_at")
    created_at = _moment(written)
    return RawPost(
        native_id=str(native_id),
        title=clean(title or ""),
        text=clean(text or ""),
        author=word(cells.get("author")),
        author_names=tuple(name for told in cells.get("author_names", ()) if (name := word(told))),
        url=word(cells.get("url")),
        thread=word(cells.get("thread")),
        parent=word(cells.get("parent")),
        created_at=created_at,
        edited_at=_moment(cells.get("edited_at")),
        declared_lang=word(cells.get("lang")),
        counts={name: n for name in COUNTS if (n := _whole(cells.get(name))) is not None} or None,
        latitude=_real(cells.get("latitude")),
        longitude=_real(cells.get("longitude")),
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )


def word(value: object) -> str | None:
    """Return a text or whole number as a text; None for anything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else parse_date(value)


def _real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _real(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else None
