"""Any forum, from the page that lists a section's topics (docs/sources/forum.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import scrapy
from scrapy.http import Response

from citystudy.targets import ForumTarget
from crawlers.answers import CLOSED_STATUSES, GONE_STATUSES, header, refuse
from crawlers.dates import parse_date
from crawlers.feeds import NotAFeedError, read_feed
from crawlers.forum_pages.addresses import page_position, topic_key, without_page, without_visitor
from crawlers.forum_pages.document import Document, document_of
from crawlers.forum_pages.listing import Topic, feed_of, read_listing
from crawlers.forum_pages.paging import paging
from crawlers.forum_pages.second_look import missing
from crawlers.forum_pages.topic import TopicPage, read_topic
from crawlers.items import RawPost
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.topic_marks import changed, page_of, remembered, traces_of, with_page
from crawlers.visits import AGAIN, Found, Step, Visit

MOST_TRIES = 3

TOPIC_GONE = "topic is gone"
MEMBERS_ONLY = "topic for members only"
NO_POSTS = "topic page without posts"
CLOSED = "closed: the forum shows this page to its members only"
BROKE_OFF = "the page broke off"
_CHOOSE_ANOTHER = "choose a section that everybody may read, or ask the forum's administrators"
_NAME_TOPICS = "check `url`, or name the links to topics in the study file: selectors.topic, a CSS selector"
_NAME_POSTS = "name what holds a post in the study file: selectors.post, and .author, .date, .text, CSS selectors"


class ForumSpider(TargetSpider[ForumTarget]):
    """Reads the section's topics, newest first, and of each topic the pages with something new, last page first.

    Mark: `topics`, for each topic at the top of the section the trace of its last post and its last page as read;
    `later`, steps of topic pages that held no posts, to be tried again. A step is a page of the section (`list`, None:
    its first), the section's `feed`, or a `page` of a topic and where to `go` from there: `in`, from the page read
    last to the topic's end; `end`, the same and back to the position `until`; `back`, to `until` only. `look` asks a
    page for posts that may have been edited or deleted.
    """

    name = "forum"
    target_type = ForumTarget
    look_batch = 100

    def opening(self, visit: Visit[ForumTarget]) -> list[Step]:
        """Begin with the section's first page; raises Parked for a time zone that does not exist."""
        _zone(visit.target)
        return [{"list": None}]

    def request(self, visit: Visit[ForumTarget], step: Step) -> scrapy.Request:
        """Ask for a page of the section or of a topic."""
        if AGAIN in step:
            url = step[AGAIN][0][1]
        elif "list" in step:
            url = step["list"] or visit.target.url
        else:
            url = step.get("feed") or step["page"]
        return self.ask(visit, step, url)

    def read(self, visit: Visit[ForumTarget], step: Step, response: Response) -> Found:
        """Return the posts of a page, and which pages to read for what is new."""
        if AGAIN in step:
            return self._second_look(visit, step[AGAIN], response)
        if "look" in step:
            return self._look(visit, step["look"], response, step.get("from"))
        if "list" in step:
            return self._listing(visit, step, response)
        if "feed" in step:
            return self._feed(visit, response)
        return self._topic(visit, step, response)

    # The section

    def _listing(self, visit: Visit[ForumTarget], step: Step, response: Response) -> Found:
        refuse(response, "url")
        page = _document(visit, response)
        topics = read_listing(page, visit.target.selectors.topic)
        if not topics:
            feed = feed_of(page) if step["list"] is None else None
            if feed:
                return Found(next=[{"feed": feed}])
            if page.asks_to_log_in():
                raise Parked(CLOSED, _CHOOSE_ANOTHER)
            raise Parked("no topics found on the section's page", _NAME_TOPICS)
        found = self._opened(visit, topics, first=step["list"] is None)
        following = paging(page, visit.target.selectors.next_page).next
        fresh = any(topic.trace is not None for topic in _changed(visit, topics))
        if following and following not in visit.seen and fresh and not self._all_too_old(topics):
            visit.seen.add(following)
            found.next.append({"list": following})
        found.mark["topics"] = _remembered(visit, topics)
        if not page.whole:
            found.mark, found.broken = {}, BROKE_OFF
        return found

    def _feed(self, visit: Visit[ForumTarget], response: Response) -> Found:
        """Return the topics that the section's feed names, for sections whose page shows none to programs."""
        refuse(response, "url")
        try:
            feed = read_feed(response.body, response.url, header(response, "Content-Type") or "")
        except NotAFeedError:
            raise Parked("no topics found on the section's page", _NAME_TOPICS) from None
        topics: dict[str, Topic] = {}
        for post in feed.posts:
            url = without_page(without_visitor(post.url or post.native_id))
            if url.partition("://")[2].startswith(f"{visit.host}/") and topic_key(url) not in topics:
                written = post.edited_at or post.created_at
                topics[topic_key(url)] = Topic(url, f"{written} {post.native_id}", written)
        if not topics:
            raise Parked("no topics found on the section's page or in its feed", _NAME_TOPICS)
        found = self._opened(visit, list(topics.values()), first=True)
        found.mark["topics"] = _remembered(visit, list(topics.values()))
        return found

    def _opened(self, visit: Visit[ForumTarget], topics: Sequence[Topic], *, first: bool) -> Found:
        """Return the steps into those topics of a list that have something new."""
        known = visit.mark.get("topics", {})
        fresh = [topic for topic in _changed(visit, topics) if not self._all_too_old([topic])]
        found = Found(quiet=first and not fresh)
        for topic in fresh:
            page = known.get(topic.key, [None, None])[1] or topic.url
            found.next.append({"topic": topic.url, "page": page, "go": "in"})
        if first:
            found.next += visit.mark.get("later", [])
            found.mark["later"] = []
        return found

    def _all_too_old(self, topics: Sequence[Topic]) -> bool:
        """Tell whether all topics were last written in before what the study wants."""
        return self.too_old([RawPost(native_id=topic.key, text="", created_at=topic.active) for topic in topics])

    # A topic

    def _topic(self, visit: Visit[ForumTarget], step: Step, response: Response) -> Found:
        if response.status in GONE_STATUSES:
            if step["go"] == "in" and step["page"] != step["topic"]:  # it has fewer pages than before
                return Found(next=[{**step, "page": step["topic"]}])
            return Found(dropped=Counter([TOPIC_GONE] if step["go"] == "in" else []))
        if response.status in CLOSED_STATUSES and visit.posts:
            return Found(dropped=Counter([MEMBERS_ONLY]))
        refuse(response, "url")
        page = _document(visit, response)
        read = read_topic(page, visit.target.selectors)
        if not read.ids:
            return _without_posts(visit, step, page, read)
        found = Found(posts=read.posts, dropped=read.dropped, gone=read.gone)
        if page.whole:
            found.next = self._further(visit, step, page, read)
            found.mark = _last_page(visit, step, page)
        else:
            found.broken = BROKE_OFF
        return found

    def _further(self, visit: Visit[ForumTarget], step: Step, page: Document, read: TopicPage) -> list[Step]:
        """Return the steps to the pages after this one, the last first, and to those before it."""
        way, here = paging(page, visit.target.selectors.next_page), page_position(page.url)
        visit.seen.update({step["page"], without_visitor(page.url)})
        steps: list[Step] = []
        later = way.last if way.last and page_position(way.last) > here else way.next
        if step["go"] != "back" and later and later not in visit.seen:
            steps.append({"topic": step["topic"], "page": later, "go": "end", "until": here})
        until = step.get("until")
        if until is not None and way.previous and page_position(way.previous) > until and not self.too_old(read.posts):
            steps.append({"topic": step["topic"], "page": way.previous, "go": "back", "until": until})
        return steps

    # Second looks

    def _second_look(self, visit: Visit[ForumTarget], pairs: Sequence[Sequence[str]], response: Response) -> Found:
        """Look at the first page of a batch; the batch's other pages become steps of their own."""
        pages: dict[str, list[str]] = {}
        for native_id, ref in pairs:
            pages.setdefault(ref, []).append(native_id)
        (_, asked), *others = pages.items()
        found = self._look(visit, asked, response, None)
        found.next += [{"look": ids, "page": url} for url, ids in others]
        return found

    def _look(self, visit: Visit[ForumTarget], asked: list[str], response: Response, came_from: str | None) -> Found:
        if response.status in GONE_STATUSES:
            first = without_page(response.url)
            if page_position(response.url) and came_from is None:
                return Found(next=[{"look": asked, "page": first, "from": response.url}])
            return Found(gone=asked if not page_position(response.url) else [])
        if response.status != HTTPStatus.OK:
            return Found()
        page = _document(visit, response)
        read = read_topic(page, visit.target.selectors)
        if not read.ids or not page.whole:
            return Found()
        way = paging(page, visit.target.selectors.next_page)
        left = missing(asked, read.ids, way, came_from)
        here = without_visitor(page.url)
        steps: list[Step] = [
            {"look": ids, "page": url, "from": here}
            for ids, url in ((left.before, way.previous), (left.after, way.next))
            if ids
        ]
        return Found(posts=read.posts, gone=[*read.gone, *left.gone], next=steps)


