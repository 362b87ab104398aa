"""Subreddits, through the Arctic Shift archive, the operator's own key, or Atom (docs/sources/reddit.md)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import RedditTarget
from crawlers.answers import header, object_of, objects, refuse, words
from crawlers.feeds import NotAFeedError, read_feed
from crawlers.parking import Held, Parked
from crawlers.reddit_posts import BOT, BOTS, DELETED, NOBODY, fullname, is_bot, is_gone, post_of
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

PAGE_SIZE = 100
SMALL_PAGE = 25  # for a stretch that takes the archive too long in one go
BUSY = 422  # the archive's way to say that a query took too long
OVERLAP_SECONDS = 2 * 86_400  # the archive may take in posts days late; after 36 hours it looks at each once more

_NO_KEY = 'set [credentials] reddit = "env:NAME" to CLIENT_ID:CLIENT_SECRET of an app that Reddit approved'
_CHECK = "check `subreddit` in the study file"
_FEED_FOOT = re.compile(r"\s*submitted by\s+/u/\S+(?:\s*\[link\])?(?:\s*\[comments\])?\s*$")
_THREAD = re.compile(r"/comments/(\w+)")


class RedditSpider(TargetSpider[RedditTarget]):
    """Reads submissions, then comments, newest first, down to the newest that was read before; of the archive two days on.

    Mark: `posts` and `comments`, the second in which the newest of each was written. A step is a stretch of one `list`:
    older than `below` (a second; through the API the name of a post; None: from the top) and not older than `above`, a
    `limit` of posts at once where not as many as can be; or `login`.
    """

    name = "reddit"
    target_type = RedditTarget
    look_batch = 100

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tokens: dict[str, str] = {}

    def opening(self, visit: Visit[RedditTarget]) -> list[Step]:
        """Begin with the newest of each list, after a login where the operator's key is used."""
        lists = ["posts", "comments"] if visit.target.comments else ["posts"]
        back = OVERLAP_SECONDS if visit.target.via == "arctic_shift" else 0
        steps: list[Step] = [
            {"list": name, "below": None, "above": max(0, visit.mark.get(name, 0) - back)} for name in lists
        ]
        if visit.target.via != "oauth":
            return steps
        self._key()
        return steps if visit.target.login_server in self._tokens else [{"login": True}, *steps]

    def looks(self, visit: Visit[RedditTarget]) -> int:
        """Return 0 for Atom, which shows no single posts."""
        return 0 if visit.target.via == "atom" else self.look_batch

    def request(self, visit: Visit[RedditTarget], step: Step) -> scrapy.Request:
        """Ask for a token, a stretch of a list, or posts again."""
        target = visit.target
        server = target.address.rstrip("/")
        if "login" in step:
            basic = base64.b64encode(self._key().encode()).decode()
            url = f"{target.login_server.rstrip('/')}/api/v1/access_token"
            headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
            body = "grant_type=client_credentials"
            return self.ask(visit, step, url, method="POST", headers=headers, body=body, meta={"own_key": True})
        if target.via == "atom":
            path = "new" if step["list"] == "posts" else "comments"
            return self.ask(visit, step, f"{server}/r/{target.subreddit}/{path}/.rss")
        if target.via == "arctic_shift":
            return self.ask(visit, step, f"{server}/api/{_of_archive(target, step)}")
        headers = {"Authorization": f"Bearer {self._tokens.get(target.login_server, '')}"}
        path = _of_api(target, step)
        return self.ask(visit, step, f"{server}/{path}", headers=headers, meta={"own_key": True})

    def read(self, visit: Visit[RedditTarget], step: Step, response: Response) -> Found:
        """Return what a list or a second look holds, and the stretch below it."""
        target = visit.target
        if "login" in step:
            self._tokens[target.login_server] = _token_of(response)
            return Found()
        if target.via == "atom":
            return _atom(response)
        if response.status == BUSY:
            if "list" in step and step.get("limit", PAGE_SIZE) > SMALL_PAGE:
                return Found(next=[{**step, "limit": SMALL_PAGE}])
            raise Held("the archive is busy (HTTP 422)", "nothing to do: the next crawl goes on from here")
        if response.status == HTTPStatus.UNAUTHORIZED and target.via == "oauth":
            raise Parked("the key is not accepted (HTTP 401)", _NO_KEY)
        refuse(response, "subreddit")
        things = _things(object_of(response))
        if AGAIN in step:
            return _looked_again(step, things, complete=target.via == "oauth")
        return self._listing(visit, step, things)

    def _listing(self, visit: Visit[RedditTarget], step: Step, things: list[dict[str, Any]]) -> Found:
        of_another = [t for t in things if words(t.get("subreddit")).lower() not in {"", visit.target.name}]
        if of_another:
            raise Parked("the server showed another subreddit", _CHECK)
        named = {name: thing for thing in things if (name := fullname(thing))}
        fresh = {name: thing for name, thing in named.items() if name not in visit.seen}
        visit.seen.update(fresh)
        found = Found(quiet=step["above"] > 0 and not things)
        for name, thing in fresh.items():
            _sort(found, name, thing)
        seconds = [
            int(moment) for thing in named.values() if isinstance(moment := thing.get("created_utc"), int | float)
        ]
        if step["below"] is None and seconds:
            found.mark[step["list"]] = max(*seconds, visit.mark.get(step["list"], 0))
        if not seconds or not fresh or min(seconds) < step["above"] or self.too_old(found.posts):
            return found
        below = min(seconds) if visit.target.via == "arctic_shift" else list(named)[-1]
        found.next = [{**step, "below": below}]
        return found

    def _key(self) -> str:
        key = self.credential()
        if key is None or ":" not in key:
            raise Parked("no key for Reddit's API", _NO_KEY)
        return key


