"""What is true of tweets in every format that holds them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

from crawlers.importers.cells import Cells

TWITTER = "twitter"

_EPOCH_MS = 1_288_834_974_657  # ids count milliseconds from here, in their bits above the 22nd
_ID = re.compile(r"\d{15,19}")  # ids since November 2010


def unescaped(text: object) -> Any:
    """Return a tweet's text with its entities (&amp;, &lt;, &gt;) as letters."""
    return html.unescape(text) if isinstance(text, str) else text


def with_history(cells: Cells, history: object) -> Cells:
    """Return a tweet's cells under the id of its first version; what was written later is its edit."""
    first = history[0] if isinstance(history, list) and history else None
    if isinstance(first, str) and _ID.fullmatch(first) and first != cells["id"]:
        cells["edited_at"] = cells["created_at"]
        cells["created_at"] = datetime.fromtimestamp(((int(first) >> 22) + _EPOCH_MS) / 1000, UTC)
        cells["id"] = first
    cells["url"] = f"https://x.com/i/status/{cells['id']}"
    return cells


def latitude_and_longitude(point: object) -> tuple[Any, Any]:
    """Return both coordinates of a GeoJSON point (RFC 7946, 3.1.2: longitude first)."""
    coordinates = point.get("coordinates") if isinstance(point, dict) else None
    if not isinstance(coordinates, list) or len(coordinates) != 2:  # noqa: PLR2004
        return None, None
    return coordinates[1], coordinates[0]