def _document(visit: Visit[ForumTarget], response: Response) -> Document:
    made = parse_date(header(response, "Date")) or datetime.now(UTC)
    return document_of(response, made, _zone(visit.target))


def _zone(target: ForumTarget) -> ZoneInfo:
    try:
        return ZoneInfo(target.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reason = f"no time zone is called {target.timezone!r}"
        raise Parked(reason, "write `timezone` in the study file as in 'Asia/Tehran'") from None


def _changed(visit: Visit[ForumTarget], topics: Sequence[Topic]) -> list[Topic]:
    """Return the topics that have something new, or whose rows can't tell."""
    keys = set(changed(visit.mark.get("topics", {}), _traces(topics)))
    return [topic for topic in topics if topic.key in keys]


def _remembered(visit: Visit[ForumTarget], topics: Sequence[Topic]) -> dict[str, Any]:
    traces = _traces(topics)
    marks = remembered(visit.mark.get("topics", {}), traces, visit.seen)
    visit.seen.update(traces)
    return marks


def _traces(topics: Iterable[Topic]) -> dict[str, str | None]:
    return traces_of((topic.key, topic.trace) for topic in topics)


def _last_page(visit: Visit[ForumTarget], step: Step, page: Document) -> dict[str, Any]:
    """Return the mark with the topic's last page where this is it."""
    known, key = visit.mark.get("topics", {}), topic_key(step["topic"])
    if page_position(page_of(known, key) or "") > page_position(page.url):
        return {}
    return {"topics": with_page(known, key, without_visitor(page.url))}


def _without_posts(visit: Visit[ForumTarget], step: Step, page: Document, read: TopicPage) -> Found:
    """Return what to do with a topic page that shows no posts: try again later, a few times."""
    if page.asks_to_log_in() and not read.dropped:
        if visit.posts:
            return Found(dropped=Counter([MEMBERS_ONLY]))
        raise Parked(CLOSED, _CHOOSE_ANOTHER)
    if not visit.posts:
        raise Parked("no posts found on a topic's page", _NAME_POSTS)
    tried = step.get("tried", 0) + 1
    if tried >= MOST_TRIES:
        return Found(dropped=Counter([NO_POSTS]) + read.dropped)
    return Found(dropped=Counter([NO_POSTS]), mark={"later": [*visit.mark.get("later", []), {**step, "tried": tried}]})
