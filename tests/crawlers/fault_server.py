"""A web server on loopback that plays sources and their faults."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass
class Reply:
    """What the server answers; it comes `wait` seconds late, and breaks off with `hang_up`."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    hang_up: bool = False


@dataclass
class Asked:
    """What the server was asked; `query` holds the last value of a key given twice, `form` a body's form fields."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"
    form: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw_query: str = ""


Answer = Reply | Callable[[Asked], Reply]


class _Loop:
    """One event loop in a thread of its own, for all sites of this process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


_LOOP: list[_Loop] = []


def _the_loop() -> _Loop:
    if not _LOOP:
        _LOOP.append(_Loop())
    return _LOOP[0]


class Site:
    """A web site on a port of its own. Paths without an answer are 404; so is robots.txt unless one is set.

    `fault` is asked before any answer, robots.txt apart: what it returns is sent instead.
    """

    Reply = Reply

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.fault: Callable[[Asked], Reply | None] | None = None
        self._released = threading.Event()
        self._runner: web.ServerRunner | None = None
        self._closing: asyncio.Event | None = None
        port = _the_loop().run(self._start())
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"

    def paths(self) -> list[str]:
        """Return the paths asked for, robots.txt left out."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def close(self) -> None:
        self._released.set()
        _the_loop().run(self._stop())

    async def _start(self) -> int:
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        place = web.TCPSite(self._runner, "127.0.0.1", 0)
        await place.start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        assert self._runner is not None
        assert self._closing is not None
        self._closing.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        asked = Asked(
            request.path,
            dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)),
            {name.lower(): value for name, value in request.headers.items()},
            request.method,
            form,
            body,
            request.rel_url.raw_query_string,
        )
        self.asked.append(asked)
        reply = await asyncio.get_running_loop().run_in_executor(None, self._reply, asked)
        if reply.wait:
            assert self._closing is not None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), reply.wait)
        whole = reply.body.encode() if isinstance(reply.body, str) else reply.body
        # Scrapy waits a second for connections that are kept open.
        headers = {"Content-Type": "", **reply.headers, "Connection": "close"}
        if not headers["Content-Type"]:
            del headers["Content-Type"]
        headers["Content-Length"] = str(len(whole) + (100 if reply.hang_up else 0))
        answer = web.StreamResponse(status=reply.status, headers=headers)
        answer.force_close()
        await answer.prepare(request)
        await answer.write(whole)
        if reply.hang_up and request.transport is not None:
            request.transport.close()
        return answer

    def _reply(self, asked: Asked) -> Reply:
        if self.fault is not None and asked.path != "/robots.txt":
            fault = self.fault(asked)
            if fault is not None:
                return fault
        answer = self.answers.get(asked.path, Reply(status=404))
        return answer if isinstance(answer, Reply) else answer(asked)


def cut_gzip(body: bytes) -> Reply:
    """Return an answer that is packed and breaks off in the middle, its length stated as what is sent."""
    packed = gzip.compress(body or b"x" * 1000)
    return Reply(packed[: len(packed) // 2], headers={"Content-Encoding": "gzip"})
