"""Server processes on 127.0.0.1, and a plain way to talk to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class NotHereError(Exception):
    """A server is not installed or does not start; says why."""


def cache_folder() -> Path:
    """Return where `make servers` unpacks what it does not install."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "citystudy-servers"


def unpacked(name: str) -> Path:
    """Return the folder of something that `make servers` unpacked whole; raises NotHereError."""
    folder = cache_folder() / name
    if not any(folder.glob(".ready-*")):
        raise NotHereError(f"{name} not installed")
    return folder


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names are in lower case, the values of a repeated one are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def ask(
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    document: object = None,
) -> Answer:
    """Send a request, `form` or `document` (as JSON) its body; return the answer whatever its status."""
    body, sent = urlencode(form).encode() if form is not None else None, dict(headers or {})
    if document is not None:
        body, sent = json.dumps(document).encode(), {"Content-Type": "application/json", **sent}
    request = urllib.request.Request(url, body, sent, method=method)
    try:
        with _OPENER.open(request, timeout=30) as found:
            return Answer(found.status, _headers(found), found.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _headers(error), error.read())


def _headers(answer: http.client.HTTPResponse | urllib.error.HTTPError) -> dict[str, str]:
    return {name.lower(): ", ".join(answer.headers.get_all(name, [])) for name in answer.headers}


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Sequence[str | Path], why: str, **options: Any) -> str:
    """Run a step of a server's setup to its end and return what it printed; raises NotHereError with `why`."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, **options)
    except subprocess.CalledProcessError as error:
        raise NotHereError(f"{why}: {(error.stdout + error.stderr).strip()[-300:]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"{why}: {error}") from None
    return done.stdout


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], log: Path, url: str | None = None, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, entered once `url` answers; raises NotHereError when it does not.

    It gets a process group of its own, all of which is ended: some servers leave workers behind.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **options
            )
        except OSError as error:
            raise NotHereError(f"does not start: {error}") from None
    try:
        if url is not None:
            _wait_for(process, url, log)
        yield process
    finally:
        _end(process)


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until `ready()` is true; raises NotHereError when the process ends first or takes too long."""
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise NotHereError(f"does not start: {log.read_text(errors='replace').strip()[-300:]}")
        time.sleep(0.05)


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    def answers() -> bool:
        try:
            return ask("GET", url).status < 500
        except OSError:
            return False

    wait_until(answers, process, log)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
