"""A chat-completions endpoint on loopback, played for the tests of the language-model coder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
Code = dict[str, Any]


@dataclass
class Reply:
    """What the endpoint answers, `wait` seconds late."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


@dataclass
class Request:
    """What the endpoint was asked: `passages` are the clauses of each passage by its number."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def passages(self) -> dict[int, list[str]]:
        sent = json.loads(self.body["messages"][1]["content"])
        return {passage["number"]: list(passage["clauses"].values()) for passage in sent}


@dataclass
class Server:
    """The running endpoint: `replies` come first, one a request, then the answers of `model`."""

    url: str
    model: Callable[[Request], Reply]
    asked: list[Request] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    @property
    def sent(self) -> list[str]:
        """Every clause that was sent, in order."""
        return [clause for request in self.asked for clauses in request.passages.values() for clause in clauses]


def completion(content: str, *, finish: str = "stop", usage: dict[str, int] | None = USAGE) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return Reply(json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode())


def refusal(status: int, message: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, named)


def coding(**codes_of_word: list[Code]) -> Callable[[Request], Reply]:
    """Answer each passage with the codes of the words it holds; a passage with the word `skip` is left out."""

    def model(request: Request) -> Reply:
        passages = [
            {
                "number": number,
                "codes": [code for word, codes in codes_of_word.items() if word in " ".join(clauses) for code in codes],
            }
            for number, clauses in request.passages.items()
            if "skip" not in " ".join(clauses)
        ]
        return completion(json.dumps({"passages": passages}))

    return model


def code(kind: str, theme: str, *clauses: int, confidence: float = 0.9) -> Code:
    return {"kind": kind, "theme": theme, "clauses": list(clauses), "confidence": confidence}


@contextmanager
def serving(model: Callable[[Request], Reply]) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = Request(self.path, dict(self.headers), body)
            server.asked.append(request)
            reply = server.replies.pop(0) if server.replies else server.model(request)
            time.sleep(reply.wait)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that gave up waiting is what some tests are about."""

    http = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}/v1", model)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
