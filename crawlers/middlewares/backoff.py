"""Tries again what may pass, as late as the server asks; holds a host back while its rate limit is spent."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)

from crawlers.parking import Held
from crawlers.waits import backoff, rate_limit_pause, retry_after

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

LONGEST_WAIT_SECONDS = 330.0  # a Mastodon rate limit is renewed within five minutes
PASSING_STATUSES = {408, 425, 429, 500, 502, 503, 504, 522, 524}
PASSING_FAILURES = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    OSError,  # an empty compressed body
)
_MEND = "nothing to do: the next crawl goes on from here"


class BackoffMiddleware:
    """Takes the place of Scrapy's retry middleware, which retries at once and knows no Retry-After."""

    def __init__(self, crawler: Crawler) -> None:
        self._retries = crawler.settings.getint("RETRY_TIMES")
        self._budget = crawler.settings.getint("RETRIES_PER_TARGET")
        self._delay = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._not_before: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait until the host may be asked again."""
        wait = self._not_before.get(urlsplit(request.url).netloc, 0.0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the request again for an answer that may pass; raises Parked when the host asks for too long."""
        now = datetime.now(UTC)
        headers = {name.decode().lower(): values[-1].decode("latin-1") for name, values in response.headers.items()}
        if response.status not in PASSING_STATUSES:
            # A spent rate limit does not spoil this answer; it delays the next request of this host.
            self._hold(request, min(rate_limit_pause(headers, now), LONGEST_WAIT_SECONDS))
            return response
        asked = retry_after(headers.get("retry-after"), now)
        if asked is None and response.status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = rate_limit_pause(headers, now) or None
        if asked is not None and asked > LONGEST_WAIT_SECONDS:
            raise Held(f"HTTP {response.status}: asks to be left alone for {asked:.0f} s", _MEND)
        return self._again(request, asked) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request again after a failure that may pass."""
        return self._again(request, None) if isinstance(exception, PASSING_FAILURES) else None

    def _again(self, request: Request, asked: float | None) -> Request | None:
        attempt = request.meta.get("attempt", 0) + 1
        visit = request.cb_kwargs.get("visit")
        if attempt > self._retries or (visit is not None and visit.spent >= self._budget):
            return None
        if visit is not None:
            visit.spent += 1
        self._hold(request, backoff(attempt, self._delay) if asked is None else asked)
        return request.replace(dont_filter=True, meta={**request.meta, "attempt": attempt})

    def _hold(self, request: Request, seconds: float) -> None:
        if seconds > 0:
            self._not_before[urlsplit(request.url).netloc] = time.monotonic() + seconds
