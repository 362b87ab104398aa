"""A Discourse forum: its latest posts paged by `before`, topics with their first posts, and posts by number."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written

A_TOPIC = 12


class SourceDouble(Double):
    """The whole forum; a deleted post is just not shown."""

    source = "discourse"

    def mount(self) -> None:
        self.site.answers["/posts.json"] = self._latest
        for topic in range(1, 100):
            self.site.answers[f"/t/{topic}.json"] = self._topic
            self.site.answers[f"/t/{topic}/posts.json"] = self._some

    def target(self) -> str:
        return f'source = "discourse"\nurl = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host} {700 + number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} {80_000 + PEOPLE.index(post.author)}"

    def _latest(self, asked: Asked) -> Reply:
        before = int(asked.query.get("before", 10**9))
        shown = [post for post in self.newest_first() if 700 + post.number < before][:PAGE]
        return _answer({"latest_posts": [{**self._post(post), "topic_title": ""} for post in shown]})

    def _of(self, topic: int) -> list[Written]:
        return [post for post in reversed(self.newest_first()) if (post.number - 1) // A_TOPIC + 1 == topic]

    def _topic(self, asked: Asked) -> Reply:
        topic = int(asked.path.split("/")[2].partition(".")[0])
        posts = self._of(topic)
        if not posts:
            return Reply('{"errors":["gone"],"error_type":"not_found"}', status=404)
        stream = {"posts": [self._post(post) for post in posts[:PAGE]], "stream": [700 + post.number for post in posts]}
        return _answer({"id": topic, "title": "", "post_stream": stream})

    def _some(self, asked: Asked) -> Reply:
        wanted = {value for key, value in self._pairs(asked) if key == "post_ids[]"}
        posts = [post for post in self._of(int(asked.path.split("/")[2])) if str(700 + post.number) in wanted]
        return _answer({"id": 1, "post_stream": {"posts": [self._post(post) for post in posts]}})

    def _pairs(self, asked: Asked) -> list[tuple[str, str]]:
        return parse_qsl(asked.raw_query)

    def _post(self, post: Written) -> dict[str, Any]:
        return {
            "id": 700 + post.number,
            "user_id": 80_000 + PEOPLE.index(post.author),
            "username": post.handle,
            "name": post.author,
            "created_at": post.created_at.isoformat(),
            "updated_at": (post.edited_at or post.created_at).isoformat(),
            "version": 2 if post.edited_at else 1,
            "cooked": f"<p>{escape(post.text)}</p>",
            "post_number": (post.number - 1) % A_TOPIC + 1,
            "post_type": 1,
            "topic_id": (post.number - 1) // A_TOPIC + 1,
            "reply_count": 0,
            "hidden": False,
            "user_deleted": False,
        }


def _answer(document: dict[str, Any]) -> Reply:
    return Reply(json.dumps(document), headers={"Content-Type": "application/json; charset=utf-8"})