def _of_archive(target: RedditTarget, step: Step) -> str:
    if AGAIN in step:
        names = _first_sort(step)
        return f"{'posts' if names[0].startswith('t3_') else 'comments'}/ids?{urlencode({'ids': ','.join(names)})}"
    query = {"subreddit": target.subreddit, "limit": step.get("limit", PAGE_SIZE), "sort": "desc"}
    # Bounds leave out their own second: one more on each side, so that posts of the same second are not lost.
    query |= {"before": step["below"] + 1} if step["below"] else {}
    query |= {"after": step["above"] - 1} if step["above"] else {}
    return f"{step['list']}/search?{urlencode(query)}"


def _of_api(target: RedditTarget, step: Step) -> str:
    if AGAIN in step:
        return f"api/info?{urlencode({'id': ','.join(name for name, _ in step[AGAIN]), 'raw_json': 1})}"
    query: dict[str, Any] = {"limit": PAGE_SIZE, "raw_json": 1}
    query |= {"after": step["below"]} if step["below"] else {}
    return f"r/{target.subreddit}/{'new' if step['list'] == 'posts' else 'comments'}?{urlencode(query)}"


def _things(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the submissions and comments in an answer: the archive's `data` list, or the API's listing."""
    data = answer.get("data")
    if isinstance(data, list):
        return objects(data)
    if isinstance(data, dict) and isinstance(data.get("children"), list):
        return [child["data"] for child in objects(data["children"]) if isinstance(child.get("data"), dict)]
    raise Parked("answered JSON that is no list of posts", _CHECK)


def _sort(found: Found, name: str, thing: Mapping[str, Any]) -> None:
    if is_gone(thing):
        found.dropped[DELETED] += 1
        found.gone.append(name)
    elif is_bot(thing):
        found.dropped[BOT] += 1
    else:
        found.posts.append(post_of(thing, name))


def _looked_again(step: Step, things: list[dict[str, Any]], *, complete: bool) -> Found:
    """Return what became of posts; only Reddit itself (`complete`) knows that what it does not show is gone."""
    asked = [name for name, _ in step[AGAIN]] if complete else _first_sort(step)
    named = {name: thing for thing in things if (name := fullname(thing)) and name in asked}
    found = Found()
    for name, thing in named.items():
        _sort(found, name, thing)
    found.dropped.clear()  # they are counted as deleted
    if complete:
        found.gone.extend(name for name in asked if name not in named)
    left = [pair for pair in step[AGAIN] if pair[0] not in asked]
    if left:
        found.next = [{AGAIN: left}]
    return found


def _first_sort(step: Step) -> list[str]:
    """Return the names of one sort, submissions or comments: the archive is asked for one sort at a time."""
    names = [name for name, _ in step[AGAIN]]
    return [name for name in names if name[:3] == names[0][:3]]


def _atom(response: Response) -> Found:
    refuse(response, "subreddit")
    try:
        feed = read_feed(response.body, response.url, header(response, "Content-Type") or "")
    except NotAFeedError as seen:
        raise Parked(f"answered {seen} instead of a feed", _CHECK) from None
    found = Found(dropped=feed.dropped)
    for post in feed.posts:
        name = post.native_id.rpartition(" ")[2].rpartition("/")[2]
        author = (post.author or "").split(" ")[0].rpartition("/")[2]
        known = author.casefold() not in {"", *NOBODY}
        within = _THREAD.search(post.url or "")
        bare = replace(
            post,
            native_id=name,
            title="" if name.startswith("t1_") else post.title,  # of a comment it names its author and the submission
            text=_FEED_FOOT.sub("", post.text),
            author=author if known else None,
            author_names=(author, f"/u/{author}") if known else (),
            thread=f"t3_{within[1]}" if within else None,
        )
        if author.casefold() in BOTS:
            found.dropped[BOT] += 1
        else:
            found.posts.append(bare)
    return found


def _token_of(response: Response) -> str:
    if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Parked(f"the key is not accepted (HTTP {response.status})", _NO_KEY)
    refuse(response, "login_server")
    token = words(object_of(response).get("access_token"))
    if not token:
        raise Parked("the key is not accepted", _NO_KEY)
    return token
