"""A section's page, read into its topics, each with a trace that changes when something new is written in it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from crawlers.forum_dates import fold, is_absolute
from crawlers.forum_pages.addresses import same_series, topic_key, without_page, without_visitor
from crawlers.forum_pages.document import Document, Element, hints, words_of
from crawlers.forum_pages.fields import RELATIVE, dates, number_in

_TOPIC_LINK = re.compile(
    r"topic|thread|viewtopic|showthread|discussion|question|conversation|tema|/t/|/d/|/p/|t=\d|tid=\d|\d+-[^/]{3,}/?$",
    re.IGNORECASE,
)
_TOPIC_NAME = re.compile(
    r"(?:^|[\s_-])(?:topic|thread|discussion|subject|title|topictitle|threadtitle|headline)(?:[\s_-]|$)"
)
_ELSEWHERE = re.compile(
    r"/(?:user|users|member|members|profile|u|login|register|signup|search|tag|tags|help|faq|rules|groups|category|"
    r"categories|c|forum|forums|section|board|find-new|whats-new|rss|feed|publish|create|new|post|newtopic)(?:/[^/]*)*/?$|"
    r"(?:member|profile|memberlist|viewforum|forumdisplay|ucp|search|newthread|posting|misc|login)\.php|"
    r"[?&](?:action|mode|do|board)=",
    re.IGNORECASE,
)
_MENUS = frozenset({"nav", "header", "footer", "aside"})
_VIEWS = re.compile(r"view|hits|просмотр|прочит|بازدید|نمایش|مشاهد|قراءة", re.IGNORECASE)
_AGE = re.compile(r"(?:^|[\s_-])(?:date|time|datetime|timeago|ago|age|relative-?time|activity)(?:[\s_-]|$)")
LEAST_WEIGHT = 2.0
MOST_STEPS_UP = 6


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a section: the address of its first page, and what of its row changes with every post.

    `trace` is None where the row shows nothing of the kind; `active` is when it was last written in, where it says so.
    """

    url: str
    trace: str | None
    active: datetime | None

    @property
    def key(self) -> str:
        """What names the topic."""
        return topic_key(self.url)


def read_listing(page: Document, selector: str | None) -> list[Topic]:
    """Return the topics of a section's page in its order; none where it shows none. `selector` is CSS of their links."""
    links = _selected(page, selector) if selector else _found(page)
    topics: dict[str, Topic] = {}
    for link, url in links:
        topic = _topic(page, link, url, [other for other, _ in links])
        topics.setdefault(topic.key, topic)
    return list(topics.values())


def feed_of(page: Document) -> str | None:
    """Return the address of the feed that a page says is its own, None where it names none."""
    for link in page.root.xpath("//link[contains(concat(' ', @rel, ' '), ' alternate ')]"):
        kind = (link.get("type") or "").lower()
        if kind in {"application/rss+xml", "application/atom+xml", "application/feed+json"}:
            url = page.absolute(link.get("href"))
            if url and urlsplit(url).netloc == page.host:
                return url
    return None


def _selected(page: Document, selector: str) -> list[tuple[Element, str]]:
    found = []
    for element in page.select(selector, "topic"):
        links = [(link, url) for link, url in page.links(element) if words_of(link)]
        if links:
            found.append(max(links, key=lambda entry: len(words_of(entry[0]))))
    return found


def _found(page: Document) -> list[tuple[Element, str]]:
    """Return the links of the kind that most looks like a list of topics."""
    kinds: dict[tuple[str, ...], list[tuple[Element, str]]] = defaultdict(list)
    for link, url in page.links():
        if words_of(link) and not same_series(url, page.url) and not _in_menu(link):
            kinds[_kind(link, url)].append((link, url))
    ranked = []
    for links in kinds.values():
        rows = [link for link, _ in links]
        weights = [_weight(page, link, url, rows) for link, url in links]
        if sum(weights) / len(weights) >= LEAST_WEIGHT:
            ranked.append((sum(weights), links))
    return max(ranked, key=lambda entry: entry[0], default=(0, []))[1]


