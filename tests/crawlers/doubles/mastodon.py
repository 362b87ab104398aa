"""A Mastodon server: a local timeline paged by `max_id` and `Link`, single posts, edits and deletions."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written


class SourceDouble(Double):
    """One server's local timeline."""

    source = "mastodon"

    def mount(self) -> None:
        self.site.answers["/api/v1/timelines/public"] = self._timeline
        for number in range(1, 100):
            self.site.answers[f"/api/v1/statuses/{self._id(number)}"] = self._status

    def target(self) -> str:
        return f'source = "mastodon"\ninstance = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"https://social.example/users/writer/statuses/{self._id(number)}"

    def author_id(self, post: Written) -> str:
        return f"{post.handle}@{self.site.host}"

    def _id(self, number: int) -> str:
        return str(110_000_000 + number)

    def _timeline(self, asked: Asked) -> Reply:
        below, above = asked.query.get("max_id", "9" * 9), asked.query.get("since_id", "0" * 9)
        shown = [p for p in self.newest_first() if above < self._id(p.number) < below][:PAGE]
        headers = {"Content-Type": "application/json"}
        if shown:
            address = f"{self.site.url}{asked.path}"
            headers["Link"] = f'<{address}?max_id={self._id(shown[-1].number)}>; rel="next"'
        return Reply(json.dumps([self._json(post) for post in shown]), headers=headers)

    def _status(self, asked: Asked) -> Reply:
        number = int(asked.path.rsplit("/", 1)[1]) - 110_000_000
        post = self.posts.get(number)
        return Reply(json.dumps(self._json(post))) if post else Reply('{"error": "Record not found"}', status=404)

    def _json(self, post: Written) -> dict[str, Any]:
        return {
            "id": self._id(post.number),
            "uri": self.native_id(post.number),
            "url": f"https://social.example/@{post.handle}/{self._id(post.number)}",
            "created_at": post.created_at.isoformat(),
            "edited_at": post.edited_at.isoformat() if post.edited_at else None,
            "content": f"<p>{post.text}</p>",
            "visibility": "public",
            "account": {"acct": post.handle, "display_name": post.author, "bot": False},
        }
