"""Reddit's own API with an operator's key: a token first, then listings by name, and `api/info`."""

from __future__ import annotations

import base64
import json

from fault_server import Asked, Reply

from doubles import PAGE, Written, written
from doubles.reddit import SourceDouble as Archive

TOKEN = "token-of-the-double"


class SourceDouble(Archive):
    """One subreddit; a deleted post is shown as [deleted]."""

    key = "client-id-of-ours:client-secret-of-ours"

    def mount(self) -> None:
        self.site.answers["/api/v1/access_token"] = self._login
        self.site.answers["/r/KazanTalk/new"] = lambda asked: self._listing(asked, 0)
        self.site.answers["/r/KazanTalk/comments"] = lambda asked: self._listing(asked, 1)
        self.site.answers["/api/info"] = self._info

    def target(self) -> str:
        return (
            f'source = "reddit"\nsubreddit = "KazanTalk"\nvia = "oauth"\nserver = "{self.site.url}"\n'
            f'login_server = "{self.site.url}"'
        )

    def short(self, number: int) -> str:
        return f"2kz{number:04d}"

    def thing(self, post: Written) -> dict[str, object]:
        return {**super().thing(post), "subreddit": "KazanTalk", "name": self.native_id(post.number)}

    def _login(self, asked: Asked) -> Reply:
        assert self.key is not None
        wanted = f"Basic {base64.b64encode(self.key.encode()).decode()}"
        if asked.method != "POST" or asked.headers.get("authorization") != wanted:
            return Reply(status=401)
        return Reply(json.dumps({"access_token": TOKEN, "expires_in": 86400}))

    def _listing(self, asked: Asked, odd: int) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(status=401)
        shown = [post for post in self.newest_first() if post.number % 2 == odd]
        if "after" in asked.query:
            shown = [post for post in shown if self.native_id(post.number) < asked.query["after"]]
        return self._things([self.thing(post) for post in shown[:PAGE]])

    def _info(self, asked: Asked) -> Reply:
        numbers = [int(name[-4:]) for name in asked.query["id"].split(",")]
        gone = {"author": "[deleted]", "body": "[deleted]", "selftext": "[deleted]"}
        things = [
            self.thing(self.posts[n])
            if n in self.posts
            else {key: gone.get(key, value) for key, value in self.thing(written(n)).items()}
            for n in numbers
        ]
        return self._things(things)

    def _things(self, things: list[dict[str, object]]) -> Reply:
        headers = {"X-Ratelimit-Remaining": "599.0", "X-Ratelimit-Reset": "300", "X-Ratelimit-Used": "1"}
        return Reply(
            json.dumps({"kind": "Listing", "data": {"children": [{"data": t} for t in things]}}), headers=headers
        )
