"""Posts that a topic page states as schema.org data: microdata in the page's own elements, or JSON-LD beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import lxml.html  # type: ignore[import-untyped]  # ships no types

from crawlers.answers import words
from crawlers.forum_dates import read_moment
from crawlers.forum_pages.document import Document, Element
from crawlers.forum_pages.fields import Entry, number_in
from crawlers.markup import plain

POST_TYPES = frozenset(
    {"DiscussionForumPosting", "Comment", "UserComments", "Answer", "Question", "SocialMediaPosting"}
)


def microdata_blocks(page: Document) -> list[Element]:
    """Return the elements that microdata calls posts or comments, in the page's order."""
    if not page.root.xpath("boolean(//*[@itemscope and @itemtype])"):
        return []
    # Here, since it brings rdflib, and most pages need neither.
    from extruct.w3cmicrodata import MicrodataExtractor  # type: ignore[import-untyped]

    extractor = MicrodataExtractor(nested=False, add_html_node=True)
    items = extractor.extract_items(page.root, page.url)
    return [item["htmlNode"] for item in items if _is_post(item.get("type")) and _says_something(item)]


def json_ld_entries(page: Document) -> list[Entry]:
    """Return the posts of a page's JSON-LD; none unless every one of them has a number of its own."""
    if not page.root.xpath("boolean(//script[@type='application/ld+json'])"):
        return []
    from extruct.jsonld import JsonLdExtractor  # type: ignore[import-untyped]

    try:
        data = JsonLdExtractor().extract(lxml.html.tostring(page.root, encoding="unicode"), page.url)
    except (ValueError, RecursionError):  # not JSON: many sites write theirs by hand
        return []
    entries = [entry for item in _posts_in(data, depth=0) if (entry := _entry(page, item)).text]
    return entries if all(entry.number for entry in entries) else []


def _is_post(kind: object) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return any(words(each).rpartition("/")[2] in POST_TYPES for each in kinds)


def _says_something(item: Mapping[str, Any]) -> bool:
    properties = item.get("properties")
    return isinstance(properties, Mapping) and bool(properties.get("text") or properties.get("articleBody"))


def _posts_in(data: object, *, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that are posts, those within others too."""
    if depth > 20:  # noqa: PLR2004  deeper than any thread that is shown
        return
    if isinstance(data, list):
        for each in data:
            yield from _posts_in(each, depth=depth + 1)
    elif isinstance(data, Mapping):
        if _is_post(data.get("@type")):
            yield data
        for key in ("@graph", "mainEntity", "comment", "acceptedAnswer", "suggestedAnswer", "hasPart"):
            yield from _posts_in(data.get(key), depth=depth + 1)


def _entry(page: Document, item: Mapping[str, Any]) -> Entry:
    author = item.get("author")
    author = author[0] if isinstance(author, list) and author else author
    name = words(author.get("name")) if isinstance(author, Mapping) else words(author)
    link = page.absolute(words(author.get("url"))) if isinstance(author, Mapping) else None
    where = next((url for key in ("url", "@id") if (url := page.absolute(words(item.get(key))))), "")
    created = words(item.get("datePublished") or item.get("dateCreated"))
    edited = read_moment(words(item.get("dateModified")), page.now, page.zone)
    return Entry(
        number=number_in(where, page.url),
        author=(link.partition("://")[2] if link else f"{page.host} {name}" if name else None),
        name=name or None,
        written=read_moment(created, page.now, page.zone, page.order),
        dated=bool(created),
        text=plain(words(item.get("text") or item.get("articleBody"))),
        edited=edited.at if edited else None,
    )
