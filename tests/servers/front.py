"""A web server in front of another, as operators of small servers put one there: it answers robots.txt itself."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROBOTS_TXT = b"User-agent: *\nDisallow: /admin\n"
PASSED_ON = ("Content-Type", "Link", "ETag")


@dataclass
class Front:
    """Where the front is, and the paths with their queries that it was asked for, robots.txt left out."""

    host: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def front_of(port: int) -> Iterator[Front]:
    """Stand in front of the server on `port` of this machine, which need not run yet."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = 200, {"Content-Type": "text/plain"}, ROBOTS_TXT
            if self.path != "/robots.txt":
                front.asked.append(self.path)
                status, headers, body = self._behind()
            with contextlib.suppress(OSError):  # a crawler that was killed has hung up
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
            self.close_connection = True

        def _behind(self) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            with contextlib.closing(connection):
                connection.request("GET", self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
                answer = connection.getresponse()
                found = {name: value for name in PASSED_ON if (value := answer.headers.get(name)) is not None}
                return answer.status, found, answer.read()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front = Front(f"127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
