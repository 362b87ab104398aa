"""What one block of a topic page says: which post it is, who wrote it, when, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from lxml.etree import iterwalk  # type: ignore[import-untyped]  # ships no types

from citystudy.targets import Selectors
from crawlers.forum_dates import LONGEST, Moment, fold, is_absolute, read_moment
from crawlers.forum_pages.addresses import same_series, without_visitor
from crawlers.forum_pages.document import Document, Element, hints, words_of
from crawlers.markup import html_to_text
from crawlers.quotes import markup_without_quotes

_NUMBER_KEYS = (
    "data-pid", "data-post-id", "data-postid", "data-post", "data-pk", "data-comment-id", "data-commentid",
    "data-message-id", "data-msgid", "data-reply-id", "data-entry-id", "data-content", "data-id",
)  # fmt: skip
_IN_KEY = re.compile(r"(?:^|[\s_-])#?([0-9]+|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})$", re.IGNORECASE)
_IN_ID = re.compile(
    r"(?:post|p|pid|msg|message|comment|c|reply|entry|js-post|post-message|post_message|postid|div_post|topic-post)"
    r"[-_]?(\d+)$",
    re.IGNORECASE,
)
_IN_LINK = re.compile(r"(?:[?&;](?:p|pid|post|postid|comment|post_id)=|/(?:post|posts|comment|p|findpost)[/-])(\d+)")
_PERSON_LINK = re.compile(
    r"/(?:user|users|member|members|profile|profiles|u|people|id)/|(?:member|profile)\.php\?|[?&](?:mode=viewprofile|"
    r"action=profile|showuser=)|/(?:user|profile|member)-",
    re.IGNORECASE,
)
_PERSON_NAME = re.compile(
    r"(?:^|[\s_-])(?:author|username|user-name|user_name|poster|nickname|nick|bigusername)(?:[\s_-]|$)"
)
_BODY = re.compile(
    r"(?:^|[\s_-])(?:content|message|text|body|postbody|posttext|postcontent|bbwrapper|usercontent|msg|inner|description)"
    r"(?:[\s_-]|$)"
)
_OTHER_DATE = re.compile(
    r"edit|modif|\bjoin|regist|birth|last seen|online|измен|редакт|регистр|был[аи]? в сети|ویرایش|عضویت|تعديل|انضم|"
    r"التسجيل|آخر نشاط|آخرین بازدید",
    re.IGNORECASE,
)
_REMOVED = re.compile(r"(?:^|[\s_-])(?:deleted|removed|is-deleted|is-removed|post-deleted)(?:[\s_-]|$)")
_TOOL_TAGS = frozenset({"nav", "form", "footer", "aside", "script", "style", "button", "template", "noscript"})
_TOOL = re.compile(
    r"(?:^|[\s_-])(?:footer|share|menu|controls|toolbar|toolbox|tools|actions|buttons|signature|avatar)(?:[\s_-]|$)"
)
_DATE_KEYS = ("datetime", "data-time", "data-timestamp", "data-unixtime", "data-date", "data-epoch", "content", "title")
# What forums call all visitors without a name: many voices, none of which is known.
_NOBODY = frozenset(
    map(fold, ("guest", "anonymous", "гость", "аноним", "مهمان", "میهمان", "ناشناس", "زائر", "ضيف", "مجهول"))
)
_DATE_NAME = re.compile(r"(?:^|[\s_-])(?:date|time|datetime|dt|posted|published|when|timeago)(?:[\s_-]|$)")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HEADLINE = re.compile(r"title|subject|headline")
_SILENT = frozenset({"script", "style", "textarea", "template"})
_INLINE = frozenset({"a", "span", "b", "i", "small", "time", "strong", "em", "ul", "li"})

LONGEST_LABEL = 30

# How a date is told, the surest first.
ATTRIBUTE, HINTED, PLAIN, RELATIVE = range(4)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date where it stands; `moment` None where the study file's selector names a place that tells none."""

    element: Element
    moment: Moment | None
    rank: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as its page shows it. `number` is None where nothing names it.

    `removed` says that its block is named so, `bare` that the block has no place for a text: a note of a removal.
    """

    number: str | None
    author: str | None
    name: str | None
    written: Moment | None
    dated: bool
    text: str
    edited: datetime | None = None
    removed: bool = False
    bare: bool = False


def entry_of(page: Document, block: Element, selectors: Selectors) -> Entry:
    """Return what a block says."""
    person = _person(page, block, selectors.author)
    date = _date(page, block, selectors.date)
    body = _body(page, block, [person, date.element if date else None], selectors.text)
    name = words_of(person) or person.get("content") if person is not None else None
    return Entry(
        number=number_of(page, block),
        author=_author(page, person, name),
        name=name or None,
        written=date.moment if date else None,
        dated=date is not None or bool(block.xpath(".//time")),
        text=html_to_text(markup_without_quotes(body)) if body is not None else "",
        removed=_REMOVED.search(block.get("class") or "") is not None,
        bare=body is None,
    )


def own_number(block: Element) -> tuple[str, str] | None:
    """Return the attribute by which an element says which post it is, and the number."""
    for key in _NUMBER_KEYS:
        found = _IN_KEY.search(block.get(key) or "")
        if found:
            return key, found[1]
    found = _IN_ID.fullmatch(block.get("id") or "")
    return (f"id {(block.get('id') or '')[: found.start(1)]}", found[1]) if found else None


def number_of(page: Document, block: Element) -> str | None:
    """Return the number, or other id, of the post in a block; None where nothing there names one."""
    own = own_number(block)
    if own:
        return own[1]
    for anchor in block.xpath(".//*[@id or (self::a and @name)]"):
        found = _IN_ID.fullmatch(anchor.get("id") or anchor.get("name") or "")
        if found:
            return found[1]
    for _, url in page.links(block):
        number = number_in(url, page.url)
        if number:
            return number
    parent = block.getparent()
    above = own_number(parent) if parent is not None else None
    return above[1] if above else None


def number_in(url: str, topic: str) -> str | None:
    """Return the number of the post that a link into a topic names."""
    fragment = urlsplit(url).fragment
    found = _IN_ID.fullmatch(fragment) or re.fullmatch(r"(\d+)", fragment)
    if found and same_series(url, topic):
        return found[1]
    found = _IN_LINK.search(url)
    return found[1] if found else None


def says_when(page: Document, block: Element) -> bool:
    """Tell whether a block holds a date."""
    return next(dates(page, block), None) is not None


def says_who(page: Document, block: Element) -> bool:
    """Tell whether a block names a person."""
    return _person(page, block, None) is not None


def dates(page: Document, block: Element) -> Iterator[Dated]:
    """Yield every date that a block tells, but those that tell when somebody joined or edited."""
    for element, told, rank in _tellings(block):
        moment = read_moment(told, page.now, page.zone, page.order)
        if moment is not None:
            yield Dated(element, moment, rank if is_absolute(told) else RELATIVE)


def _date(page: Document, block: Element, css: str | None) -> Dated | None:
    """Return a block's own date: one in an attribute or in a place called so before one that just stands there."""
    if css:
        chosen = page.select(css, "date", block)
        told = [(element, text) for element in chosen for _, text, _ in _tellings(element)]
        read = ((element, read_moment(text, page.now, page.zone, page.order)) for element, text in told)
        unread = Dated(chosen[0], None, RELATIVE) if told else None
        return next((Dated(element, moment, ATTRIBUTE) for element, moment in read if moment), unread)
    return min(
        dates(page, block), key=lambda date: (date.rank, date.moment is None or date.moment.rounded), default=None
    )


