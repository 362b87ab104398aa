"""RSS, Atom and JSON Feed documents read into posts, whatever state they are in."""

from __future__ import annotations

import calendar
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE, NO_ID
from crawlers.items import RawPost
from crawlers.markup import html_to_text, looks_like_html, plain

BROKEN = "feed page broken"
MENDABLE_ONE_IN = 20
WRONG_CHARSET = "charset not as declared"

# A comment's title names the article and its own author; neither is what the commenter said.
_COMMENT_TITLE = re.compile(r"Comment (?:#\d+|on\b)|Reply to\b", re.IGNORECASE)
_COMMENT_ID = re.compile(r"#(?:comment|isso|respond)-?\d+$")
# WordPress puts the other author's name before a reply; the link says which comment it answers.
_IN_REPLY = re.compile(r"\s*(?:<p>)?\s*In reply to <a href=\"([^\"]+)\">.{0,200}?</a>\.\s*(?:</p>)?", re.DOTALL)
_GUESSED_CHARSETS = {"windows-1252", "iso-8859-2"}
_CHARSET = re.compile(r"charset=[\"']?([\w.-]+)", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")


@dataclass(slots=True)
class Feed:
    """What one feed document holds; `broken` when it is not sound, so that it should be read again in full."""

    posts: list[RawPost] = field(default_factory=list)
    next_url: str | None = None
    broken: bool = False
    dropped: Counter[str] = field(default_factory=Counter)


class NotAFeedError(Exception):
    """The document is no feed; says what it is instead."""


def read_feed(body: bytes, url: str, content_type: str = "") -> Feed:
    """Read a feed document; raises NotAFeedError when it is something else."""
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise NotAFeedError("an empty answer")
    if start.startswith(b"{"):
        return _read_json(body, url)
    if start.startswith((b"<!doctype html", b"<html")):
        raise NotAFeedError("a web page")
    return _read_xml(body, url, content_type)


def _read_xml(body: bytes, url: str, content_type: str) -> Feed:
    headers = {"content-type": content_type, "content-location": url}
    parsed = feedparser.parse(
        io.BytesIO(_mended(body, content_type)),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise NotAFeedError("a web page" if b"<html" in body[:5000].lower() else "something that is no feed")
    unsound = isinstance(parsed.get("bozo_exception"), feedparser.api.xml.sax.SAXException)
    feed = Feed(next_url=_next_link(parsed.feed.get("links", ()), url), broken=unsound)
    if unsound:
        feed.dropped[BROKEN] += 1
    if (parsed.get("encoding") or "").lower() in _GUESSED_CHARSETS - _declared_charsets(body, content_type):
        feed.dropped[WRONG_CHARSET] += len(parsed.entries)
        feed.broken = True
        return feed
    atom = parsed.version.startswith("atom")
    for entry in parsed.entries:
        post = _xml_post(entry, parsed.feed, url, inherits=atom)
        if post is None:
            feed.dropped[NO_ID] += 1
        else:
            feed.posts.append(post)
    return feed


def _declared_charsets(body: bytes, content_type: str) -> set[str]:
    declared = _DECLARED.match(body)
    header = _CHARSET.search(content_type)
    return {found.lower() for found in (declared and declared[1].decode("latin-1"), header and header[1]) if found}


def _mended(body: bytes, content_type: str) -> bytes:
    """Return UTF-8 with a few bytes that are not (a title cut within a letter) as sound UTF-8, all else as it is.

    Otherwise one such byte makes feedparser take the whole document for a Western charset.
    """
    if not _declared_charsets(body, content_type) <= {"utf-8", "utf8"} or b"\0" in body:
        return body
    text = body.decode("utf-8", "replace")
    letters = sum(letter > "\x7f" for letter in text)
    return text.encode() if 0 < text.count("\ufffd") * MENDABLE_ONE_IN < letters else body


def _xml_post(entry: Mapping[str, Any], channel: Mapping[str, Any], url: str, *, inherits: bool) -> RawPost | None:
    guid = entry.get("id") or entry.get("link")
    if not guid:
        return None
    content = next(iter(entry.get("content") or ()), None) or entry.get("summary_detail") or {}
    markup = content.get("value") or ""
    reply = _IN_REPLY.match(markup)
    if reply:
        markup = markup[reply.end() :]
    # RFC 4287, 4.2.1: an Atom entry without an author has the feed's.
    name = entry.get("author") or (channel.get("author") if inherits else None)
    created, edited, unreadable = _moments(entry)
    latitude, longitude = _point(entry)
    title = entry.get("title_detail") or {}
    headline = _shown(title.get("value") or "", title.get("type")).strip()
    article = _COMMENT_ID.sub("", guid)
    is_comment = article != guid or bool(_COMMENT_TITLE.match(headline))
    return RawPost(
        native_id=_global(guid, url),
        title="" if is_comment and markup.strip() else headline,
        text=_shown(markup, content.get("type")),
        author=f"{name} {urlsplit(url).netloc}" if name else None,
        author_names=_names(name),
        url=urljoin(url, entry.get("link") or "") if entry.get("link") else None,
        thread=_global(article, url) if article != guid else None,
        parent=_global(html.unescape(reply[1]), url) if reply else None,
        created_at=created,
        edited_at=edited,
        declared_lang=content.get("language") or title.get("language") or channel.get("language"),
        counts=_count(entry.get("slash_comments") or entry.get("thr_total")),
        latitude=latitude,
        longitude=longitude,
        flaws=(DATE_UNREADABLE,) if unreadable else (),
    )


def _read_json(body: bytes, url: str) -> Feed:
    """Read a JSON Feed (jsonfeed.org, versions 1 and 1.1)."""
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise NotAFeedError("JSON that broke off") from None
    items = document.get("items")
    if not isinstance(items, list) or "jsonfeed.org" not in str(document.get("version")):
        raise NotAFeedError("JSON that is no feed")
    feed = Feed(next_url=_same_host(document.get("next_url"), url))
    for item in items:
        post = _json_post(item, document, url) if isinstance(item, dict) else None
        if post is None:
            feed.dropped[NO_ID] += 1
        else:
            feed.posts.append(post)
    return feed


def _json_post(item: Mapping[str, Any], document: Mapping[str, Any], url: str) -> RawPost | None:
    guid = item.get("id") or item.get("url")
    if not isinstance(guid, str | int) or isinstance(guid, bool):
        return None
    authors = item.get("authors") or [item.get("author")]
    if not any(authors):
        authors = document.get("authors") or [document.get("author")]
    first = next((author for author in authors if isinstance(author, dict)), {}) if isinstance(authors, list) else {}
    name = next((first[key] for key in ("url", "name") if isinstance(first.get(key), str) and first[key]), None)
    markup = item.get("content_html")
    text = html_to_text(markup) if isinstance(markup, str) else _string(item.get("content_text"))
    written = item.get("date_published") or item.get("date_modified")
    created = parse_date(written)
    return RawPost(
        native_id=_global(str(guid), url),
        title=plain(_string(item.get("title"))),
        text=text or _string(item.get("summary")),
        author=f"{name} {urlsplit(url).netloc}" if name else None,
        author_names=_names(_string(first.get("name"))),
        url=urljoin(url, _string(item.get("url"))) if item.get("url") else None,
        created_at=created,
        edited_at=parse_date(item.get("date_modified")) if item.get("date_published") else None,
        declared_lang=_string(item.get("language")) or _string(document.get("language")) or None,
        flaws=(DATE_UNREADABLE,) if written and created is None else (),
    )


def _moments(entry: Mapping[str, Any]) -> tuple[datetime | None, datetime | None, bool]:
    """Return when an entry was written and edited, and whether it bears a date that can't be read."""
    # A plain dict: feedparser's own lookup answers 'updated' with 'published', and warns.
    plain_dict = dict(entry.items())
    read = {
        name: datetime.fromtimestamp(calendar.timegm(plain_dict[f"{name}_parsed"]), UTC)
        for name in ("published", "updated", "created")
        if plain_dict.get(f"{name}_parsed")
    }
    created = read.get("published") or read.get("created") or read.get("updated")
    edited = read.get("updated")
    bears = any(plain_dict.get(name) for name in ("published", "updated", "created"))
    return created, edited if edited and created and edited > created else None, bears and not read


def _point(entry: Mapping[str, Any]) -> tuple[float | None, float | None]:
    where = entry.get("where")
    if isinstance(where, dict) and where.get("type") == "Point":
        longitude, latitude = where["coordinates"][:2]
        return float(latitude), float(longitude)
    try:
        return float(entry["geo_lat"]), float(entry["geo_long"])
    except (KeyError, TypeError, ValueError):
        return None, None


def _shown(value: str, kind: str | None) -> str:
    return html_to_text(value) if kind in {"text/html", "application/xhtml+xml"} or looks_like_html(value) else value


def _global(guid: str, url: str) -> str:
    """Return an id that no other site's feed uses: as it is when it is an address, else with the feed's own."""
    return guid if re.match(r"[a-z][a-z0-9+.-]*:", guid, re.IGNORECASE) else f"{url} {guid}"


def _names(name: str | None) -> tuple[str, ...]:
    """Return the ways an author's name may stand in a text; RSS writes 'mail (name)'."""
    if not name:
        return ()
    inside = re.fullmatch(r"\S+@\S+ \((.+)\)", name)
    return (name, inside[1]) if inside else (name,)


def _next_link(links: Iterator[Mapping[str, Any]] | tuple[()], url: str) -> str | None:
    """Return the address of the next page of a paged feed (RFC 5005, 3)."""
    return next((_same_host(link.get("href"), url) for link in links if link.get("rel") == "next"), None)


def _same_host(found: object, url: str) -> str | None:
    if not isinstance(found, str) or not found:
        return None
    address = urljoin(url, found)
    return address if urlsplit(address).netloc == urlsplit(url).netloc else None


def _count(value: object) -> dict[str, int] | None:
    return {"replies": int(value)} if isinstance(value, str) and value.strip().isdigit() else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
