"""A Misskey server: a local timeline asked for by POST, single notes, edits and deletions."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written


class SourceDouble(Double):
    """One server's local timeline; with `sinceId` alone it shows the oldest first, as Misskey does."""

    source = "mastodon"

    def mount(self) -> None:
        self.site.answers["/api/notes/local-timeline"] = self._timeline
        self.site.answers["/api/notes/show"] = self._show

    def target(self) -> str:
        return f'source = "mastodon"\nsoftware = "misskey"\ninstance = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"{self.site.url}/notes/{self._id(number)}"

    def author_id(self, post: Written) -> str:
        return f"{post.handle}@{self.site.host}"

    def _id(self, number: int) -> str:
        return f"9zk{number:05d}ab"

    def _timeline(self, asked: Asked) -> Reply:
        body = _body(asked)
        if body is None or not 1 <= body.get("limit", 10) <= 100:
            return error("INVALID_PARAM")
        since, until = body.get("sinceId"), body.get("untilId")
        notes = self.newest_first() if until or not since else self.newest_first()[::-1]
        shown = [post for post in notes if (since or "") < self._id(post.number) < (until or "~")]
        return Reply(json.dumps([self._note(post) for post in shown[:PAGE]]), headers=HEADERS)

    def _show(self, asked: Asked) -> Reply:
        body = _body(asked)
        if body is None or "noteId" not in body:
            return error("INVALID_PARAM")
        shown = [self._note(post) for post in self.newest_first() if self._id(post.number) == body["noteId"]]
        return Reply(json.dumps(shown[0]), headers=HEADERS) if shown else error("NO_SUCH_NOTE")

    def _note(self, post: Written) -> dict[str, Any]:
        return {
            "id": self._id(post.number),
            "createdAt": post.created_at.isoformat(),
            "updatedAt": post.edited_at.isoformat() if post.edited_at else None,
            "text": post.text,
            "cw": None,
            "visibility": "public",
            "user": {"username": post.handle, "name": post.author, "host": None, "isBot": False},
            "replyId": None,
            "renoteId": None,
        }


HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def error(code: str, status: int = 400) -> Reply:
    """Return an error as Misskey tells it."""
    shown = {"error": {"message": code, "code": code, "id": "00000000-0000-4000-8000-000000000000", "kind": "client"}}
    return Reply(json.dumps(shown), status=status, headers=HEADERS)


def _body(asked: Asked) -> dict[str, Any] | None:
    """Return the body of a POST in JSON, None for everything else."""
    if asked.method != "POST" or asked.headers.get("content-type") != "application/json":
        return None
    body: dict[str, Any] = json.loads(asked.body)
    return body