def _tellings(block: Element) -> Iterator[tuple[Element, str, int]]:
    """Yield the texts of a block that may be dates, with their elements and ranks."""
    walk, before = iterwalk(block, events=("start", "end")), ""
    for event, element in walk:
        if event == "end":
            piece = (element.tail or "").strip() if element is not block else ""
            if piece and not _of_another_moment(piece, before):
                yield element.getparent(), piece, _rank(element.getparent())
            before = f"{before} {piece}"[-LONGEST:]
            continue
        text = words_of(element)
        if element.tag in _SILENT or (len(text) <= LONGEST and _OTHER_DATE.search(hints(element))):
            walk.skip_subtree()
            continue
        if not _of_another_moment(text if len(text) <= LONGEST else "", before):
            for key in _DATE_KEYS:
                value = element.get(key)
                if value and (key != "content" or element.get("itemprop", "").startswith("date")):
                    yield element, value, ATTRIBUTE
            pieces = dict.fromkeys((text, (element.text or "").strip()))
            yield from ((element, said, _rank(element)) for said in pieces if said)
        before = f"{before} {(element.text or '').strip()}"[-LONGEST:]


def _of_another_moment(text: str, before: str) -> bool:
    """Tell whether a text is about when somebody joined, was seen or edited, by its own words or the label before it."""
    label = re.split(r"\d", before)[-1][-LONGEST_LABEL:]
    return any(_OTHER_DATE.search(said) for said in (text, label)) and any(letter.isdigit() for letter in text or "0")


