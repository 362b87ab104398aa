"""A NodeBB forum: recent topics and pages of topics as JSON, numbers written as text as version 1 writes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written

A_TOPIC = 12  # posts, so that a topic has two pages


class SourceDouble(Double):
    """The whole forum; a deleted post keeps its place and loses its text."""

    source = "nodebb"

    def mount(self) -> None:
        self.deleted: dict[int, Written] = {}
        self.site.answers["/api/recent"] = self._recent
        for topic in range(1, 100):
            self.site.answers[f"/api/topic/{topic}"] = self._topic

    def target(self) -> str:
        return f'source = "nodebb"\nurl = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host} {300 + number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} {self._uid(post)}"

    def delete(self, number: int) -> None:
        self.deleted[number] = self.posts[number]
        super().delete(number)

    def _uid(self, post: Written) -> str:
        return str(90_000 + PEOPLE.index(post.author))

    def _topics(self) -> dict[int, list[Written]]:
        """Return each topic's posts, deleted ones too, oldest first."""
        topics: dict[int, list[Written]] = {}
        for number, post in sorted({**self.posts, **self.deleted}.items()):
            topics.setdefault((number - 1) // A_TOPIC + 1, []).append(post)
        return topics

    def _about(self, topic: int, posts: list[Written]) -> dict[str, Any]:
        last = max(post.number for post in posts if post.number in self.posts)
        return {
            "tid": str(topic),
            "mainPid": str(300 + posts[0].number),
            "titleRaw": "",
            "title": "",
            "postcount": str(len(posts)),
            "viewcount": str(len(self.site.asked)),
            "lastposttime": str(int(self.posts[last].created_at.timestamp() * 1000)),
            "deleted": False,
        }

    def _recent(self, asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        topics = sorted((self._about(topic, posts) for topic, posts in self._topics().items()), key=_newest)
        shown = topics[(page - 1) * PAGE : page * PAGE]
        return _answer(asked, {"topics": shown, "pagination": _pagination(page, len(topics))})

    def _topic(self, asked: Asked) -> Reply:
        topic, page = int(asked.path.rsplit("/", 1)[1]), int(asked.query.get("page", 1))
        posts = self._topics().get(topic)
        if posts is None:
            return Reply("Not Found", status=404)
        shown = [self._post(topic, post) for post in posts[(page - 1) * PAGE : page * PAGE]]
        about = {**self._about(topic, posts), "posts": shown, "pagination": _pagination(page, len(posts))}
        return _answer(asked, about)

    def _post(self, topic: int, post: Written) -> dict[str, Any]:
        gone = post.number in self.deleted
        return {
            "pid": str(300 + post.number),
            "tid": str(topic),
            "uid": self._uid(post),
            "content": "[[topic:post_is_deleted]]" if gone else f"<p>{post.text}</p>\n",
            "timestamp": str(int(post.created_at.timestamp() * 1000)),
            "timestampISO": post.created_at.isoformat(),
            "edited": str(int(post.edited_at.timestamp() * 1000)) if post.edited_at else 0,
            "editedISO": post.edited_at.isoformat() if post.edited_at else "",
            "deleted": "1" if gone else False,
            "upvotes": 0,
            "user": {"uid": self._uid(post), "username": post.author, "userslug": post.handle, "fullname": ""},
        }


def _newest(topic: dict[str, Any]) -> int:
    return -int(topic["lastposttime"])


def _pagination(page: int, entries: int) -> dict[str, int]:
    return {"currentPage": page, "pageCount": max(1, -(-entries // PAGE))}


def _answer(asked: Asked, document: dict[str, Any]) -> Reply:
    body = json.dumps(document)
    etag = f'W/"{hashlib.sha256(body.encode()).hexdigest()}"'
    headers = {"Content-Type": "application/json; charset=utf-8", "ETag": etag}
    if asked.headers.get("if-none-match") == etag:
        return Reply(status=304, headers=headers)
    return Reply(body, headers=headers)
