"""YouTube's Data API: a search that finds two videos, threads newest first, replies, and single comments."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, START, Double, Written

VIDEOS = ("kazanvideo1", "kazanvideo2")


class SourceDouble(Double):
    """Comments on two videos; every fifth is a reply to the one before, which comes on a page of its own."""

    source = "youtube"
    key = "api-key-of-ours"

    def mount(self) -> None:
        for method in ("search", "commentThreads", "comments"):
            answer = getattr(self, f"_{method}")
            self.site.answers[f"/youtube/v3/{method}"] = lambda asked, answer=answer: self._guarded(asked, answer)

    def target(self) -> str:
        return f'source = "youtube"\nquery = "Казань"\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"Ugz{number - 1:05d}.9{number:05d}" if number % 5 == 4 else f"Ugz{number:05d}"

    def author_id(self, post: Written) -> str:
        return f"UC{post.handle}"

    def _guarded(self, asked: Asked, answer: Any) -> Reply:
        if asked.headers.get("x-goog-api-key") != self.key or "key" in asked.query:
            return Reply(json.dumps({"error": {"errors": [{"reason": "keyInvalid"}]}}), status=400)
        return Reply(json.dumps(answer(asked.query)))

    def _search(self, query: dict[str, str]) -> dict[str, Any]:
        assert (query["location"], query["regionCode"], query["q"]) == ("55.79,49.12", "RU", "Казань")
        published = START.isoformat()
        found = [] if "publishedAfter" in query else VIDEOS
        items = [{"id": {"videoId": video}, "snippet": {"publishedAt": published}} for video in found]
        return {"items": items}

    def _threads(self, video: str) -> list[Written]:
        return [p for p in self.newest_first() if p.number % 5 != 4 and VIDEOS[p.number // 5 % 2] == video]

    def _commentThreads(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802  the method's name
        threads = self._threads(query["videoId"])
        begin = int(query.get("pageToken", 0))
        items = []
        for post in threads[begin : begin + PAGE]:
            replies = int(post.number % 5 == 3 and post.number + 1 in self.posts)
            snippet = {"topLevelComment": self._comment(post, query["videoId"]), "totalReplyCount": replies}
            items.append({"id": self.native_id(post.number), "snippet": snippet})
        more = {"nextPageToken": str(begin + PAGE)} if begin + PAGE < len(threads) else {}
        return {"items": items, **more}

    def _comments(self, query: dict[str, str]) -> dict[str, Any]:
        shown = list(self.posts.values())
        if "parentId" in query:
            shown = [post for post in shown if self.native_id(post.number).startswith(f"{query['parentId']}.")]
        else:
            shown = [post for post in shown if self.native_id(post.number) in query["id"].split(",")]
        return {"items": [self._comment(post, None) for post in shown]}

    def _comment(self, post: Written, video: str | None) -> dict[str, Any]:
        snippet = {
            "authorDisplayName": f"@{post.handle}",
            "authorChannelId": {"value": self.author_id(post)},
            "textDisplay": post.text,
            "textOriginal": post.text,
            "likeCount": 0,
            "publishedAt": post.created_at.isoformat(),
            "updatedAt": (post.edited_at or post.created_at).isoformat(),
        }
        return {"id": self.native_id(post.number), "snippet": snippet | ({"videoId": video} if video else {})}