def _rank(element: Element) -> int:
    return HINTED if element.tag == "time" or _DATE_NAME.search(hints(element)) else PLAIN


def _person(page: Document, block: Element, css: str | None) -> Element | None:
    if css:
        return next(iter(page.select(css, "author", block)), None)
    for found in block.xpath(".//*[contains(concat(' ', @itemprop, ' '), ' author ')]"):
        names = [found, *found.xpath(".//*[@itemprop='name']"), *found.iter("a")]
        return next((e for e in reversed(names) if words_of(e) or e.get("content")), found)
    links = [link for link, url in page.links(block) if _PERSON_LINK.search(url) and words_of(link)]
    if links:
        return links[0]
    named = [e for e in block.iterdescendants() if isinstance(e.tag, str) and _PERSON_NAME.search(hints(e))]
    return next((element for element in named if 0 < len(words_of(element)) <= LONGEST), None)


def _author(page: Document, person: Element | None, name: str | None) -> str | None:
    """Return the address of a person's own page, else the name within this host."""
    if person is None:
        return None
    links = [person, *person.iterancestors("a"), *person.iter("a")]
    for link in links[:3]:
        url = page.absolute(link.get("href")) if link.tag == "a" else None
        if url and urlsplit(url).netloc == page.host and not same_series(url, page.url):
            return without_visitor(url).partition("://")[2]
    return f"{page.host} {name}" if name and fold(name) not in _NOBODY else None


def _body(page: Document, block: Element, beside: list[Element | None], css: str | None) -> Element | None:
    """Return the element with a post's own text: none of those that hold its person, date or headline."""
    if css:
        return next(iter(page.select(css, "text", block)), None)
    stated = block.xpath(".//*[@itemprop='text' or @itemprop='articleBody']")
    if stated:
        return stated[0]
    headline = next((h for h in block.iter(*_HEADINGS) if _HEADLINE.search(hints(h)) or h.xpath(".//a[text()]")), None)
    apart = {above for element in (*beside, headline) if element is not None for above in _up(element)}
    free = [e for e in block.iterdescendants() if isinstance(e.tag, str) and e not in apart and not _is_tool(e, block)]
    named = [e for e in free if _BODY.search(hints(e))]
    if any(words_of(element) for element in named):
        return _wordiest(named)
    if named:
        return named[0]  # a post of pictures alone
    return _wordiest([e for e in free if e.tag not in _INLINE and words_of(e) and not says_when(page, e)])


def _wordiest(elements: list[Element]) -> Element | None:
    """Return the element with most text of its own, links left out: buttons and menus are made of links."""

    def size(element: Element) -> tuple[int, int]:
        text = len(words_of(element))
        return text - sum(len(words_of(link)) for link in element.iter("a")), text

    return max(elements, key=size, default=None)


def _up(element: Element) -> Iterator[Element]:
    yield element
    yield from element.iterancestors()


def _is_tool(element: Element, block: Element) -> bool:
    """Tell whether an element is hidden, or lies in a row of buttons, a menu or a form of its block."""
    for each in _up(element):
        if each is block:
            return False
        style = (each.get("style") or "").replace(" ", "")
        if each.tag in _TOOL_TAGS or each.get("hidden") is not None or "display:none" in style:
            return True
        if _TOOL.search(each.get("class") or ""):
            return True
    return False