def _kind(link: Element, url: str) -> tuple[str, ...]:
    """Return what the links of a list have in common: where they stand in the page, and the form of their addresses."""
    parts = urlsplit(url)
    form = re.sub(r"\d+", "0", "/".join(parts.path.split("/")[:2])) + re.sub(r"=[^&]*", "=", parts.query)
    above = [ancestor for _, ancestor in zip(range(2), link.iterancestors(), strict=False)]
    return form, *(f"{element.tag}.{_first_class(element)}" for element in (link, *above))


def _first_class(element: Element) -> str:
    return re.sub(r"\d+", "0", (element.get("class") or "").partition(" ")[0])


def _weight(page: Document, link: Element, url: str, rows: list[Element]) -> float:
    """Return how much a link looks like a topic's title."""
    path = url.partition("://")[2]
    weight = 2.0 * (_TOPIC_LINK.search(path) is not None) + min(len(words_of(link)), 40) / 20
    named = " ".join(hints(element) for _, element in zip(range(3), (link, *link.iterancestors()), strict=False))
    weight += (_TOPIC_NAME.search(named) is not None) + (link.getparent().tag in {"h1", "h2", "h3", "h4"})
    weight += 2.0 * any(True for _ in dates(page, _row(link, rows)))
    return weight - 3.0 * (_ELSEWHERE.search(path) is not None)


def _in_menu(link: Element) -> bool:
    return any(
        above.tag in _MENUS or above.get("role") == "navigation" or "breadcrumb" in hints(above)
        for above in link.iterancestors()
    )


def _row(link: Element, rows: list[Element]) -> Element:
    """Return the part of the page that belongs to one link of a list: the largest that holds no other of them."""
    others = set(rows) - {link}
    row = link
    for _, above in zip(range(MOST_STEPS_UP), link.iterancestors(), strict=False):
        if above.tag in {"body", "html", "main"} or any(inner in others for inner in above.iter("a")):
            break
        row = above
        if above.tag in {"tr", "article"}:
            break
    return row


def _topic(page: Document, link: Element, url: str, links: list[Element]) -> Topic:
    row = _row(link, links)
    told = [(date.moment.at, date.rank) for date in dates(page, row) if date.moment]
    lasting = sorted(at for at, rank in told if rank != RELATIVE)
    active = max(lasting or [at for at, _ in told], default=None)
    posts = {number for _, other in page.links(row) if (number := number_in(other, url)) is not None}
    shown = [*sorted(posts), *(at.isoformat() for at in lasting[-1:]), *_counts(row, link)]
    return Topic(without_page(without_visitor(url)), " ".join(shown) or None, active)


def _counts(row: Element, link: Element) -> list[str]:
    """Return the numbers that a row shows, in its order, those left out that grow when it is looked at."""
    numbers = []
    for element in row.iter():
        if element is link or not isinstance(element.tag, str) or element.tag in {"script", "style", "time"}:
            continue
        text = fold("".join([element.text or "", *(child.tail or "" for child in element)]))
        found = re.fullmatch(r"\D{0,12}?(\d[\d.,  ]*[km]?)\D{0,20}", text)
        if found and not _VIEWS.search(text) and not _tells_something_else(element, row):
            numbers.append(found[1].strip())
    return numbers


def _tells_something_else(element: Element, row: Element) -> bool:
    """Tell whether a number is that of views, or the age of the last post."""
    for above in (element, *element.iterancestors()):
        if above is row:
            return False
        label = f"{hints(above)} {above.get('title') or ''}"
        if _AGE.search(hints(above)) or is_absolute(above.get("title") or ""):
            return True
        if any(_VIEWS.search(said) for said in (label, _beside(above), _column(above))):
            return True
    return False


def _beside(element: Element) -> str:
    """Return a short label that stands before or after a number within the same element."""
    parent = element.getparent()
    text = words_of(parent) if parent is not None else ""
    return text if len(text) <= 24 else ""  # noqa: PLR2004  a label and its number


def _column(cell: Element) -> str:
    """Return the heading of a table's column that a cell stands in."""
    if cell.tag != "td":
        return ""
    place = sum(1 for _ in cell.itersiblings("td", preceding=True))
    table = next(cell.iterancestors("table"), None)
    heads = [head for row in table.iter("tr") for head in row.iterchildren("th")] if table is not None else []
    return words_of(heads[place]) if place < len(heads) else ""
