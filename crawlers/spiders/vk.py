"""Walls of communities and searches around a city, by VKontakte's API (docs/sources/vk.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import VkTarget
from crawlers.answers import TRY_LATER, object_of, objects, refuse, whole, words
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit
from crawlers.vk_posts import comment_id, comment_post, post_id, reason_to_leave_out, wall_post, whole_signed

VERSION = "5.199"
PAGE_SIZE = 100
THREAD_ITEMS = 10  # the most that come along with a comment
OVERLAP = 2  # posts that a page shows again: when one is deleted, those below it move up
MOST_TRIES = 3

TOO_MANY_A_SECOND = 6
SPENT = {9: "flood control", 29: "the rate limit is spent", 103: "out of limits"}
BAD_KEY = {4, 5, 28, 1116, 1117}
CLOSED = {7, 15, 18, 19, 30, 113, 200, 203, 212, 261}

_NO_KEY = 'set [credentials] vk = "env:NAME" to the service token of an app of your own'
_LATER = "nothing to do: the next crawl goes on from here"
_CHECK = "check `community` in the study file, or remove the target"
NO_PLACE = "this city has no coordinates"


class VkSpider(TargetSpider[VkTarget]):
    """Reads a wall newest first, and the comments of its posts when their number has changed.

    Mark: `newest`, the number (of a search: the second) of the newest post read; `comments`, how many comments the posts
    of the newest page had when they were read. Steps: `wall` from an offset, down to the number `above`; `search` from
    where the last page ended, `above` a second; `comments` below a post, or of one comment's `thread`, from an `offset`.
    """

    name = "vk"
    target_type = VkTarget
    look_batch = 100

    def opening(self, visit: Visit[VkTarget]) -> list[Step]:
        """Begin with the newest posts; raises Parked where there is no key, or no place to search around."""
        if self.credential() is None:
            raise Parked("no key for VK's API", _NO_KEY)
        above = visit.mark.get("newest", 0)
        if visit.target.community:
            return [{"wall": 0, "above": above}]
        if visit.city.latitude is None or visit.city.longitude is None:
            raise Parked(NO_PLACE, f"give `latitude` and `longitude` to the city {visit.city.name}")
        return [{"search": "", "above": above}]

    def request(self, visit: Visit[VkTarget], step: Step) -> scrapy.Request:
        """Ask a method of the API; the token goes in the body, since addresses may reach a log."""
        method, query = _method(visit, step)
        body = urlencode({**query, "access_token": self.credential() or "", "v": VERSION})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{visit.target.server.rstrip('/')}/method/{method}"
        return self.ask(visit, step, url, method="POST", body=body, headers=headers, meta={"own_key": True})

    def read(self, visit: Visit[VkTarget], step: Step, response: Response) -> Found:
        """Return what a method answered."""
        refuse(response, "server")
        answer = object_of(response)
        if "error" in answer:
            return _refused(step, answer["error"])
        told = answer.get("response")
        if AGAIN in step:
            return _looked_again(step, told)
        if not isinstance(told, dict):
            raise Parked("answered JSON of another shape", TRY_LATER)
        if "comments" in step:
            return _comments(step, told)
        found = Found()
        posts = {name: post for post in objects(told.get("items")) if (name := post_id(post))}
        fresh = [name for name in posts if name not in visit.seen]
        visit.seen.update(fresh)
        for name in fresh:
            self._take(visit, step, found, name, posts[name])
        self._page_on(step, found, told, [posts[name] for name in fresh])
        return found

    def _take(self, visit: Visit[VkTarget], step: Step, found: Found, name: str, post: Mapping[str, Any]) -> None:
        reason = reason_to_leave_out(post)
        if reason:
            found.dropped[reason] += 1
        else:
            found.posts.append(wall_post(post, name, by_place="search" in step))
        comments = post.get("comments")
        count = whole(comments.get("count")) if isinstance(comments, dict) else None
        if visit.target.comments and count and count != visit.mark.get("comments", {}).get(name):
            found.next.append({"comments": name, "offset": 0})

    def _page_on(self, step: Step, found: Found, told: Mapping[str, Any], fresh: list[dict[str, Any]]) -> None:
        """Set the next page, and what to remember of the first one."""
        first = not step.get("wall", 0) and not step.get("search", "")
        place = "id" if "wall" in step else "date"
        numbers = [n for post in fresh if not post.get("is_pinned") and (n := whole(post.get(place)))]
        if first:
            found.quiet = not fresh
            found.mark["newest"] = max([step["above"], *numbers])
            found.mark["comments"] = {
                name: whole(post["comments"].get("count"))
                for post in fresh
                if (name := post_id(post)) and isinstance(post.get("comments"), dict)
            }
        if not numbers or min(numbers) <= step["above"] or self.too_old(found.posts):
            return
        if "search" in step:
            following = words(told.get("next_from"))
            found.next += [{**step, "search": following}] if following else []
        else:
            shown = len(objects(told.get("items")))
            offset = step["wall"] + max(shown - OVERLAP, 1)
            found.next += [{**step, "wall": offset}] if step["wall"] + shown < (whole(told.get("count")) or 0) else []


def _method(visit: Visit[VkTarget], step: Step) -> tuple[str, dict[str, Any]]:
    target = visit.target
    if AGAIN in step:
        posts, comments = _sorts(step)
        if posts:
            return "wall.getById", {"posts": ",".join(name.removeprefix("wall") for name in posts)}
        post, _, number = comments[0].rpartition("_r")
        return "wall.getComment", {"owner_id": post.removeprefix("wall").split("_")[0], "comment_id": number}
    if "comments" in step:
        owner, _, number = step["comments"].removeprefix("wall").partition("_")
        query: dict[str, Any] = {"owner_id": owner, "post_id": number, "count": PAGE_SIZE, "offset": step["offset"]}
        query |= {"comment_id": step["thread"]} if "thread" in step else {"thread_items_count": THREAD_ITEMS}
        return "wall.getComments", {**query, "need_likes": 1, "sort": "asc", "preview_length": 0}
    if "wall" in step:
        number = str(target.community)
        whose = {"owner_id": f"-{number}"} if number.isdigit() else {"domain": number}
        return "wall.get", {**whose, "count": PAGE_SIZE, "offset": step["wall"]}
    query = {"q": target.query, "count": PAGE_SIZE, "latitude": visit.city.latitude, "longitude": visit.city.longitude}
    query |= {"start_time": step["above"] + 1} if step["above"] else {}
    query |= {"start_from": step["search"]} if step["search"] else {}
    return "newsfeed.search", query


def _refused(step: Step, error: object) -> Found:
    """Return what to do about an error of the API (dev.vk.com, errors); raises Parked for most."""
    code = whole(error.get("error_code")) if isinstance(error, dict) else None
    if code == TOO_MANY_A_SECOND and step.get("tried", 0) < MOST_TRIES:
        return Found(next=[{**step, "tried": step.get("tried", 0) + 1}], quiet=True)
    if code in CLOSED and "comments" in step:
        return Found(quiet=True)  # one post's comments are closed, not the wall
    if code in CLOSED and AGAIN in step:
        posts, comments = _sorts(step)
        return _left(step, gone=[] if posts else comments[:1], done=posts or comments[:1])
    if code in CLOSED:
        raise Parked(f"closed (VK error {code})", _CHECK)
    if code in BAD_KEY:
        raise Parked(f"the key is not accepted (VK error {code})", _NO_KEY)
    if code == 14:  # noqa: PLR2004  a captcha is for people
        raise Parked("VK asks for a captcha (error 14)", "wait a day, and set limits.delay_seconds higher")
    if code in SPENT or code == TOO_MANY_A_SECOND:
        raise Parked(f"{SPENT.get(code, 'too many requests a second')} (VK error {code})", _LATER)
    raise Parked(f"VK error {code}", TRY_LATER)


def _comments(step: Step, told: Mapping[str, Any]) -> Found:
    found = Found(quiet=True)
    post = step["comments"]
    shown = objects(told.get("items"))
    for comment in shown:
        _take_comment(found, comment, post)
        thread = comment.get("thread")
        if isinstance(thread, dict):
            inner = objects(thread.get("items"))
            for reply in inner:
                _take_comment(found, reply, post)
            if (whole(thread.get("count")) or 0) > len(inner):
                found.next.append({"comments": post, "thread": comment.get("id"), "offset": 0})
    offset = step["offset"] + len(shown)
    if shown and offset < (whole(told.get("current_level_count")) or whole(told.get("count")) or 0):
        found.next.insert(0, {**step, "offset": offset})
    return found


def _take_comment(found: Found, comment: Mapping[str, Any], post: str) -> None:
    name = comment_id(comment, post)
    if name is None:
        return
    if comment.get("deleted"):
        found.gone.append(name)
    else:
        found.posts.append(comment_post(comment, name, post))


def _looked_again(step: Step, told: object) -> Found:
    """Return what became of the posts of a second look, or of one comment."""
    items = objects(told.get("items") if isinstance(told, dict) else told)
    posts, comments = _sorts(step)
    if posts:
        named = {name: post for post in items if (name := post_id(post)) and not post.get("is_deleted")}
        found = _left(step, gone=[name for name in posts if name not in named], done=posts)
        owners = {name: post for name, post in named.items() if name in posts}
        found.posts = [
            wall_post(post, name, by_place=False) for name, post in owners.items() if whole_signed(post["owner_id"])
        ]
        return found
    name = comments[0]
    found = _left(step, gone=[], done=[name])
    if not items or items[0].get("deleted"):
        found.gone.append(name)
    else:
        found.posts.append(comment_post(items[0], name, name.rpartition("_r")[0]))
    return found


def _sorts(step: Step) -> tuple[list[str], list[str]]:
    names = [name for name, _ in step[AGAIN]]
    return [name for name in names if "_r" not in name], [name for name in names if "_r" in name]


def _left(step: Step, *, gone: list[str], done: list[str]) -> Found:
    left = [pair for pair in step[AGAIN] if pair[0] not in done]
    return Found(gone=gone, next=[{AGAIN: left}] if left else [])
