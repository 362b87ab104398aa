"""A page of a topic, read into posts by the method that finds most of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from citystudy.targets import Selectors
from crawlers.forum_pages.addresses import page_position, topic_key, without_page, without_visitor
from crawlers.forum_pages.blocks import post_blocks
from crawlers.forum_pages.document import Document, words_of
from crawlers.forum_pages.fields import Entry, entry_of
from crawlers.forum_pages.schema_org import json_ld_entries, microdata_blocks
from crawlers.intake import DATE_UNREADABLE, NO_ID
from crawlers.items import RawPost

DATE_ROUNDED = "date told as an age"


@dataclass(slots=True)
class TopicPage:
    """The posts of a page, the native ids that it says are gone, and what was left out."""

    posts: list[RawPost] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def ids(self) -> list[str]:
        """The native ids of everything that the page names."""
        return [*(post.native_id for post in self.posts), *self.gone]


def read_topic(page: Document, selectors: Selectors) -> TopicPage:
    """Return what a page of a topic holds; raises Parked where the study file's selectors are no CSS."""
    entries = _entries(page, selectors)
    told = any(entry.text for entry in entries)  # else it is the reader who does not find the texts
    key, title = topic_key(page.url), _title(page)
    opens = page_position(page.url) == 0
    found, seen = TopicPage(), set()
    for position, entry in enumerate(entries):
        number = entry.number or _told(entry)
        if number is None:
            found.dropped[NO_ID] += 1
            continue
        native_id = f"{key}#{number}"
        if native_id in seen:
            continue
        seen.add(native_id)
        if entry.removed or (told and entry.bare):
            found.gone.append(native_id)
        else:
            first = opens and position == 0
            found.posts.append(_post(page, entry, native_id, key, title if first else ""))
    return found


def _entries(page: Document, selectors: Selectors) -> list[Entry]:
    """Return the entries of the method that finds most, the more exact method where two find as many."""
    if selectors.post:
        return [entry_of(page, block, selectors) for block in page.select(selectors.post, "post")]
    ways = [
        [entry_of(page, block, selectors) for block in microdata_blocks(page)],
        json_ld_entries(page),
        [entry_of(page, block, selectors) for block in post_blocks(page)],
    ]
    return max(ways, key=lambda entries: sum(bool(entry.text) for entry in entries))


def _post(page: Document, entry: Entry, native_id: str, key: str, title: str) -> RawPost:
    flaws = (DATE_UNREADABLE,) if entry.dated and entry.written is None else ()
    if entry.written is not None and entry.written.rounded:
        flaws = (DATE_ROUNDED,)
    return RawPost(
        native_id=native_id,
        title=title,
        text=entry.text,
        author=entry.author,
        author_names=(entry.name,) if entry.name else (),
        url=f"{without_page(page.url)}#{entry.number}" if entry.number else page.url,
        thread=key,
        ref=without_visitor(page.url),
        created_at=entry.written.at if entry.written else None,
        edited_at=entry.edited,
        flaws=flaws,
    )


def _told(entry: Entry) -> str | None:
    """Return what tells a post without a number from its topic's others: who wrote it when."""
    if entry.written is None or entry.written.rounded or not entry.author:
        return None
    return f"{entry.author} {entry.written.at.isoformat()}"


def _title(page: Document) -> str:
    """Return the topic's title: the longest heading that the window's title repeats."""
    window = next((words_of(element) for element in page.root.iter("title")), "")
    headings = (words_of(element) for element in page.root.iter("h1", "h2", "h3"))
    repeated = max((heading for heading in headings if heading and heading in window), key=len, default="")
    stated = page.root.xpath("string(//meta[@property='og:title']/@content)").strip()
    return repeated or stated or window
