"""Communities of Lemmy and PieFed servers (docs/sources/lemmy.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import LemmyTarget
from crawlers.answers import TRY_LATER, json_of, object_of, refuse, stated_error, words
from crawlers.dates import as_stored, parse_date
from crawlers.lemmy_posts import (
    NOT_A_POST,
    Community,
    Kind,
    Shown,
    addresses_of,
    community_number,
    languages_of,
    read_view,
)
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

PAGE_SIZE = 50  # the most that Lemmy gives at once
OVERLAP = timedelta(days=1)  # posts of other servers arrive late, and stand where they were written
NO_FURTHER = "pages that the server does not show"

_PATHS = {"v3": "/api/v3", "v4": "/api/v4", "piefed": "/api/alpha"}
_LISTS: dict[Kind, str] = {"post": "posts", "comment": "comments"}
_NOT_THERE = re.compile(r"couldnt_find|not[ _]found|no row was found", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z_]{1,60}")


class LemmySpider(TargetSpider[LemmyTarget]):
    """Reads a community's posts, then its comments, each newest first.

    Mark: `post` and `comment`, the moments of the newest ones seen; `community`, its number on a PieFed server, which
    lists comments by number only. Steps: `site`, which languages the server's numbers stand for; `community`; a page
    of a `list` of posts or comments down to the moment `above`, `last` the last entry of the page before it; a page
    `restarted` once is not begun anew again.
    """

    name = "lemmy"
    target_type = LemmyTarget
    look_batch = 1

    def __init__(self, study: str | Path, **options: Any) -> None:
        super().__init__(study, **options)
        self._languages: dict[str, dict[int, str]] = {}

    def opening(self, visit: Visit[LemmyTarget]) -> list[Step]:
        """Begin with the newest posts and comments, a day before the newest seen."""
        target = visit.target
        steps: list[Step] = []
        if target.instance not in self._languages and not self.probing:
            steps.append({"site": True})
        if target.api == "piefed" and target.comments and "community" not in visit.mark:
            steps.append({"community": True})
        kinds: list[Kind] = ["post", "comment"] if target.comments else ["post"]
        for kind in kinds:
            newest = parse_date(visit.mark.get(kind))
            steps.append({"list": kind, "page": None, "above": as_stored(newest - OVERLAP) if newest else None})
        return steps

    def request(self, visit: Visit[LemmyTarget], step: Step) -> scrapy.Request:
        """Ask for the server's languages, the community, a page of a listing, or one post or comment again."""
        target = visit.target
        if "site" in step:
            path, query = "site", {}
        elif "community" in step:
            path, query = "community", {"name": target.community}
        elif AGAIN in step:
            kind, _, number = step[AGAIN][0][1].partition(":")
            path, query = kind, {"id": number}
        else:
            path, query = f"{step['list']}/list", self._query(visit, step)
        url = f"{target.instance.rstrip('/')}{_PATHS[target.api]}/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(visit, step, url, headers={"Accept": "application/json"})

    def read(self, visit: Visit[LemmyTarget], step: Step, response: Response) -> Found:
        """Return what an answer holds and the next page of its listing."""
        if "site" in step:
            self._languages[visit.target.instance] = _languages(response)
            return Found()
        if "community" in step:
            body = _body(response, visit.target)
            return Found(mark={"community": community_number(body, _community(visit))})
        if AGAIN in step:
            return self._again(visit, step, response)
        return self._page(visit, step, response)

    def _query(self, visit: Visit[LemmyTarget], step: Step) -> dict[str, str]:
        target, page = visit.target, step["page"]
        query = {"sort": "New", "type_": "All", "limit": str(PAGE_SIZE)}
        if target.api == "v4":
            query = {**query, "sort": "new", "type_": "all"}
        if target.api == "piefed" and step["list"] == "comment":
            query["community_id"] = str(visit.mark.get("community", ""))
        else:
            query["community_name"] = target.community
        if page is not None:
            query["page" if page.isdigit() and target.api != "v4" else "page_cursor"] = page
        return query

    def _page(self, visit: Visit[LemmyTarget], step: Step, response: Response) -> Found:
        kind: Kind = step["list"]
        if response.status == HTTPStatus.BAD_REQUEST and step["page"] is not None:
            return self._no_further(step)
        body = _body(response, visit.target)
        views = body.get("items" if visit.target.api == "v4" else _LISTS[kind])
        if not isinstance(views, list):
            raise Parked("answered JSON of another shape", "check `api` in the study file")
        community = _community(visit)
        if not all(community.is_shown_as(view.get("community")) for view in views if isinstance(view, dict)):
            raise Parked("the server showed another community", "check `community` and `api` in the study file")
        page = self._read(visit, kind, views)
        found = Found(posts=[entry.post for entry in page if entry.post])
        found.dropped.update(entry.reason or NOT_A_POST for entry in page if not entry.post)
        found.gone = [entry.native_id for entry in page if entry.gone and entry.native_id]

        moments = [entry.published for entry in page if entry.published]
        if step["page"] is None:
            known = parse_date(visit.mark.get(kind))
            newest = max([*moments, *([known] if known else [])], default=None)
            found.mark = {kind: as_stored(newest) if newest else None}
            found.quiet = known is not None and not views
        above = parse_date(step["above"])
        passed = above is not None and bool(moments) and max(moments) < above
        last = next((entry.native_id for entry in reversed(page) if entry.native_id), None)
        token = _next_page(body, step)
        stuck = last is None or last == step.get("last") or token == step["page"]
        if token is not None and not passed and not stuck and not self.too_old(found.posts):
            again = {"restarted": True} if "restarted" in step else {}
            found.next = [{"list": kind, "page": token, "above": step["above"], "last": last, **again}]
        return found

    def _read(self, visit: Visit[LemmyTarget], kind: Kind, views: list[Any]) -> list[Shown]:
        languages = self._languages.get(visit.target.instance, {})
        addresses = addresses_of(views)
        return [read_view(view if isinstance(view, dict) else {}, kind, languages, addresses) for view in views]

    def _no_further(self, step: Step) -> Found:
        """Begin anew at the top, once, where a cursor has gone stale; end where the server pages no further."""
        found = Found()
        if step["page"].isdigit() or "restarted" in step:
            found.dropped[NO_FURTHER] = 1
        else:
            found.next = [{"list": step["list"], "page": None, "above": step["above"], "restarted": True}]
        return found

    def _again(self, visit: Visit[LemmyTarget], step: Step, response: Response) -> Found:
        [(native_id, ref)] = step[AGAIN]
        if _not_there(response):
            return Found(gone=[native_id])
        if response.status != HTTPStatus.OK:
            return Found()
        kind: Kind = "comment" if ref.startswith("comment:") else "post"
        view = object_of(response).get(f"{kind}_view")
        entry = self._read(visit, kind, [view])[0]
        if entry.native_id != native_id:
            return Found()  # the server was set up anew and its numbers stand for others now
        return Found(gone=[native_id]) if entry.gone else Found(posts=[entry.post] if entry.post else [])


