"""A server that holds accounts: it logs its own people in and searches for them, in pages and within a period."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Written
from doubles.bluesky import Network, answer, error

HANDLE, PASSWORD = "operator.bsky.example", "abcd-efgh-ijkl-mnop"
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVyYXRvciJ9.c2lnbmF0dXJl"


class SourceDouble(Network):
    """A search that finds every post; who does not log in finds nothing."""

    letter = "s"
    key = f"{HANDLE}:{PASSWORD}"

    def mount(self) -> None:
        xrpc = self.site.answers
        xrpc["/xrpc/com.atproto.server.createSession"] = self._session
        xrpc["/xrpc/app.bsky.feed.searchPosts"] = lambda asked: self._for_members(asked, self._search)
        xrpc["/xrpc/app.bsky.feed.getPostThread"] = lambda asked: self._for_members(asked, self.thread)
        xrpc["/xrpc/app.bsky.feed.getPosts"] = lambda asked: self._for_members(asked, self.posts_again)

    def target(self) -> str:
        return f'source = "bluesky"\nquery = "Казань"\nlogin_server = "{self.site.url}"'

    def _session(self, asked: Asked) -> Reply:
        given = json.loads(asked.body) if asked.method == "POST" else {}
        if given != {"identifier": HANDLE, "password": PASSWORD}:
            return error("AuthenticationRequired", 401)
        return answer({"accessJwt": TOKEN, "refreshJwt": "r", "handle": HANDLE, "did": "did:plc:operator"})

    def _for_members(self, asked: Asked, shown: Any) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error("AuthMissing", 401)
        reply: Reply = shown(asked)
        return reply

    def _search(self, asked: Asked) -> Reply:
        if int(asked.query["limit"]) > 100 or asked.query["q"] != "Казань":
            return error("InvalidRequest")
        since, until = asked.query.get("since", ""), asked.query.get("until", "~")
        below = asked.query.get("cursor", "~").partition("__")[0]
        found = [post for post in self.newest_first() if since <= _moment(post) < until and _moment(post) < below]
        shown = found[:PAGE]
        more = {"cursor": f"{_moment(shown[-1])}__bafyrei{shown[-1].number}"} if len(found) > PAGE else {}
        return answer({"posts": [self.view(post) for post in shown], **more})


def _moment(post: Written) -> str:
    return post.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
