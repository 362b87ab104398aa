"""Asks each site's robots.txt before anything else of it, and keeps the pause the site asks for."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from crawlers.parking import Parked
from crawlers.robots import CACHE_SECONDS, MAX_REDIRECTS, RobotRules, rules_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

LONGEST_DELAY_SECONDS = 120.0
REDIRECTS = {301, 302, 303, 307, 308}
_MEND = "ask the site's owner for leave, or remove the target"
_MEND_AWAY = "try again later; if it stays so, ask the site's owner, or remove the target"


class StrictRobotsMiddleware:
    """Lets a request pass only when a robots.txt not older than 24 hours allows it."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._known: dict[str, tuple[float, RobotRules]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._last: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait as long as the site asks; raises Parked when it forbids the request or can't be asked.

        A request made with the operator's own key for an API is under the terms that the key was given for.
        """
        if request.meta.get("robots_txt") or request.meta.get("own_key"):
            return
        site = _site(request.url)
        async with self._asking.setdefault(site, asyncio.Lock()):
            rules = await self._rules(site)
        reason = rules.forbids(request.url)
        if reason is not None:
            raise Parked(reason, _MEND_AWAY if rules.away else _MEND)
        if rules.delay_seconds > LONGEST_DELAY_SECONDS:
            raise Parked(f"robots.txt asks for {rules.delay_seconds:g} s between requests", _MEND)
        await asyncio.sleep(max(0.0, self._last.get(site, 0.0) + rules.delay_seconds - time.monotonic()))

    def process_response(self, request: Request, response: Response) -> Response:
        """Let the site's pause begin with the end of its answer."""
        self._last[_site(request.url)] = time.monotonic()
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002  Scrapy names it
        """Let the site's pause begin with the failure."""
        self._last[_site(request.url)] = time.monotonic()

    async def _rules(self, site: str) -> RobotRules:
        read_at, rules = self._known.get(site, (0.0, None))
        if rules is None or time.monotonic() - read_at > CACHE_SECONDS:
            rules = await self._ask(f"{site}/robots.txt")
            self._known[site] = (time.monotonic(), rules)
        return rules

    async def _ask(self, url: str) -> RobotRules:
        for _ in range(MAX_REDIRECTS + 1):
            meta = {"robots_txt": True, "dont_redirect": True}
            request = Request(url, meta=meta, dont_filter=True, callback=NO_CALLBACK)
            try:
                response = await self.crawler.engine.download_async(request)
            except Exception:  # noqa: BLE001  whatever went wrong, no answer came
                return rules_of(None)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or not location:
                return rules_of(response.status, response.body)
            url = urljoin(url, location.decode("latin-1"))
            if urlsplit(url).scheme not in {"http", "https"}:
                return rules_of(None)
        return rules_of(response.status)


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