def _community(visit: Visit[LemmyTarget]) -> Community:
    return Community.of(visit.target.community, visit.target.instance)


def _next_page(body: Mapping[str, Any], step: Step) -> str | None:
    """Return what names the next page: the server's `next_page`, else the next number while pages are not empty."""
    if "next_page" in body:
        return words(body["next_page"]) or None
    number = step["page"] or "1"
    return str(int(number) + 1) if number.isdigit() else None


def _body(response: Response, target: LemmyTarget) -> dict[str, Any]:
    """Return the object in an answer; raises Parked for all others, with the reason that the server states."""
    error = _error(response)
    if error == "instance_is_private":
        raise Parked("closed: this server shows nothing to strangers", "choose another server")
    if error is not None and "rate_limit" in error:
        raise Parked("the server asks to be left alone", TRY_LATER)
    if _not_there(response):
        raise Parked("no such community here", "check `community` in the study file")
    if response.status == HTTPStatus.NOT_FOUND:
        raise Parked(f"no {target.api} API here (HTTP 404)", "check `instance` and `api` in the study file")
    if response.status == HTTPStatus.BAD_REQUEST:
        plain = error if error and _PLAIN.fullmatch(error) else "HTTP 400"
        raise Parked(f"the server refuses the question ({plain})", "check `api` and `community` in the study file")
    refuse(response, "instance")
    return object_of(response)


def _not_there(response: Response) -> bool:
    """Tell whether the server itself says that what was asked for is not there; a bare 404 may be anybody's."""
    refused = response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    error = _error(response) if refused else None
    return error is not None and _NOT_THERE.search(error) is not None


def _error(response: Response) -> str | None:
    """Return the error that an answer states (Lemmy: `error`, PieFed: `message`), None where it states none."""
    return stated_error(response, "error", "message")


def _languages(response: Response) -> dict[int, str]:
    """Return what the server's language numbers stand for; {} when it does not say."""
    try:
        return languages_of(json_of(response)) if response.status == HTTPStatus.OK else {}
    except Parked:
        return {}
