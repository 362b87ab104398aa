"""VK's API as a service token sees it: a community's wall, comments, threads, posts; errors come with HTTP 200.

Single comments are for users' tokens only: `wall.getComment` is answered with error 28.
"""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written

OWNER = -33438842


class SourceDouble(Double):
    """One wall; every third post begins a thread that the two after it answer, the second as a reply to the first."""

    source = "vk"
    key = "service-token-of-ours"

    def mount(self) -> None:
        for method in ("wall.get", "wall.getComments", "wall.getById"):
            answer = getattr(self, method.replace(".", "_"))
            self.site.answers[f"/method/{method}"] = lambda asked, answer=answer: self._guarded(asked, answer)
        self.site.answers["/method/wall.getComment"] = self._error(28)

    def target(self) -> str:
        return f'source = "vk"\ncommunity = "kazan_live"\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        post = f"wall{OWNER}_{self.opener(number)}"
        return post if self.opener(number) == number else f"{post}_r{number}"

    def author_id(self, post: Written) -> str:
        return f"id{self.person(post)}"

    def readable(self, post: Written) -> list[str]:
        return [post.author, post.handle, str(self.person(post)), f"vk.com/wall{OWNER}"]

    def person(self, post: Written) -> int:
        return 670_215_860 + PEOPLE.index(post.author)

    def opener(self, number: int) -> int:
        return number - number % 3 if number > 2 else number

    def _guarded(self, asked: Asked, answer: Any) -> Reply:
        if asked.method != "POST" or asked.form.get("access_token") != self.key or "access_token" in asked.raw_query:
            return self._error(5)
        return answer(asked.form)

    def _error(self, code: int) -> Reply:
        return Reply(json.dumps({"error": {"error_code": code, "error_msg": "refused", "request_params": []}}))

    def _response(self, told: dict[str, Any]) -> Reply:
        people = [
            {
                "id": self.person(post),
                "screen_name": post.handle,
                **dict(zip(("first_name", "last_name"), names, strict=True)),
            }
            for post in self.posts.values()
            if len(names := post.author.split(maxsplit=1)) == 2
        ]
        whole = {**told, "profiles": people, "groups": [{"id": -OWNER, "name": "Казань", "screen_name": "kazan_live"}]}
        return Reply(json.dumps({"response": whole}), headers={"Content-Type": "application/json; charset=utf-8"})

    def wall_get(self, form: dict[str, str]) -> Reply:
        if form.get("domain") != "kazan_live":
            return self._error(100)
        wall = [post for post in self.newest_first() if self.opener(post.number) == post.number]
        offset = int(form["offset"])
        shown = wall[offset : offset + min(PAGE, int(form["count"]))]
        return self._response({"count": len(wall), "items": [self._post(post) for post in shown]})

    def wall_getComments(self, form: dict[str, str]) -> Reply:  # noqa: N802  the method's name
        opener, offset = int(form["post_id"]), int(form["offset"])
        replies = self._replies(opener)
        head, below = opener + 1, [self._comment(reply) for reply in replies if reply.number != opener + 1]
        if "comment_id" in form:
            told = below if int(form["comment_id"]) == head else []
        elif replies:
            gone = {"id": head, "deleted": True}
            first = self._comment(self.posts[head]) if head in self.posts else gone
            told = [{**first, "thread": {"count": len(below), "items": []}}]
        else:
            told = []
        return self._response({"count": len(replies), "current_level_count": len(told), "items": told[offset:]})

    def wall_getById(self, form: dict[str, str]) -> Reply:  # noqa: N802
        numbers = [int(name.split("_")[1]) for name in form["posts"].split(",")]
        return self._response({"items": [self._post(self.posts[n]) for n in numbers if n in self.posts]})

    def _replies(self, number: int) -> list[Written]:
        replies = [post for post in self.posts.values() if post.number != number and self.opener(post.number) == number]
        return sorted(replies, key=lambda post: post.number)

    def _post(self, post: Written) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": post.number,
            "owner_id": OWNER,
            "from_id": self.person(post),
            "date": int(post.created_at.timestamp()),
            "text": post.text,
            "post_type": "post",
            "marked_as_ads": 0,
            "comments": {"count": len(self._replies(post.number))},
            "likes": {"count": 0},
            "geo": {"type": "point", "coordinates": "55.79 49.12"},
        }
        return told | ({"edited": int(post.edited_at.timestamp())} if post.edited_at else {})

    def _comment(self, post: Written) -> dict[str, Any]:
        return {
            "id": post.number,
            "from_id": self.person(post),
            "date": int(post.created_at.timestamp()),
            "text": post.text,
            "post_id": self.opener(post.number),
            "owner_id": OWNER,
            "likes": {"count": 1},
        }
