"""SeeClickFix: issues within a box, newest first, by page; single issues. Every third was closed and archived."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written


class SourceDouble(Double):
    """The issues around one city, and of a place far away for who does not bound where."""

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
        page, since = int(asked.query["page"]), asked.query["after"]
        south, west, north, east = (
            float(asked.query.get(name, bound))
            for name, bound in (("min_lat", -90), ("min_lng", -180), ("max_lat", 90), ("max_lng", 180))
        )
        statuses = asked.query.get("status", "open,acknowledged,closed").split(",")
        known = [self._json(post) for post in self.newest_first()]
        known.append({**known[0], "id": 9000, "lat": 41.3, "lng": -72.9})
        found = [
            issue
            for issue in known
            if south <= issue["lat"] <= north
            and west <= issue["lng"] <= east
            and issue["status"].lower() in statuses
            and issue["created_at"] >= since
        ]
        following = page + 1 if len(found) > page * PAGE else None
        told = {"metadata": {"pagination": {"page": page, "next_page": following}}, "errors": {}}
        return Reply(json.dumps({**told, "issues": found[(page - 1) * PAGE : page * PAGE]}))

    def _issue(self, asked: Asked) -> Reply:
        number = int(asked.path.rsplit("/", 1)[1])
        return Reply(json.dumps(self._json(self.posts[number]))) if number in self.posts else Reply(status=404)

    def _json(self, post: Written) -> dict[str, Any]:
        return {
            "id": post.number,
            "status": "Open" if post.number % 3 else "Archived",
            "summary": "Roads",
            "description": post.text,
            "lat": 55.79,
            "lng": 49.12,
            "created_at": post.created_at.isoformat(),
            "reporter": {"id": 500 + PEOPLE.index(post.author), "name": post.author, "role": "Registered User"},
        }
