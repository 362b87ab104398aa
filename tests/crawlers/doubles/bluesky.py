"""An AppView: a feed, the threads of its posts, single posts; a deleted post just disappears from all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written, written

JSON = {"Content-Type": "application/json; charset=utf-8"}


class Network(Double):
    """What all servers of the network share: how they name and show posts. Every third post answers the one before."""

    source = "bluesky"
    letter: ClassVar[str] = "a"
    """What fills up its people's ids, so that no two networks know the same people."""

    def native_id(self, number: int) -> str:
        return f"at://{self.author_id(written(number))}/app.bsky.feed.post/3k{number:011d}"

    def author_id(self, post: Written) -> str:
        return f"did:plc:{post.handle.ljust(24, self.letter)}"

    def readable(self, post: Written) -> list[str]:
        return [*super().readable(post), f"{post.handle}.bsky.example", f"3k{post.number:011d}"]

    def parent(self, number: int) -> int | None:
        """Return the number of the post that this one answers."""
        return number - 1 if number % 3 == 0 else None

    def answers_to(self, number: int) -> list[Written]:
        """Return the answers to a post."""
        return [post for post in self.posts.values() if self.parent(post.number) == number]

    def view(self, post: Written) -> dict[str, Any]:
        """Return a post view."""
        record: dict[str, Any] = {
            "$type": "app.bsky.feed.post",
            "text": post.text,
            "createdAt": post.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "langs": ["en"],
        }
        parent = self.parent(post.number)
        if parent is not None:
            reference = {"uri": self.native_id(parent), "cid": f"bafyrei{parent}"}
            record["reply"] = {"root": reference, "parent": reference}
        return {
            "uri": self.native_id(post.number),
            "cid": f"bafyrei{post.number}",
            "author": {
                "did": self.author_id(post),
                "handle": f"{post.handle}.bsky.example",
                "displayName": post.author,
                "labels": [],
            },
            "record": record,
            "replyCount": len(self.answers_to(post.number)),
            "repostCount": 0,
            "likeCount": 0,
            "quoteCount": 0,
            "indexedAt": (post.created_at + timedelta(milliseconds=300)).isoformat(timespec="milliseconds"),
            "labels": [],
        }

    def posts_again(self, asked: Asked) -> Reply:
        """Answer `app.bsky.feed.getPosts`, which repeats its parameter `uris`."""
        uris = [value for name, value in self.asked_again(asked) if name == "uris"]
        if len(uris) > 25:
            return error("InvalidRequest")
        there = {self.native_id(number): post for number, post in self.posts.items()}
        return answer({"posts": [self.view(there[uri]) for uri in uris if uri in there]})

    def thread(self, asked: Asked) -> Reply:
        """Answer `app.bsky.feed.getPostThread`."""
        there = {self.native_id(number): post for number, post in self.posts.items()}
        post = there.get(asked.query["uri"])
        return error("NotFound") if post is None else answer({"thread": self._tree(post), "threadgate": None})

    def _tree(self, post: Written) -> dict[str, Any]:
        return {
            "$type": "app.bsky.feed.defs#threadViewPost",
            "post": self.view(post),
            "replies": [self._tree(reply) for reply in self.answers_to(post.number)],
        }

    @staticmethod
    def asked_again(asked: Asked) -> list[tuple[str, str]]:
        """Return the query of a request, repeated names and all."""
        return parse_qsl(asked.raw_query)


class SourceDouble(Network):
    """The public AppView with the feed of a feed generator, which shows what answers nothing."""

    def mount(self) -> None:
        xrpc = self.site.answers
        xrpc["/xrpc/app.bsky.feed.getFeed"] = self._feed
        xrpc["/xrpc/app.bsky.feed.getPostThread"] = self.thread
        xrpc["/xrpc/app.bsky.feed.getPosts"] = self.posts_again

    def target(self) -> str:
        feed = "at://did:plc:feedsfeedsfeedsfeedsfeed/app.bsky.feed.generator/city"
        return f'source = "bluesky"\nfeed = "{feed}"\nserver = "{self.site.url}"'

    def _feed(self, asked: Asked) -> Reply:
        shown = [post for post in self.newest_first() if self.parent(post.number) is None]
        return page("feed", [{"post": self.view(post)} for post in shown], asked)


def page(key: str, entries: Sequence[dict[str, Any]], asked: Asked) -> Reply:
    """Answer with a page of a listing, its cursor an offset."""
    start = int(asked.query.get("cursor", 0))
    size = min(PAGE, int(asked.query.get("limit", 50)))
    more = {"cursor": str(start + size)} if start + size < len(entries) else {}
    return answer({key: entries[start : start + size], **more})


def answer(body: dict[str, Any]) -> Reply:
    """Answer with JSON."""
    return Reply(json.dumps(body, ensure_ascii=False), headers=JSON)


def error(name: str, status: int = 400) -> Reply:
    """Answer with an error as XRPC has them."""
    return Reply(json.dumps({"error": name, "message": "no"}), status=status, headers=JSON)
