"""The Arctic Shift archive: searches by second, newest first, and look-ups by id; what was deleted is flagged."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written, written


class SourceDouble(Double):
    """One subreddit; even numbers are submissions, odd ones comments on the submission before."""

    source = "reddit"

    def mount(self) -> None:
        self.site.answers["/api/posts/search"] = lambda asked: self._search(asked, 0)
        self.site.answers["/api/comments/search"] = lambda asked: self._search(asked, 1)
        self.site.answers["/api/posts/ids"] = self._ids
        self.site.answers["/api/comments/ids"] = self._ids

    def target(self) -> str:
        return f'source = "reddit"\nsubreddit = "Kazan"\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"t{1 if number % 2 else 3}_{self.short(number)}"

    def author_id(self, post: Written) -> str:
        return post.handle

    def short(self, number: int) -> str:
        return f"1kz{number:04d}"

    def _search(self, asked: Asked, odd: int) -> Reply:
        assert asked.query["sort"] == "desc"
        before, after = int(asked.query.get("before", 10**11)), int(asked.query.get("after", 0))
        shown = [p for p in self.newest_first() if p.number % 2 == odd and after < p.created_at.timestamp() < before]
        return Reply(json.dumps({"data": [self.thing(post) for post in shown[:PAGE]]}))

    def _ids(self, asked: Asked) -> Reply:
        things = []
        for name in asked.query["ids"].split(","):
            number = int(name[-4:])
            things.append(self.thing(self.posts[number]) if number in self.posts else self.deleted(written(number)))
        return Reply(json.dumps({"data": things}))

    def deleted(self, post: Written) -> dict[str, Any]:
        """Return a post as the archive holds it after its writer deleted it: with its text, and flagged."""
        return {**self.thing(post), "_meta": {"removal_type": "deleted"}}

    def thing(self, post: Written) -> dict[str, Any]:
        common = {
            "id": self.short(post.number),
            "subreddit": "Kazan",
            "author": post.handle,
            "created_utc": int(post.created_at.timestamp()),
            "edited": post.edited_at.timestamp() if post.edited_at else False,
            "permalink": f"/r/Kazan/comments/{self.short(post.number)}/x/",
            "score": 3,
        }
        if post.number % 2:
            above = f"t3_{self.short(post.number - 1)}"
            return {**common, "body": post.text, "link_id": above, "parent_id": above}
        return {**common, "title": "Вопрос", "selftext": post.text, "num_comments": 1}
