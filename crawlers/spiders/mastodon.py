"""Hashtag and local timelines of fediverse servers (docs/sources/mastodon.md)."""

from __future__ import annotations

import json
from typing import Any, Protocol
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response

from citystudy.targets import MastodonTarget
from crawlers import activitypub, mastodon, misskey
from crawlers.answers import GONE_STATUSES
from crawlers.items import RawPost
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.timelines import NOT_A_POST, Timeline
from crawlers.visits import AGAIN, Found, Step, Visit

EXCLUDED = {"mastodon.social": "its terms of service forbid automated collection"}
HIDDEN = frozenset({401, 403})


class Api(Protocol):
    """What the modules of the two APIs offer."""

    def asked(self, target: MastodonTarget, step: Step) -> tuple[str, dict[str, Any] | None]:
        """Return the path below `/api/` and the body to ask for a step."""

    def timeline(self, response: Response, step: Step, target: MastodonTarget) -> Timeline:
        """Return a page of a timeline."""

    def looked_again(self, response: Response, step: Step, target: MastodonTarget) -> Found:
        """Return what became of a post."""

    def refuse_if_closed(self, response: Response, target: MastodonTarget) -> None:
        """Raise Parked where the server says that it shows nothing to strangers."""


class MastodonSpider(TargetSpider[MastodonTarget]):
    """Reads what is new since the newest post seen, then the stretches that earlier visits left unread.

    Mark: `newest`, the id of the newest post seen; `singles`, False where the API shows single posts to members only. A
    step is a stretch of the timeline, `below` an id (None: from its top) and `above` another (None: down to its
    beginning), or `check`: does this server show anything to strangers? or `address`, a post to be looked at again at
    its own address, `missing` where the API did not find it: an API may say so of what it does not show to strangers.
    """

    name = "mastodon"
    target_type = MastodonTarget
    look_batch = 1

    def opening(self, visit: Visit[MastodonTarget]) -> list[Step]:
        """Begin with what is newer than the newest post seen; raises Parked for servers whose terms forbid it."""
        why = EXCLUDED.get(urlsplit(visit.target.instance).hostname or "")
        if why:
            raise Parked(f"excluded: {why}", "choose another server")
        return [{"below": None, "above": visit.mark.get("newest")}]

    def request(self, visit: Visit[MastodonTarget], step: Step) -> scrapy.Request:
        """Ask for a stretch of the timeline, one post again, or who may see what."""
        address = step["address"][0] if "address" in step else _address_instead(visit, step)
        if address:
            return self.ask(visit, step, address, headers={"Accept": activitypub.ACCEPT})
        path, body = _api(visit.target).asked(visit.target, step)
        url = f"{visit.target.instance.rstrip('/')}/api/{path}"
        if body is None:
            return self.ask(visit, step, url, headers={"Accept": "application/json"})
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        options = {"method": "POST", "body": json.dumps(body), "meta": {"dont_redirect": True}}
        return self.ask(visit, step, url, headers=headers, **options)

    def read(self, visit: Visit[MastodonTarget], step: Step, response: Response) -> Found:
        """Return a page of a timeline and the stretch below it, or what became of a post."""
        api = _api(visit.target)
        if "address" in step:
            return activitypub.looked_again(response, step["address"], missing=step["missing"])
        if AGAIN in step:
            return _looked_again(api, visit, step, response)
        if "check" in step:
            api.refuse_if_closed(response, visit.target)
            return Found(quiet=True)
        return self._page(visit, step, api.timeline(response, step, visit.target))

    def _page(self, visit: Visit[MastodonTarget], step: Step, page: Timeline) -> Found:
        repeated = bool(page.ids) and visit.seen.issuperset(page.ids)  # a server that does not know max_id
        visit.seen.update(page.ids)
        entries = page.entries if not repeated else []
        found = Found(posts=[entry for entry in entries if isinstance(entry, RawPost)])
        found.dropped.update(entry for entry in entries if isinstance(entry, str))
        if page.strange:
            found.dropped[NOT_A_POST] = page.strange
        top = step["below"] is None
        if top and page.ids:
            found.mark["newest"] = page.ids[0]
        found.quiet = top and step["above"] is not None and not page.entries and not page.strange
        if page.below is not None and not repeated and not self.too_old(found.posts):
            found.next = [{"below": page.below, "above": step["above"]}]
        elif top and not page.ids and not page.strange:
            found.next = [{"check": True}]
        return found


def _api(target: MastodonTarget) -> Api:
    return misskey if target.software == "misskey" else mastodon


def _looked_again(api: Api, visit: Visit[MastodonTarget], step: Step, response: Response) -> Found:
    [pair] = step[AGAIN]
    if _address_instead(visit, step):
        return activitypub.looked_again(response, pair, missing=False)
    found = api.looked_again(response, step, visit.target)
    if response.status in HIDDEN | GONE_STATUSES and _is_here(pair[0], visit.host):
        found.next = [{"address": pair, "missing": bool(found.gone)}]
        found.mark = {"singles": False} if response.status in HIDDEN else {}
        found.gone = []
    return found


def _address_instead(visit: Visit[MastodonTarget], step: Step) -> str | None:
    """Return the address at which to look at a post again because this server's API does not show it."""
    if AGAIN not in step or visit.mark.get("singles", True) or not _is_here(step[AGAIN][0][0], visit.host):
        return None
    return str(step[AGAIN][0][0])


def _is_here(address: str, host: str) -> bool:
    """Tell whether a post's address is on this server: no other is asked."""
    parts = urlsplit(address)
    return parts.scheme in {"http", "https"} and parts.netloc == host
