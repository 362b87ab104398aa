"""Where the other pages of a topic or section are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawlers.forum_dates import fold
from crawlers.forum_pages.addresses import page_position, same_series, without_visitor
from crawlers.forum_pages.document import Document, words_of

_NEXT_WORDS = re.compile(
    r"next\b|older\b|вперед|следующая|следующие|дальше|далее|بعدی|بعد$|التالی|القادمه|[›»→❯]$", re.IGNORECASE
)
_NEXT_NAMES = re.compile(r"(?:^|[\s_-])(?:next|pagination-next|nextpage|right-box)(?:[\s_-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Paging:
    """Addresses of the pages before and after this one and of the last one that it links to; None where there is none."""

    previous: str | None = None
    next: str | None = None
    last: str | None = None


def paging(page: Document, next_page: str | None = None) -> Paging:
    """Return where a page's neighbours are; `next_page` is a CSS selector of the link to the next one."""
    here = page_position(page.url)
    others = {
        page_position(url): without_visitor(url)
        for _, url in page.links()
        if same_series(url, page.url) and _plain(url)
    }
    later = [position for position in others if position > here]
    earlier = [position for position in others if position < here]
    if next_page:
        link = next(iter(page.select(next_page, "next_page")), None)
        following = page.absolute(link.get("href")) if link is not None else None
    else:
        following = _marked(page, "next") or (others[min(later)] if later else _worded(page))
    before = _marked(page, "prev") or _marked(page, "previous") or (others[max(earlier)] if earlier else None)
    last = others[max(later)] if later else following
    return Paging(before, following, last)


def _plain(url: str) -> bool:
    """Tell whether an address is that of a page, not of one post on it or of a form."""
    return not re.search(r"[?&;/](?:reply|quote|print|action=printpage|edit|report|pid=|p=\d)", url, re.IGNORECASE)


def _marked(page: Document, rel: str) -> str | None:
    for link in page.root.xpath("//*[self::a or self::link][contains(concat(' ', @rel, ' '), $rel)]", rel=f" {rel} "):
        url = page.absolute(link.get("href"))
        if url and same_series(url, page.url) and without_visitor(url) != without_visitor(page.url):
            return without_visitor(url)
    return None


def _worded(page: Document) -> str | None:
    """Return where a link that says 'next' leads, for addresses whose page numbers are of a kind of their own."""
    for link, url in page.links():
        names = f"{link.get('class') or ''} {link.get('title') or ''} {link.get('aria-label') or ''}"
        said = fold(words_of(link))
        if (len(said) <= 20 and _NEXT_WORDS.match(said)) or _NEXT_NAMES.search(names):  # noqa: PLR2004  a label, no sentence
            stem = page.url.partition("?")[0].rstrip("/")
            if url.startswith(stem) and without_visitor(url) != without_visitor(page.url):
                return without_visitor(url)
    return None
