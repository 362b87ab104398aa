"""Walls of communities and searches around a city, by VKontakte's API (docs/sources/vk.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import VkTarget
from crawlers.answers import TRY_LATER, object_of, objects, refuse, whole, words
from crawlers.around import centre_of
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit
from crawlers.vk_answers import CLOSED, NO_KEY, NOTHING_HERE, PASSING, error_code, refusal
from crawlers.vk_comments import OVERLAP, looked_for, read_comments
from crawlers.vk_posts import (
    ADVERT,
    Names,
    count_of,
    names_of,
    post_id,
    post_of,
    reason_to_leave_out,
    signed,
    wall_post,
)

VERSION = "5.199"
PAGE_SIZE = 100
SEARCH_PAGE_SIZE = 200
THREAD_ITEMS = 10  # the most that come along with a comment
WATCHED_POSTS = 200
MOST_TRIES = 3
LATE = timedelta(hours=1)  # how late a post may turn up in the search
ALL_TIME = 1  # a search without a beginning shows the last day only

COMMENTS_CLOSED = "a post's comments are closed"
_CHECK = "check `community` in the study file, or remove the target"


class VkSpider(TargetSpider[VkTarget]):
    """Reads a wall newest first, and the comments of its posts when their number has changed.

    Mark: `newest`, the number (of a search: the second) of the newest post read; `comments`, how many comments the newest
    posts had when they were last seen. Steps: `wall` from an offset, for what is `below` a number (None: all)
    and `above` another, `back` from a further offset; `search` from where the last page ended, `since` a second, `until` another (None: now), `read`
    posts of this stretch of time; `comments` below a post, or of one comment's `thread` (crawlers.vk_comments).
    """

    name = "vk"
    target_type = VkTarget
    look_batch = 100

    def __init__(self, study: str | Path, **options: Any) -> None:
        super().__init__(study, **options)
        self._tries: Counter[str] = Counter()

    def opening(self, visit: Visit[VkTarget]) -> list[Step]:
        """Begin with the newest posts; raises Parked where there is no key, or no place to search around."""
        if self.credential() is None:
            raise Parked("no key for VK's API", NO_KEY)
        newest = visit.mark.get("newest", 0)
        if visit.target.community:
            return [{"wall": 0, "below": None, "above": newest}]
        centre_of(visit.city)
        begin = self.since()
        first = int(begin.timestamp()) if begin else ALL_TIME
        since = newest - int(LATE.total_seconds()) if newest else first
        return [{"search": "", "since": since, "until": None, "read": 0}]

    def request(self, visit: Visit[VkTarget], step: Step) -> scrapy.Request:
        """Ask a method of the API; the token goes in the body, since addresses may reach a log, and to no other host."""
        method, query = _method(visit, step)
        given = {name: value for name, value in query.items() if value is not None}
        body = urlencode({**given, "extended": 1, "lang": "ru", "v": VERSION, "access_token": self.credential() or ""})
        return self.ask(
            visit,
            step,
            f"{visit.target.server.rstrip('/')}/method/{method}",
            method="POST",
            body=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            meta={"own_key": True},
        )

    def read(self, visit: Visit[VkTarget], step: Step, response: Response) -> Found:
        """Return what a method answered."""
        refuse(response, "server")
        answer = object_of(response)
        code = error_code(answer)
        if code is not None:
            return self._refused(visit, step, code)
        del self._tries[visit.place.target]
        told = answer.get("response")
        if AGAIN in step:
            return _looked_again(visit, step, told)
        if not isinstance(told, dict):
            raise Parked("answered JSON of another shape", TRY_LATER)
        if "comments" in step:
            return read_comments(step, told)
        return self._wall(visit, step, told) if "wall" in step else self._search(visit, step, told)

    def _refused(self, visit: Visit[VkTarget], step: Step, code: int) -> Found:
        """Return what to do about an error; raises Parked for most."""
        if code in PASSING and self._tries[visit.place.target] < MOST_TRIES:
            self._tries[visit.place.target] += 1
            return Found(next=[step])
        del self._tries[visit.place.target]
        if code in CLOSED | NOTHING_HERE and "comments" in step:
            return Found(dropped=Counter([COMMENTS_CLOSED]))  # of one post, not of the wall
        raise refusal(code)

    def _wall(self, visit: Visit[VkTarget], step: Step, told: Mapping[str, Any]) -> Found:
        offset, below = step["wall"], step["below"]
        top = not offset and below is None
        shown = objects(told.get("items"))
        if any((signed(post.get("owner_id")) or 0) > 0 for post in shown):
            raise Parked("a person's page, not a community's", _CHECK)
        numbers = [n for post in shown if not post.get("is_pinned") and (n := whole(post.get("id")))]
        if below is not None and 0 < offset < step.get("back", offset + 1) and max(numbers, default=0) < below:
            # Nothing of what was read before: posts were deleted, and those below them moved up.
            return Found(next=[{**step, "wall": max(0, offset - PAGE_SIZE), "back": offset}])
        fresh = [post for post in shown if below is None or (whole(post.get("id")) or 0) < below]
        found = self._posts(visit, fresh, names_of(told), top=top)
        if top:
            found.quiet = not shown
            found.mark["newest"] = max([visit.mark.get("newest", 0), *numbers])
        lowest = min([*numbers, *([below] if below is not None else [])], default=None)
        ended = offset + len(shown) >= (whole(told.get("count")) or 0) or self.too_old(found.posts)
        if shown and not ended and (lowest is None or lowest > step["above"]):
            onward: Step = {"wall": offset + max(len(shown) - OVERLAP, 1), "below": lowest, "above": step["above"]}
            # Back once from one place: a page that stays empty must not lead in circles.
            found.next.append(onward | ({"back": step["back"]} if "back" in step and lowest == below else {}))
        return found

    def _search(self, visit: Visit[VkTarget], step: Step, told: Mapping[str, Any]) -> Found:
        shown = objects(told.get("items"))
        top = not step["search"] and step["until"] is None
        found = self._posts(visit, shown, names_of(told), top=top)
        moments = [moment for post in shown if (moment := whole(post.get("date")))]
        if top:
            found.quiet = not shown
            found.mark["newest"] = max([visit.mark.get("newest", 0), *moments])
        if not moments or self.too_old(found.posts):
            return found
        read, following, oldest = step["read"] + len(shown), words(told.get("next_from")), min(moments)
        if following and following != step["search"]:
            found.next.append({**step, "search": following, "read": read})
        elif read < (whole(told.get("total_count")) or 0) and (step["until"] is None or oldest < step["until"]):
            # A search shows its first thousand posts only; the older ones are asked for by their time.
            found.next.append({**step, "search": "", "until": oldest, "read": 0})
        return found

    def _posts(self, visit: Visit[VkTarget], posts: list[dict[str, Any]], names: Names, *, top: bool) -> Found:
        """Return posts of a page, and the steps of comments to be read below them: where they are new, or have changed.

        `top` is the newest page, whose posts are watched from then on.
        """
        named = {name: post for post in posts if (name := post_id(post))}
        found, counts = Found(), {}
        known: dict[str, int] = visit.mark.get("comments", {})
        stored = set() if top else self.stored(visit, list(named)) - known.keys()
        for name, post in named.items():
            reason = reason_to_leave_out(post)
            if reason:
                found.dropped[reason] += 1
            else:
                found.posts.append(wall_post(post, name, names, by_place=visit.target.query is not None))
            count = count_of(post, "comments")
            if not visit.target.comments or count is None or reason == ADVERT:
                continue
            counts[name] = count
            if count and count != known.get(name) and name not in stored:
                found.next.append({"comments": name, "offset": 0})
        watched = {**counts, **known} if top else known
        found.mark["comments"] = {name: counts.get(name, n) for name, n in list(watched.items())[:WATCHED_POSTS]}
        return found


def _method(visit: Visit[VkTarget], step: Step) -> tuple[str, dict[str, Any]]:
    target = visit.target
    if AGAIN in step:
        posts = dict.fromkeys(post_of(name).removeprefix("wall") for name, _ in step[AGAIN])
        return "wall.getById", {"posts": ",".join(posts)}
    if "comments" in step:
        owner, _, number = step["comments"].removeprefix("wall").partition("_")
        query: dict[str, Any] = {"owner_id": owner, "post_id": number, "count": PAGE_SIZE, "offset": step["offset"]}
        query |= {"comment_id": step["thread"]} if "thread" in step else {"thread_items_count": THREAD_ITEMS}
        return "wall.getComments", {**query, "need_likes": 1, "sort": "asc", "preview_length": 0}
    if "wall" in step:
        number = str(target.community)
        whose = {"owner_id": f"-{number}"} if number.isdigit() else {"domain": number}
        return "wall.get", {**whose, "count": PAGE_SIZE, "offset": step["wall"]}
    place = {"latitude": visit.city.latitude, "longitude": visit.city.longitude}
    period = {"start_time": step["since"], "end_time": step["until"], "start_from": step["search"] or None}
    return "newsfeed.search", {"q": target.query, "count": SEARCH_PAGE_SIZE, **place, **period}


def _looked_again(visit: Visit[VkTarget], step: Step, told: object) -> Found:
    """Return what became of posts, and the steps that look for the comments below them.

    A service token may not ask for single comments: those of a post are read again. So are those of posts that have
    left the newest page, for what was written below them meanwhile.
    """
    items = objects(told.get("items") if isinstance(told, dict) else told)
    if not isinstance(told, dict | list):
        raise Parked("answered JSON of another shape", TRY_LATER)
    names = names_of(told) if isinstance(told, dict) else {}
    there = {name: post for post in items if (name := post_id(post)) and not post.get("is_deleted")}
    found = Found()
    asked: dict[str, list[list[str]]] = {}
    for pair in step[AGAIN]:
        asked.setdefault(post_of(pair[0]), []).append(pair)
    for name, pairs in asked.items():
        post = there.get(name)
        if post is None:
            found.gone += [native_id for native_id, _ in pairs]
            continue
        if any(native_id == name for native_id, _ in pairs) and reason_to_leave_out(post) is None:
            found.posts.append(wall_post(post, name, names, by_place=visit.target.query is not None))
        look, count = looked_for(pairs, name), count_of(post, "comments")
        if look or (visit.target.comments and count and count != visit.mark.get("comments", {}).get(name)):
            found.next.append({"comments": name, "offset": 0, "look": look})
    return found
