"""Addresses of topics and their pages: what names a topic, what names a page of it, what is a visitor's own."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

# Page numbers, or the number of the first entry on the page.
_PAGE_KEYS = ("page", "start", "pg", "pagenumber", "pagenum", "paged", "offset", "st", "from")
_BITRIX = re.compile(r"pagen_\d+", re.IGNORECASE)
_PAGE_IN_PATH = re.compile(r"[/_-]?(?<![a-z])(?:page|pg|p)[/_-]?(\d{1,6})(?=/?$|\.html?$)", re.IGNORECASE)
_SMF = re.compile(r"^(\d+)\.(?:(\d+)|new|msg\d+|from\d+)$")
# A visitor's session, and ways into a topic that lead elsewhere on every visit.
_VISITOR_KEYS = re.compile(
    r"(?:sid|s|phpsessid|session_?id|hilit|view|goto|highlight|sort|order|utm_\w+|do|do_?login|mode|lang|style)$",
    re.IGNORECASE,
)
_WAY_IN = re.compile(r"/(?:latest|unread|newest|last-?post)/?$", re.IGNORECASE)
_SAFE = "/:@!$&'()*+,;=~.-"
_DATED = re.compile(r"/\d{4}/\d{1,2}/")


def without_visitor(url: str) -> str:
    """Return an address without fragment, session and other words about the visitor; keys in a fixed order."""
    parts = urlsplit(url)
    query = sorted(pair for pair in _query(parts.query) if not _VISITOR_KEYS.match(pair[0]))
    path = _WAY_IN.sub("/", parts.path) or "/"
    return urlunsplit((parts.scheme, parts.netloc, quote(unquote(path), safe=_SAFE), _written(query), ""))


def without_page(url: str) -> str:
    """Return the address of the first page of what an address is a page of."""
    parts = urlsplit(without_visitor(url))
    path = _PAGE_IN_PATH.sub("", parts.path) or "/"
    query = []
    for key, value in _query(parts.query):
        smf = _SMF.match(value) if key in {"topic", "board"} else None
        if smf:
            query.append((key, f"{smf[1]}.0"))
        elif not value:
            query.append((_PAGE_IN_PATH.sub("", key), value))
        elif not _is_page_key(key):
            query.append((key, value))
    return urlunsplit((parts.scheme, parts.netloc, path, _written(query), ""))


def page_position(url: str) -> int:
    """Return a number that grows with the pages of a topic or section; 0 for a page whose address names none."""
    parts = urlsplit(url)
    query = _query(parts.query)
    for key, value in query:
        smf = _SMF.match(value) if key in {"topic", "board"} else None
        if smf:
            return int(smf[2] or 0)
        if _is_page_key(key) and value.isdecimal():
            return int(value) if not _starts_at_one(key) or value != "1" else 0
    places = (parts.path, *(key for key, value in query if not value))
    found = next(filter(None, (_PAGE_IN_PATH.search(place) for place in places)), None)
    return int(found[1]) if found and found[1] != "1" else 0


def topic_key(url: str) -> str:
    """Return what names a topic for good: its host and path, without its title where a number stands beside it."""
    parts = urlsplit(without_page(url))
    path = parts.path.rstrip("/")
    if not _DATED.search(path):
        path = re.sub(r"(/\d+)/[^/\d][^/]*$", r"\1", path)  # /topic/12/title
        path = re.sub(r"/(\d+)-[^/]*$", r"/\1", path)  # /topic/12-title
        path = re.sub(r"/[^/]*\.(\d+)$", r"/\1", path)  # /threads/title.12
    query = re.sub(r"^(\d+)-[^&=]*$", r"\1", unquote(parts.query))  # showthread.php?12-title
    return f"{parts.netloc}{unquote(path)}" + (f"?{query}" if query else "")


def same_series(url: str, other: str) -> bool:
    """Tell whether two addresses are pages of the same topic or section."""
    return topic_key(url) == topic_key(other)


def _query(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query.replace(";", "&"), keep_blank_values=True)


def _written(query: list[tuple[str, str]]) -> str:
    """Return a query as text; a key without a value stays one."""
    pairs = (urlencode([(key, value)]) if value else quote(key, safe="/-.") for key, value in query)
    return "&".join(pairs)


def _is_page_key(key: str) -> bool:
    return key.lower() in _PAGE_KEYS or _BITRIX.fullmatch(key) is not None


def _starts_at_one(key: str) -> bool:
    return key.lower() not in {"start", "offset", "st", "from"}
