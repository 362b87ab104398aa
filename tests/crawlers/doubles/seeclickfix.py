"""SeeClickFix: issues around a place, newest first, by page; single issues."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written


class SourceDouble(Double):
    """The issues around one city."""

    source = "open311"

    def mount(self) -> None:
        self.site.answers["/api/v2/issues"] = self._issues
        for number in range(1, 100):
            self.site.answers[f"/api/v2/issues/{number}"] = self._issue

    def target(self) -> str:
        return f'source = "open311"\napi = "seeclickfix"\nurl = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host} issue {number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} user {500 + PEOPLE.index(post.author)}"

    def _issues(self, asked: Asked) -> Reply:
        assert (asked.query["lat"], asked.query["lng"]) == ("55.79", "49.12")
        page = int(asked.query["page"])
        since = asked.query["after"]
        found = [p for p in self.newest_first() if p.created_at.strftime("%Y-%m-%dT%H:%M:%SZ") > since]
        shown = found[(page - 1) * PAGE : page * PAGE]
        told = {"metadata": {"pagination": {"page": page}}, "issues": [self._json(post) for post in shown]}
        return Reply(json.dumps(told))

    def _issue(self, asked: Asked) -> Reply:
        number = int(asked.path.rsplit("/", 1)[1])
        return Reply(json.dumps(self._json(self.posts[number]))) if number in self.posts else Reply(status=404)

    def _json(self, post: Written) -> dict[str, Any]:
        return {
            "id": post.number,
            "status": "Open",
            "summary": "Roads",
            "description": post.text,
            "lat": 55.79,
            "lng": 49.12,
            "created_at": post.created_at.isoformat(),
            "reporter": {"id": 500 + PEOPLE.index(post.author), "name": post.author, "role": "Registered User"},
        }
