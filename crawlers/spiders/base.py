"""What every spider shares: its study's targets, their cursors, one host at a time, parking, and how a visit ends."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, cast
from urllib.parse import urlsplit

import scrapy
from scrapy import exceptions
from scrapy.http import Response

from citystudy.config import City, read_study
from citystudy.errors import CityStudyError
from citystudy.privacy import Secret
from citystudy.store import Store
from crawlers.intake import Place
from crawlers.items import Page
from crawlers.parking import Parked
from crawlers.settings import settings_of
from crawlers.visits import FINISHED, INTERRUPTED, PAGE_LIMIT, HostTurns, TargetT, Visit

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

TURNS = HostTurns()
TRY_LATER = "try again later; if it stays so, check the target's address in a browser"
Told = Callable[[Mapping[str, Any]], None]


class TargetSpider(scrapy.Spider, Generic[TargetT]):
    """Reads all targets of one source of a study: different hosts at once, each host's targets one after another.

    A subclass names its source and says how a visit begins and what an answer holds.
    """

    name: str
    target_type: ClassVar[type[Any]]

    def __init__(self, study: str | Path, *, probe: bool = False, tell: Told | None = None) -> None:
        super().__init__()
        self.study = read_study(Path(study))
        self.secret = Secret.of(self.study)
        self.probing = probe
        self.failure: CityStudyError | None = None
        self._told = tell
        if not probe:
            self.store = Store(self.study.database_path)
            self.store.bind(self.secret)
            self.store.register(self.study)
        self.visits: dict[str, Visit[TargetT]] = {
            visit.place.target: visit
            for visit in (self._visit(city, t) for city, t in self.study.targets() if isinstance(t, self.target_type))
        }
        self._waiting: dict[str, deque[Visit[TargetT]]] = {}
        for visit in self.visits.values():
            self._waiting.setdefault(visit.host, deque()).append(visit)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Return the spider, its study's limits set as Scrapy settings."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.settings.setdict(settings_of(spider.study), priority="spider")
        if spider.probing:
            crawler.settings.set("RETRY_TIMES", 0, priority="spider")
        return spider

    # For subclasses

    @abstractmethod
    def address(self, target: TargetT) -> str:
        """Return the address that tells which host a target is on."""

    @abstractmethod
    def first_request(self, visit: Visit[TargetT]) -> scrapy.Request:
        """Return the request that opens a visit; raises Parked when the target must not be read at all."""

    @abstractmethod
    def read(self, visit: Visit[TargetT], response: Response) -> Iterator[Page | scrapy.Request]:
        """Yield the page that an answer holds, then the request for the next one if there is one; may raise Parked."""

    def request(self, visit: Visit[TargetT], url: str, **options: Any) -> scrapy.Request:
        """Return a request whose answer, whatever it is, comes back to this visit."""
        return scrapy.Request(
            url, callback=self.parse, errback=self.failed, cb_kwargs={"visit": visit}, dont_filter=True, **options
        )

    # The course of a crawl

    async def start(self) -> AsyncIterator[Any]:
        """Open the first visit of every host, free hosts first."""
        for host in sorted(self._waiting, key=TURNS.free, reverse=True):
            await TURNS.take(host)
            for output in self._next_visit(host):
                yield output

    def parse(self, response: Response, visit: Visit[TargetT]) -> Iterator[Page | scrapy.Request]:
        """Hand on what an answer holds; when nothing more is to be asked, end the visit and open the next."""
        visit.tally.pages += 1
        visit.status = visit.status if response.meta.get("check") else response.status
        try:
            outputs = list(self.read(visit, response))
        except Parked as parked:
            yield from self._end(visit, parked.reason, mend=parked.mend, parked=True)
            return
        except Exception as error:  # noqa: BLE001  one page that nobody foresaw must not end the crawl
            # Not logging.exception: the message may quote the page.
            trace = "".join(traceback.format_tb(error.__traceback__))
            self.logger.error("%s\n%s", type(error).__name__, trace)  # noqa: TRY400
            reason = f"the answer could not be understood ({type(error).__name__})"
            yield from self._end(visit, reason, mend=TRY_LATER, parked=True)
            return
        pages = [output for output in outputs if isinstance(output, Page)]
        requests = [output for output in outputs if isinstance(output, scrapy.Request)]
        visit.note(pages)
        full = self.probing or visit.tally.pages >= self.study.limits.max_pages_per_target
        if requests and (requests[0].meta.get("check") or not full):
            yield from requests if self.probing else outputs
        else:
            yield from self._end(visit, PAGE_LIMIT if requests else FINISHED, pages=pages)

    def failed(self, failure: Failure) -> Iterator[Page | scrapy.Request]:
        """Park the target whose request failed for good."""
        request = failure.request  # type: ignore[attr-defined]
        visit: Visit[TargetT] = request.cb_kwargs["visit"]
        if request.meta.get("check"):
            yield from self._end(visit, FINISHED)
            return
        reason, mend = explain(failure.value or Exception())
        yield from self._end(visit, reason, mend=mend, parked=True)

    def closed(self, reason: str) -> None:  # noqa: ARG002  Scrapy calls it so
        """Record the visits that were cut short, and let the database go."""
        if self.probing:
            return
        if self.failure is None:
            for visit in self.visits.values():
                if visit.crawl and not visit.ended:
                    self.store.end_crawl(visit.crawl, INTERRUPTED)
                    self.tell(visit, INTERRUPTED)
        self.store.close()

    # For the pipelines

    def sealed_cursor(self, cursor: Mapping[str, Any] | None) -> dict[str, str] | None:
        """Return a cursor as it is stored: sealed, since the ids in it may lead to an author."""
        return None if cursor is None else {"sealed": self.secret.seal(dict(cursor))}

    def tell(self, visit: Visit[TargetT], ends: str | None, *, parked: bool = False) -> None:
        """Tell how far a visit is."""
        if self._told is not None:
            self._told(visit.told(ends, parked=parked))

    # Inside

    def _visit(self, city: City, target: TargetT) -> Visit[TargetT]:
        place = Place(target=city.target_id(target), city=city.id, source=target.post_source)
        stored = {} if self.probing else self.store.cursor_of(place.target)
        cursor = self.secret.unseal(stored["sealed"]) if stored else {}
        return Visit(target=target, place=place, host=urlsplit(self.address(target)).netloc, cursor=cursor)

    def _next_visit(self, host: str) -> Iterator[Page | scrapy.Request]:
        """Open the host's next visit; when none is left, let others have the host."""
        queue = self._waiting[host]
        if not queue:
            TURNS.give_back(host)
            return
        visit = queue.popleft()
        if not self.probing:
            visit.crawl = self.store.start_crawl("crawl", visit.place.target)
        try:
            yield self.first_request(visit)
        except Parked as parked:
            yield from self._end(visit, parked.reason, mend=parked.mend, parked=True)

    def _end(
        self,
        visit: Visit[TargetT],
        ends: str,
        *,
        pages: Sequence[Page] = (),
        mend: str | None = None,
        parked: bool = False,
    ) -> Iterator[Page | scrapy.Request]:
        """Yield the last pages, the last of them marked as the end, and what the host is asked next."""
        visit.ended = True
        if self.probing:
            if self._told is not None:
                self._told(visit.probed(None if not parked else ends, mend))
        else:
            last = pages[-1] if pages else Page(target_id=visit.place.target)
            last.ends, last.parked = ends, parked
            yield from pages or [last]
        yield from self._next_visit(visit.host)


_FAILURES: dict[type[Exception], str] = {
    exceptions.DownloadTimeoutError: "no answer in time",
    exceptions.CannotResolveHostError: "the host's name can't be found",
    exceptions.DownloadConnectionRefusedError: "the host refuses the connection",
    exceptions.DownloadCancelledError: "the answer is larger than limits.max_response_mb",
    exceptions.ResponseDataLossError: "the answer broke off",
    exceptions.DownloadFailedError: "the connection failed",
    exceptions.IgnoreRequest: "redirects without end, or an answer too large once unpacked",
    OSError: "the answer can't be unpacked",
    EOFError: "the answer can't be unpacked",
}


def explain(error: BaseException) -> tuple[str, str]:
    """Return why a request failed for good, and what to do about it."""
    if isinstance(error, Parked):
        return error.reason, error.mend
    for kind, reason in _FAILURES.items():
        if isinstance(error, kind):
            return reason, TRY_LATER
    return f"the request failed ({type(error).__name__})", TRY_LATER


def gathering_spider(crawler: Crawler) -> TargetSpider[Any]:
    """Return the crawler's spider as what every spider of this project is."""
    return cast("TargetSpider[Any]", crawler.spider)
