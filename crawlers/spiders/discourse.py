"""Discourse forums, whole or one category, through their public JSON (docs/sources/discourse.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import scrapy
from scrapy.http import Response

from citystudy.targets import DiscourseTarget
from crawlers.answers import CLOSED_STATUSES, GONE_STATUSES, TRY_LATER, object_of, objects, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.quotes import without_quotes
from crawlers.spiders.base import TargetSpider
from crawlers.topic_marks import changed, page_of, remembered, traces_of, with_page
from crawlers.visits import AGAIN, Found, Step, Visit

WINDOW = 50  # older servers look for posts among so many numbers only, and find none where all of them are hidden
MOST_EMPTY = 20
CHUNK = 20  # posts that one answer about a topic holds
REGULAR = 1
LIKE = 2

NOT_A_POST = "not a post"
NOT_REGULAR = "not a regular post"
HIDDEN = "hidden by the forum"
SYSTEM = "written by the forum's program"
TOPIC_GONE = "topic is gone"
MEMBERS_ONLY = "topic for members only"
CLOSED = "closed: the forum shows its posts to members only"
_CHOOSE_ANOTHER = "choose a forum or category that everybody may read, or ask its administrators"


class DiscourseSpider(TargetSpider[DiscourseTarget]):
    """Reads the forum's latest posts, or the topics of a category and what is new in them.

    Mark: of the whole forum `newest`, the number of the newest post seen; of a category `topics`, for each topic at
    the top of the list its trace and the number of its last post as read. A step is a stretch of the latest posts,
    `below` and `above` a number, with how many answers before it were `empty`; a page of the category's `list`; a
    `topic` and the number `above` which its posts are new; `posts`, numbers of further posts of a topic; or a second
    `look` at posts of a topic, `first` at the one that opens it.
    """

    name = "discourse"
    target_type = DiscourseTarget
    look_batch = 100

    def opening(self, visit: Visit[DiscourseTarget]) -> list[Step]:
        """Begin with what is newer than the newest post seen, or with the topics last written in."""
        if visit.target.category:
            return [{"list": 0}]
        return [{"below": None, "above": visit.mark.get("newest")}]

    def request(self, visit: Visit[DiscourseTarget], step: Step) -> scrapy.Request:
        """Ask for posts, for topics, or for a topic with its first posts."""
        what = _looks(step[AGAIN])[0] if AGAIN in step else step
        query: list[tuple[str, Any]] = []
        if "below" in what:
            path = "posts.json"
            query = [("before", what["below"])] if what["below"] else []
        elif "list" in what:
            path, query = "latest.json", [("category", visit.target.category), ("page", what["list"])]
        elif "posts" in what or not what.get("first", True):
            numbers = what.get("posts") or [_number_of(native_id) for native_id in what["look"]]
            path, query = f"t/{what['topic']}/posts.json", [("post_ids[]", number) for number in numbers[:CHUNK]]
        else:
            path = f"t/{what['topic']}.json"
        url = f"{visit.target.url.rstrip('/')}/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(visit, step, url, headers={"Accept": "application/json"})

    def read(self, visit: Visit[DiscourseTarget], step: Step, response: Response) -> Found:
        """Return the posts of an answer, and what to ask for next."""
        if AGAIN in step:
            first, *others = _looks(step[AGAIN])
            found = self._look(visit, first, response)
            found.next += others
            return found
        if "look" in step:
            return self._look(visit, step, response)
        if "below" in step:
            return self._latest(visit, step, response)
        if "list" in step:
            return self._list(visit, step["list"], response)
        return self._topic(visit, step, response)

    # The whole forum

    def _latest(self, visit: Visit[DiscourseTarget], step: Step, response: Response) -> Found:
        answer = _answer(response)
        if not isinstance(answer.get("latest_posts"), list):
            raise Parked("answered JSON of another shape", TRY_LATER)
        numbers = [number for post in objects(answer["latest_posts"]) if (number := whole(post.get("id")))]
        below, above, empty = step["below"], step["above"], step.get("empty", 0)
        if not numbers and below is None:
            raise Parked("closed or empty: the forum shows no posts to strangers", _CHOOSE_ANOTHER)
        found = _posts(answer["latest_posts"], visit.target.url, title=None)
        if below is None:
            found.mark["newest"] = max([*numbers, above or 0])
        lowest = min(numbers, default=below)
        if below is not None and lowest >= below:
            lowest, empty = below - WINDOW, empty + 1
        else:
            empty = 0
        if lowest > max(above or 0, 1) and empty <= MOST_EMPTY and not self.too_old(found.posts):
            found.next = [{"below": lowest, "above": above, "empty": empty}]
        return found

    # A category

    def _list(self, visit: Visit[DiscourseTarget], page: int, response: Response) -> Found:
        listed = _answer(response).get("topic_list")
        if not isinstance(listed, dict) or not isinstance(listed.get("topics"), list):
            raise Parked("answered JSON of another shape", TRY_LATER)
        topics = [topic for topic in objects(listed["topics"]) if whole(topic.get("id"))]
        if not topics and page == 0:
            raise Parked("closed or empty: the category shows no topics to strangers", _CHOOSE_ANOTHER)
        known = visit.mark.get("topics", {})
        traces = traces_of((str(whole(topic["id"])), _trace(topic)) for topic in topics)
        old = {str(topic["id"]) for topic in topics if self._too_old(topic)}
        fresh = [topic for topic in changed(known, traces) if topic not in old]
        found = Found(quiet=page == 0 and not fresh)
        found.next = [{"topic": topic, "above": page_of(known, topic) or 0} for topic in fresh]
        if fresh and words(listed.get("more_topics_url")):
            found.next.append({"list": page + 1})
        found.mark["topics"] = remembered(known, traces, visit.seen)
        visit.seen.update(traces)
        return found

    def _too_old(self, topic: Mapping[str, Any]) -> bool:
        moment = parse_date(words(topic.get("last_posted_at")))
        return self.too_old([RawPost(native_id=str(topic["id"]), text="", created_at=moment)])

    def _topic(self, visit: Visit[DiscourseTarget], step: Step, response: Response) -> Found:
        if response.status in GONE_STATUSES:
            return Found(dropped=Counter([TOPIC_GONE]))
        if response.status in CLOSED_STATUSES and visit.posts:
            return Found(dropped=Counter([MEMBERS_ONLY]))
        answer = _answer(response)
        stream = _stream(answer)
        found = _posts(stream["posts"], visit.target.url, title=words(answer.get("title")))
        if "posts" in step:
            left = step["posts"][CHUNK:]
        else:
            shown = {whole(post.get("id")) for post in objects(stream["posts"])}
            numbers = sorted(
                {number for each in _list_of(stream.get("stream")) if (number := whole(each))}, reverse=True
            )
            left = [number for number in numbers if number > step["above"] and number not in shown]
            if numbers:
                found.mark = {"topics": with_page(visit.mark.get("topics", {}), step["topic"], numbers[0])}
        if left and not ("posts" in step and self.too_old(found.posts)):
            found.next = [{"topic": step["topic"], "posts": left}]
        return found

    # Second looks

    def _look(self, visit: Visit[DiscourseTarget], step: Step, response: Response) -> Found:
        # A topic that was deleted or closed to strangers, where the forum itself still answers them.
        if response.status in GONE_STATUSES | {HTTPStatus.FORBIDDEN}:
            return Found(gone=step["look"])
        if response.status != HTTPStatus.OK:
            return Found()
        answer = _answer(response)
        found = _posts(_stream(answer)["posts"], visit.target.url, title=words(answer.get("title")))
        asked = step["look"] if step["first"] else step["look"][:CHUNK]
        shown = {*(post.native_id for post in found.posts), *found.gone}
        found.gone += [native_id for native_id in asked if native_id not in shown]
        if len(asked) < len(step["look"]):
            found.next = [{**step, "look": step["look"][CHUNK:]}]
        return found


def _looks(pairs: Sequence[Sequence[str]]) -> list[Step]:
    """Return the steps of a batch of second looks: those of one topic together, its opening post apart.

    Only the answer about the topic itself says the title, which belongs to the opening post.
    """
    steps: dict[str, Step] = {}
    for native_id, ref in pairs:
        topic, _, number = ref.partition(" ")
        first = number == "1"
        key = f"{topic} {first}"
        steps.setdefault(key, {"look": [], "topic": topic, "first": first})["look"].append(native_id)
    return list(steps.values())


def _number_of(native_id: str) -> str:
    return native_id.rpartition(" ")[2]


def _answer(response: Response) -> dict[str, Any]:
    """Return the JSON object in an answer; raises Parked for a forum that asks strangers to log in, and the rest."""
    if urlsplit(response.url).path.rstrip("/").endswith("/login"):
        raise Parked(CLOSED, _CHOOSE_ANOTHER)
    if response.status in CLOSED_STATUSES:
        raise Parked(f"{CLOSED} (HTTP {response.status})", _CHOOSE_ANOTHER)
    refuse(response, "url")
    return object_of(response)


def _stream(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    stream = answer.get("post_stream")
    if not isinstance(stream, dict) or not isinstance(stream.get("posts"), list):
        raise Parked("answered JSON of another shape", TRY_LATER)
    return stream


def _list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _trace(topic: Mapping[str, Any]) -> str:
    return f"{whole(topic.get('posts_count'))} {whole(topic.get('highest_post_number'))} {words(topic.get('last_posted_at'))}"


def _posts(shown: Sequence[Any], forum: str, *, title: str | None) -> Found:
    """Return the posts of a list; `title` is their topic's, None where each post says its own."""
    found, parts = Found(), urlsplit(forum.rstrip("/"))
    site = f"{parts.netloc}{parts.path}"
    for post in shown:
        if not isinstance(post, dict) or not whole(post.get("id")):
            found.dropped[NOT_A_POST] += 1
        elif post.get("deleted_at") or post.get("user_deleted") is True:
            found.gone.append(f"{site} {whole(post['id'])}")
        elif post.get("hidden") is True:
            found.gone.append(f"{site} {whole(post['id'])}")
            found.dropped[HIDDEN] += 1
        elif whole(post.get("post_type")) not in {None, REGULAR}:
            found.dropped[NOT_REGULAR] += 1
        elif isinstance(post.get("user_id"), int) and post["user_id"] < 0:
            found.dropped[SYSTEM] += 1
        else:
            said = words(post.get("topic_title")) if title is None else title
            found.posts.append(_post(post, forum.rstrip("/"), site, said))
    return found


