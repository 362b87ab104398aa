"""What every spider shares: its study's targets, one host at a time, steps, parking, second looks, and how visits end."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, cast
from urllib.parse import urlsplit

import scrapy
from scrapy import exceptions
from scrapy.http import Response

from citystudy.config import City, read_study
from citystudy.credentials import credential
from citystudy.errors import CityStudyError, SecretError
from citystudy.privacy import Secret
from citystudy.store import Store
from citystudy.targets import TargetT
from crawlers.answers import TRY_LATER
from crawlers.dates import as_stored
from crawlers.intake import Place
from crawlers.items import Page, RawPost
from crawlers.parking import Held, Parked
from crawlers.settings import settings_of
from crawlers.visits import AGAIN, FINISHED, INTERRUPTED, PAGE_LIMIT, WATCHED, Found, HostTurns, Step, Visit, unread

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

TURNS = HostTurns()
GIVEN_UP = "page given up after three crawls"
GIVE_UP_AFTER = 3
PROBE_REQUESTS = 4
MOST_SECOND_LOOKS = 1000
SEEN_AGAIN_AT = 0.6  # of the term, so that a weekly crawl comes in time
Told = Callable[[Mapping[str, Any]], None]


class TargetSpider(scrapy.Spider, Generic[TargetT]):
    """Reads all targets of one source of a study: different hosts at once, each host's targets one after another.

    A visit is a chain of steps, small JSON objects that say what to ask. A subclass names its source and says with
    which steps a visit opens, how a step is asked, and what the answer holds, further steps included. Steps still to
    be asked are stored with each page, in its transaction, so that a crawl killed at any moment goes on from there.
    """

    name: str
    target_type: ClassVar[type[Any]]
    look_batch: ClassVar[int] = 0
    """How many posts one second look asks for; 0 where the source can't be asked for single posts."""
    keep_days: ClassVar[int | None] = None
    """How long the source's terms let a post be kept that was not seen there again; None where they set no term."""

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

    # For subclasses to say

    @abstractmethod
    def opening(self, visit: Visit[TargetT]) -> list[Step]:
        """Return the first steps of a visit, in order; raises Parked when the target must not be read at all."""

    @abstractmethod
    def request(self, visit: Visit[TargetT], step: Step) -> scrapy.Request:
        """Return the request of a step, made by `ask`.

        A second look is the step `{"again": [[native id, ref], …]}`, with at most `look_batch` posts.
        """

    @abstractmethod
    def read(self, visit: Visit[TargetT], step: Step, response: Response) -> Found:
        """Return what the answer to a step holds; raises Parked when the target can't be read on."""

    def looks(self, visit: Visit[TargetT]) -> int:  # noqa: ARG002  most sources have one answer for all targets
        """Return how many posts one second look asks for; 0 where this target can't be asked for single posts."""
        return self.look_batch

    def quota(self, visit: Visit[TargetT]) -> str | None:  # noqa: ARG002  most sources have none
        """Return how much of the source's daily quota is spent, for `citystudy check`; None where it has none."""
        return None

    # For subclasses to use

    def ask(self, visit: Visit[TargetT], step: Step, url: str, **options: Any) -> scrapy.Request:
        """Return a request whose answer, whatever its status, comes back to this step.

        One that carries the operator's own key (`meta` own_key) follows no redirect: the key is for this server alone.
        """
        if (options.get("meta") or {}).get("own_key"):
            options["meta"] = {**options["meta"], "dont_redirect": True}
        given = {"visit": visit, "step": step}
        return scrapy.Request(
            url, callback=self.parse, errback=self.failed, cb_kwargs=given, dont_filter=True, **options
        )

    def credential(self) -> str | None:
        """Return the operator's own key for this source, None where the study names none; raises Parked."""
        try:
            return self._own_key
        except SecretError as error:
            raise Parked("the key can't be had", str(error)) from None

    @cached_property
    def _own_key(self) -> str | None:
        return credential(self.study, self.name)  # asked for once: a keyring may be slow to answer

    def stored(self, visit: Visit[TargetT], native_ids: Sequence[str]) -> set[str]:
        """Return those of `native_ids` that are stored; none while probing."""
        if self.probing:
            return set()
        keys = {self.secret.key(visit.place.source, native_id): native_id for native_id in native_ids}
        return {keys[key] for key in self.store.known_keys(list(keys))}

    def too_old(self, posts: Sequence[RawPost]) -> bool:
        """Tell whether a page holds nothing as young as the study wants: what comes after it is older still."""
        since = self.since()
        if since is None or not posts:
            return False
        return all(post.created_at is not None and post.created_at < since for post in posts)

    def since(self) -> datetime | None:
        """Return from when on the study wants posts, by its history and retention; None for all there are."""
        days = min(filter(None, [self.study.limits.history_days, self.study.retention.posts_days]), default=None)
        return None if days is None else datetime.now(UTC) - timedelta(days=days)

    # The course of a crawl

    async def start(self) -> AsyncIterator[Any]:
        """Open the first visit of every host, free hosts first."""
        for host in sorted(self._waiting, key=TURNS.free, reverse=True):
            await TURNS.take(host)
            for output in self._next_visit(host):
                yield output

    def parse(self, response: Response, visit: Visit[TargetT], step: Step) -> Iterator[Page | scrapy.Request]:
        """Hand on what an answer holds and ask the next step; when none is left, end the visit and open the next."""
        visit.tally.pages += 1
        if visit.status is None:
            visit.status = response.status
        visit.keyed = visit.keyed or bool(response.meta.get("own_key"))
        try:
            found = self.read(visit, step, response)
        except Parked as parked:
            yield from self._set_aside(visit, parked.reason, parked.mend, blamed=not isinstance(parked, Held))
            return
        except Exception as error:  # noqa: BLE001  one page that nobody foresaw must not end the crawl
            # Not logging.exception: the message may quote the page.
            trace = "".join(traceback.format_tb(error.__traceback__))
            self.logger.error("%s\n%s", type(error).__name__, trace)  # noqa: TRY400
            reason = f"the answer could not be understood ({type(error).__name__})"
            yield from self._set_aside(visit, reason, TRY_LATER)
            return
        later = {native_id for following in found.next for native_id, _ in following.get(AGAIN, ())}
        page = Page(
            target_id=visit.place.target,
            posts=found.posts,
            dropped=found.dropped,
            gone=found.gone,
            looked=[native_id for native_id, _ in step.get(AGAIN, ()) if native_id not in later],
        )
        if found.broken:
            yield from self._set_aside(visit, found.broken, TRY_LATER, page)
            return
        visit.todo.pop()
        visit.take(step, found)
        page.cursor = visit.cursor()
        yield from self._go_on(visit, page)

    def failed(self, failure: Failure) -> Iterator[Page | scrapy.Request]:
        """Park the target whose request failed for good."""
        visit: Visit[TargetT] = failure.request.cb_kwargs["visit"]  # type: ignore[attr-defined]
        error = failure.value or Exception()
        # Where no answer came at all, the network or the site is to blame and not what was asked.
        blamed = not isinstance(error, (Parked, *_NO_ANSWER))
        yield from self._set_aside(visit, *explain(error), blamed=blamed)

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

    def alert(self, visit: Visit[TargetT], said: str) -> None:
        """Tell that a target is not as it was."""
        if self._told is not None:
            self._told({"target": visit.place.target, "alert": said})

    # Inside

    def _visit(self, city: City, target: TargetT) -> Visit[TargetT]:
        place = Place(city.target_id(target), city.id, target.post_source, tuple(city.all_names()))
        stored = {} if self.probing else self.store.cursor_of(place.target)
        cursor = self.secret.unseal(stored["sealed"]) if stored else {}
        return Visit(
            target=target,
            city=city,
            place=place,
            host=urlsplit(target.address).netloc,
            mark=cursor.get("mark", {}),
            todo=cursor.get("todo", []),
        )

    def _next_visit(self, host: str) -> Iterator[Page | scrapy.Request]:
        """Open the host's next visit that has something to ask; when none is left, let others have the host."""
        queue = self._waiting[host]
        while queue:
            visit = queue.popleft()
            if not self.probing:
                visit.before = self.store.history_of(visit.place.target, WATCHED)
                visit.crawl = self.store.start_crawl("crawl", visit.place.target)
            try:
                visit.openings = self.opening(visit)
                visit.todo = [*self._second_looks(visit), *unread(visit.todo, visit.openings)]
                request = self._next_request(visit)
            except Parked as parked:
                yield from self._ended(visit, parked.reason, mend=parked.mend, parked=True)
                continue
            if request is not None:
                yield request
                return
            yield from self._ended(visit, FINISHED)
        TURNS.give_back(host)

    def _second_looks(self, visit: Visit[TargetT]) -> list[Step]:
        """Return the steps of the second looks that are due, last first."""
        batch = self.looks(visit)
        if self.probing or not batch:
            return []
        now = datetime.now(UTC)
        before = as_stored(now - timedelta(hours=self.study.limits.second_look_hours))
        again = None
        if self.keep_days is not None:
            term = as_stored(now - timedelta(days=self.keep_days))
            visit.tally.deleted += self.store.forget_unseen(visit.crawl, visit.place.target, term)
            again = as_stored(now - timedelta(days=self.keep_days * SEEN_AGAIN_AT))
        sealed = self.store.due_for_second_look(visit.place.target, before, MOST_SECOND_LOOKS, again=again)
        due = [self.secret.unseal(ids) for ids in sealed]
        pairs = [[opened["id"], opened.get("ref", opened["id"])] for opened in due]
        steps: list[Step] = [{AGAIN: pairs[start : start + batch]} for start in range(0, len(pairs), batch)]
        return steps[::-1]

    def _next_request(self, visit: Visit[TargetT]) -> scrapy.Request | None:
        """Return the request of the step that is asked next, None when all is asked or a probe has seen enough."""
        enough = self.probing and (visit.posts > 0 or visit.tally.pages >= PROBE_REQUESTS)
        return self.request(visit, visit.todo[-1]) if visit.todo and not enough else None

    def _go_on(self, visit: Visit[TargetT], page: Page) -> Iterator[Page | scrapy.Request]:
        full = not self.probing and visit.tally.pages >= self.study.limits.max_pages_per_target
        if full and visit.todo:
            yield from self._end(visit, PAGE_LIMIT, page=page)
            return
        try:
            request = self._next_request(visit)
        except Parked as parked:
            yield from self._end(visit, parked.reason, page=page, mend=parked.mend, parked=True)
            return
        if request is None:
            yield from self._end(visit, FINISHED, page=page)
        else:
            if not self.probing:
                yield page
            yield request

    def _set_aside(
        self, visit: Visit[TargetT], reason: str, mend: str, page: Page | None = None, *, blamed: bool = True
    ) -> Iterator[Page | scrapy.Request]:
        """End a visit whose step could not be done; the step is asked last next time.

        One that is `blamed` in three crawls is given up.
        """
        step = visit.todo.pop()
        page = page or Page(target_id=visit.place.target)
        if step not in visit.openings and AGAIN not in step:
            failed = step.get("failed", 0) + int(blamed)
            if failed < GIVE_UP_AFTER:
                visit.todo.insert(0, {**step, "failed": failed})
            else:
                page.dropped[GIVEN_UP] += 1
            page.cursor = visit.cursor()
        yield from self._end(visit, reason, page=page, mend=mend, parked=True)

    def _end(
        self,
        visit: Visit[TargetT],
        ends: str,
        *,
        page: Page | None = None,
        mend: str | None = None,
        parked: bool = False,
    ) -> Iterator[Page | scrapy.Request]:
        """Yield the last page, marked as the end, and what the host is asked next."""
        yield from self._ended(visit, ends, page=page, mend=mend, parked=parked)
        yield from self._next_visit(visit.host)

    def _ended(
        self,
        visit: Visit[TargetT],
        ends: str,
        *,
        page: Page | None = None,
        mend: str | None = None,
        parked: bool = False,
    ) -> Iterator[Page]:
        """Mark a visit as ended and yield its last page; a probe tells what it found instead."""
        visit.ended, visit.parked = True, parked
        if not self.probing:
            page = page or Page(target_id=visit.place.target)
            page.ends, page.parked = ends, parked
            yield page
        elif self._told is not None:
            self._told(visit.probed(ends if parked else None, mend, self.quota(visit)))


_NO_ANSWER = (
    exceptions.CannotResolveHostError,
    exceptions.DownloadConnectionRefusedError,
    exceptions.DownloadFailedError,
)
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
