"""A web server on loopback that plays sources and their faults, and a study that reads from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from citystudy.config import read_study
from citystudy.privacy import Secret
from citystudy.store import Store


@dataclass
class Reply:
    """What the server answers; `it comes `wait` seconds late, and breaks off with `hang_up`."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    hang_up: bool = False


@dataclass
class Asked:
    """What the server was asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Reply | Callable[[Asked], Reply]


class Site:
    """A web site on a port of its own. Paths without an answer are 404; so is robots.txt unless one is set."""

    Reply = Reply

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self._released = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(
                    unquote(parts.path),
                    {key: values[0] for key, values in parse_qs(parts.query).items()},
                    {key.lower(): value for key, value in self.headers.items()},
                )
                site.asked.append(asked)
                answer = site.answers.get(asked.path, Reply(status=404))
                reply = answer if isinstance(answer, Reply) else answer(asked)
                site._released.wait(reply.wait)
                body = reply.body.encode() if isinstance(reply.body, str) else reply.body
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body) + (100 if reply.hang_up else 0)))
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass
                # Scrapy waits a second for connections that are kept open.
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # the crawler hangs up on answers that are too large

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def paths(self) -> list[str]:
        """Return the paths asked for, robots.txt left out."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def make() -> Site:
        sites.append(Site())
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()


class Folder:
    """A study folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study_path = path / "study.toml"
        (path / "study.secret").write_text("a secret of the tests, 16 bytes at least")

    def write(self, *targets: str, cities: str = "", limits: str = "", delay: float = 0) -> Path:
        """Write a study of one city, Kazan, with these targets (TOML inline), and cities more."""
        tables = "\n".join(f"[[cities.targets]]\n{target}" for target in targets)
        self.study_path.write_text(
            f"""
            [study]
            name = "test"
            question = "What is missing?"
            contact = "tests@example.org"
            [limits]
            delay_seconds = {delay}
            timeout_seconds = 2
            retries = 1
            {limits}
            [[cities]]
            name = "Kazan"
            country = "RU"
            languages = ["ru"]
            aliases = {{ ru = ["Казань"], en = ["The Third Capital"] }}
            {tables}
            {cities}
            """
        )
        return self.study_path

    @property
    def secret(self) -> Secret:
        return Secret.of(read_study(self.study_path))

    def store(self) -> Store:
        return Store(read_study(self.study_path).database_path)

    def posts(self) -> list[dict[str, object]]:
        """Return the stored posts, oldest first, their sealed ids opened."""
        with self.store() as store:
            rows = list(store.query("SELECT * FROM post ORDER BY created_at, id"))
        return [{**row, "opened": self.secret.unseal(row["sealed"])} for row in rows]

    def database_bytes(self) -> bytes:
        """Return everything of the database that is on the disk."""
        return b"".join(path.read_bytes() for path in sorted(self.path.glob("study.db*")))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
