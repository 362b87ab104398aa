"""A page as a tree, and the few questions that every reader of pages asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import lxml.html  # type: ignore[import-untyped]  # ships no types
from cssselect import SelectorError
from lxml.cssselect import CSSSelector  # type: ignore[import-untyped]
from scrapy.http import Response, TextResponse

from crawlers.answers import TRY_LATER, UNREADABLE_ONE_IN
from crawlers.forum_dates import Order, order_of
from crawlers.parking import Parked

Element: TypeAlias = lxml.html.HtmlElement


@dataclass(frozen=True, slots=True)
class Document:
    """A page's tree and address. `whole` is False where it broke off; `now` is when the site made it."""

    root: Element
    url: str
    now: datetime
    zone: tzinfo
    order: Order | None
    whole: bool = True

    @property
    def host(self) -> str:
        """The host that the page is from."""
        return urlsplit(self.url).netloc

    def absolute(self, href: str | None) -> str | None:
        """Return where a link leads; None where it leads to no web page."""
        if not href or href.startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
            return None
        try:
            url = urljoin(self.url, href.strip())
            return url if urlsplit(url).scheme in {"http", "https"} else None
        except ValueError:
            return None

    def links(self, under: Element | None = None) -> Iterator[tuple[Element, str]]:
        """Yield the links to pages of this host, with where they lead."""
        for link in (self.root if under is None else under).iter("a"):
            url = self.absolute(link.get("href"))
            if url and urlsplit(url).netloc == self.host:
                yield link, url

    def select(self, css: str, key: str, under: Element | None = None) -> list[Element]:
        """Return what a selector of the study file finds; raises Parked where it is not CSS."""
        try:
            return list(CSSSelector(css, translator="html")(self.root if under is None else under))
        except (SelectorError, ValueError) as error:
            raise Parked(f"`selectors.{key}` is not a CSS selector", f"mend it in the study file: {error}") from None

    def asks_to_log_in(self) -> bool:
        """Tell whether the page holds a form for a password, or is one by its address."""
        path = urlsplit(self.url).path.lower()
        return bool(self.root.xpath("//input[@type='password']")) or any(
            word in path for word in ("login", "signin", "sign-in", "log-in", "auth")
        )


def document_of(response: Response, now: datetime, zone: tzinfo) -> Document:
    """Return the page in an answer; raises Parked for an answer that holds none."""
    text = response.text if isinstance(response, TextResponse) else response.body.decode("utf-8", "replace")
    if text.count("\ufffd") * UNREADABLE_ONE_IN > sum(letter > "\x7f" for letter in text):
        raise Parked("the page is not in the charset that it names", TRY_LATER)
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = lxml.html.document_fromstring(text.replace("\0", "").encode(errors="replace"), parser=parser)
    except (ValueError, lxml.etree.LxmlError):
        raise Parked("answered nothing instead of a page", TRY_LATER) from None
    lower = text.lower()
    whole = "<html" not in lower[:2000] or "</html" in lower or "</body" in lower
    return Document(root, response.url, now, zone, _order(root), whole)


def words_of(element: Element) -> str:
    """Return the text in an element with single spaces."""
    return " ".join(element.text_content().split()) if isinstance(element.tag, str) else ""


def hints(element: Element) -> str:
    """Return what an element says of itself in its attributes, in lower case."""
    names = ("class", "id", "itemprop", "component", "rel", "data-role", "data-qa", "aria-label")
    return " ".join(element.get(name) or "" for name in names).lower()


def _order(root: Element) -> Order | None:
    found = order_of([*root.itertext(), *(str(title) for title in root.xpath("//@title"))])
    language = (root.get("lang") or "").lower()
    return found or (None if not language or language.startswith("en") else "dmy")