def _post(post: Mapping[str, Any], forum: str, site: str, title: str) -> RawPost:
    topic, place = whole(post.get("topic_id")), whole(post.get("post_number"))
    answered, person = whole(post.get("reply_to_post_number")), whole(post.get("user_id"))
    username = words(post.get("username"))
    names = (username, words(post.get("name")), words(post.get("display_username")))
    created, updated = parse_date(words(post.get("created_at"))), parse_date(words(post.get("updated_at")))
    thread = f"{site} topic {topic}" if topic else None
    return RawPost(
        native_id=f"{site} {whole(post['id'])}",
        title=title if place == 1 else "",
        text=html_to_text(without_quotes(words(post.get("cooked")))),
        author=f"{site} {person or username}" if person or username else None,
        author_names=tuple(name for name in names if name),
        url=f"{forum}/t/{topic}/{place}" if topic and place else None,
        thread=thread,
        parent=f"{thread} {answered}" if thread and answered else None,
        ref=f"{topic} {place}" if topic else None,
        created_at=created,
        edited_at=updated if (whole(post.get("version")) or 1) > 1 else None,
        counts=_counts(post),
        flaws=(DATE_UNREADABLE,) if created is None else (),
    )


def _counts(post: Mapping[str, Any]) -> dict[str, int] | None:
    likes = [whole(action.get("count")) for action in objects(post.get("actions_summary")) if action.get("id") == LIKE]
    stated = {"replies": whole(post.get("reply_count")), "likes": likes[0] if likes else None}
    return {name: n for name, n in stated.items() if n is not None} or None
