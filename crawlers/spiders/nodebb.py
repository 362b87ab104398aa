"""NodeBB forums, whole or one category, through their read API (docs/sources/nodebb.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import scrapy
from scrapy.http import Response

from citystudy.targets import NodebbTarget
from crawlers.answers import CLOSED_STATUSES, GONE_STATUSES, TRY_LATER, header, object_of, objects, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.forum_pages.paging import Paging
from crawlers.forum_pages.second_look import missing
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.quotes import without_quotes
from crawlers.spiders.base import TargetSpider
from crawlers.topic_marks import changed, page_of, remembered, traces_of, with_page
from crawlers.visits import AGAIN, Found, Step, Visit

NOT_A_POST = "not a post"
TOPIC_GONE = "topic is gone"
MEMBERS_ONLY = "topic for members only"
DELETED = "[[topic:post_is_deleted]]"
_CHOOSE_ANOTHER = "choose a forum or category that everybody may read, or ask its administrators"


class NodebbSpider(TargetSpider[NodebbTarget]):
    """Reads the topics, last written in first, and of each topic the pages with something new, last page first.

    Mark: `topics`, for each topic at the top of the list its trace and last page as read; `etag` of the list as last
    read. A step is a page of the list (`list`), a `page` of a `topic` with what lies after the page `until`, or a
    second `look` at posts of a topic's page.
    """

    name = "nodebb"
    target_type = NodebbTarget
    look_batch = 100

    def opening(self, visit: Visit[NodebbTarget]) -> list[Step]:  # noqa: ARG002  every visit begins so
        """Begin with the topics last written in."""
        return [{"list": 1}]

    def request(self, visit: Visit[NodebbTarget], step: Step) -> scrapy.Request:
        """Ask for a page of the list of topics or of a topic, oldest posts first."""
        headers = {"Accept": "application/json"}
        query: dict[str, int | str] = {}
        if "list" in step:
            category = visit.target.category
            path = f"category/{category}" if category else "recent"
            query = {"sort": "recently_replied"} if category else {}
            page = step["list"]
            if page == 1 and visit.mark.get("etag"):
                headers["If-None-Match"] = visit.mark["etag"]
        else:
            topic, page = step[AGAIN][0][1].split() if AGAIN in step else (step["topic"], step["page"])
            path, query = f"topic/{topic}", {"sort": "oldest_to_newest"}
        url = f"{visit.target.url.rstrip('/')}/api/{path}?{urlencode({**query, 'page': page})}"
        return self.ask(visit, step, url, headers=headers)

    def read(self, visit: Visit[NodebbTarget], step: Step, response: Response) -> Found:
        """Return the posts of a page, and which pages to read for what is new."""
        if AGAIN in step:
            return self._second_look(visit, step[AGAIN], response)
        if "look" in step:
            return self._look(visit, step, response)
        if "list" in step:
            return self._list(visit, step["list"], response)
        return self._topic(visit, step, response)

    def _list(self, visit: Visit[NodebbTarget], page: int, response: Response) -> Found:
        if response.status == HTTPStatus.NOT_MODIFIED and page == 1:
            return Found(quiet=True)
        if response.status in GONE_STATUSES and visit.target.category:
            raise Parked(f"no such category (HTTP {response.status})", "check `category` in the study file")
        refuse(response, "url")
        listed = object_of(response)
        if not isinstance(listed.get("topics"), list):
            raise Parked("answered JSON of another shape", TRY_LATER)
        topics = [topic for topic in objects(listed["topics"]) if _id(topic.get("tid"))]
        if not topics and page == 1:
            raise Parked("closed or empty: the forum shows no topics to strangers", _CHOOSE_ANOTHER)
        known = visit.mark.get("topics", {})
        traces = traces_of((_id(topic["tid"]), _trace(topic)) for topic in topics)
        old = [_id(topic["tid"]) for topic in topics if self._too_old(topic)]
        fresh = [tid for tid in changed(known, traces) if tid not in old]
        found = Found(quiet=page == 1 and not fresh)
        for tid in fresh:
            found.next.append({"topic": tid, "page": page_of(known, tid) or 1, "until": None})
        more = page < _pages(listed) or (not listed.get("pagination") and len(topics) > 0)
        if more and fresh and len(old) < len(topics):
            found.next.append({"list": page + 1})
        found.mark["topics"] = remembered(known, traces, visit.seen)
        if page == 1:
            found.mark["etag"] = header(response, "ETag")
        visit.seen.update(traces)
        return found

    def _too_old(self, topic: Mapping[str, Any]) -> bool:
        moment = parse_date(words(topic.get("lastposttimeISO"))) or parse_date(_number(topic.get("lastposttime")))
        return self.too_old([RawPost(native_id=_id(topic["tid"]), text="", created_at=moment)])

    def _topic(self, visit: Visit[NodebbTarget], step: Step, response: Response) -> Found:
        if response.status in GONE_STATUSES:
            if step["page"] > 1 and step["until"] is None:  # it has fewer pages than before
                return Found(next=[{**step, "page": 1}])
            return Found(dropped=Counter([TOPIC_GONE]))
        if response.status in CLOSED_STATUSES and visit.posts:
            return Found(dropped=Counter([MEMBERS_ONLY]))
        refuse(response, "url")
        topic = _topic_of(response)
        found = _posts(topic, visit.target.url)
        page, last, until = step["page"], _pages(topic), step["until"]
        here: Step = {"topic": step["topic"], "until": page}
        if until is None and last > page:
            found.next = [{**here, "page": last}]
        elif until is None and last < page:
            found.next = [{**here, "page": last, "until": None}]
        elif until is not None and page - 1 > until and not self.too_old(found.posts):
            found.next = [{**here, "page": page - 1, "until": until}]
        if until is None or page == last:
            found.mark = {"topics": with_page(visit.mark.get("topics", {}), step["topic"], min(page, last))}
        return found

    def _second_look(self, visit: Visit[NodebbTarget], pairs: Sequence[Sequence[str]], response: Response) -> Found:
        """Look at the first page of a batch; the batch's other pages become steps of their own."""
        pages: dict[str, list[str]] = {}
        for native_id, ref in pairs:
            pages.setdefault(ref, []).append(native_id)
        steps = [
            {"look": ids, "topic": topic, "page": int(page)}
            for (topic, page), ids in ((ref.split(), ids) for ref, ids in pages.items())
        ]
        found = self._look(visit, steps[0], response)
        found.next += steps[1:]
        return found

    def _look(self, visit: Visit[NodebbTarget], step: Step, response: Response) -> Found:
        # A topic that its moderators deleted answers as one for members does: either way it is public no more.
        if response.status in GONE_STATUSES | {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            if step["page"] > 1:
                return Found(next=[{**step, "page": 1}])
            return Found(gone=step["look"])
        if response.status != HTTPStatus.OK:
            return Found()
        topic = _topic_of(response)
        found = _posts(topic, visit.target.url)
        page, last = step["page"], _pages(topic)
        way = Paging(str(page - 1) if page > 1 else None, str(page + 1) if page < last else None)
        if page > last:  # what was there has moved up
            found.next = [{**step, "page": last}]
            return found
        shown = [*(post.native_id for post in found.posts), *found.gone]
        left = missing(step["look"], shown, way, step.get("from"))
        found.gone += left.gone
        for ids, where in ((left.before, way.previous), (left.after, way.next)):
            if ids and where:
                found.next.append({"look": ids, "topic": step["topic"], "page": int(where), "from": str(page)})
        return found


def _topic_of(response: Response) -> dict[str, Any]:
    topic = object_of(response)
    if not isinstance(topic.get("posts"), list) or not _id(topic.get("tid")):
        raise Parked("answered JSON of another shape", TRY_LATER)
    return topic


def _pages(answer: Mapping[str, Any]) -> int:
    pagination = answer.get("pagination")
    return max(1, whole(pagination.get("pageCount")) or 1) if isinstance(pagination, dict) else 1


def _trace(topic: Mapping[str, Any]) -> str:
    return f"{_id(topic.get('postcount'))} {_id(topic.get('lastposttime'))}"


def _posts(topic: Mapping[str, Any], forum: str) -> Found:
    """Return the posts of one page of a topic."""
    found, parts = Found(), urlsplit(forum.rstrip("/"))
    site = f"{parts.netloc}{parts.path}"
    page = min(max(1, _current(topic)), _pages(topic))
    for post in topic["posts"]:
        if not isinstance(post, dict) or not _id(post.get("pid")):
            found.dropped[NOT_A_POST] += 1
        elif _true(post.get("deleted")) or words(post.get("content")) == DELETED:
            found.gone.append(_global(site, post["pid"]))
        else:
            found.posts.append(_post(post, topic, site, f"{_id(topic['tid'])} {page}", forum.rstrip("/")))
    return found


def _post(post: Mapping[str, Any], topic: Mapping[str, Any], site: str, ref: str, forum: str) -> RawPost:
    pid, main, parent = _id(post["pid"]), _id(topic.get("mainPid")), _id(post.get("toPid"))
    user = post.get("user") if isinstance(post.get("user"), dict) else {}
    names = [words(user.get(key)) for key in ("username", "displayname", "fullname")] if user else []
    created_at = parse_date(_number(post.get("timestamp"))) or parse_date(words(post.get("timestampISO")))
    title = words(topic.get("titleRaw")) or html_to_text(words(topic.get("title")))
    return RawPost(
        native_id=_global(site, pid),
        title=title if pid == main else "",
        text=html_to_text(without_quotes(words(post.get("content")))),
        author=_author(post, site, names),
        author_names=tuple(name for name in names if name),
        url=pid if _is_address(pid) else f"{forum}/post/{pid}",
        thread=_global(site, main) if main else None,
        parent=_global(site, parent) if parent else None,
        ref=ref,
        created_at=created_at,
        edited_at=parse_date(words(post.get("editedISO"))) or parse_date(_number(post.get("edited")) or None),
        counts=_counts(post),
        flaws=(DATE_UNREADABLE,) if created_at is None else (),
    )


def _author(post: Mapping[str, Any], site: str, names: Sequence[str]) -> str | None:
    """Return the number of the account, or its address where it is of another server; a guest's name; else None."""
    uid = _id(post.get("uid"))
    if _is_address(uid):
        return uid
    if uid.isdecimal() and uid != "0":
        return f"{site} {uid}"
    name = names[0] if names else ""
    nobody = name.startswith("[[") or name.lower() in {"", "guest"}
    return None if uid != "0" or nobody else f"{site} {name}"


def _counts(post: Mapping[str, Any]) -> dict[str, int] | None:
    replies = post.get("replies")
    stated = {
        "likes": whole(post.get("upvotes")),
        "replies": whole(replies.get("count") if isinstance(replies, dict) else replies),
    }
    return {name: n for name, n in stated.items() if n is not None} or None


def _current(topic: Mapping[str, Any]) -> int:
    pagination = topic.get("pagination")
    return (whole(pagination.get("currentPage")) or 1) if isinstance(pagination, dict) else 1


def _id(value: object) -> str:
    """Return a number, written as one or, by older versions, as text, or an address as text; '' for anything else."""
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, int) else words(value).strip()


def _number(value: object) -> int | None:
    number = whole(value)
    return number or None


def _true(value: object) -> bool:
    return value is True or whole(value) == 1


def _is_address(value: str) -> bool:
    return value.startswith(("https://", "http://"))


def _global(site: str, value: object) -> str:
    """Return the id of a post on any server: its address where it is of another one."""
    name = _id(value)
    return name if _is_address(name) else f"{site} {name}"
