"""A Lemmy server of API v3: a community's posts by cursor, its comments by page; every third entry is a comment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written

LANGUAGES = [{"id": 0, "code": "und"}, {"id": 8, "code": "ar"}, {"id": 37, "code": "en"}]


class LemmyServer(Double):
    """One community. What its author deleted is no longer listed as a post, and stays as a flag as a comment."""

    source = "lemmy"
    api: ClassVar[str] = "v3"
    path: ClassVar[str] = "/api/v3"
    home: ClassVar[str] = "lemmy.example"

    def mount(self) -> None:
        self.site.answers[f"{self.path}/site"] = self.answer({"all_languages": LANGUAGES})
        self.site.answers[f"{self.path}/post/list"] = lambda asked: self._listing(asked, "post")
        self.site.answers[f"{self.path}/comment/list"] = lambda asked: self._listing(asked, "comment")
        self.site.answers[f"{self.path}/post"] = lambda asked: self._one(asked, "post")
        self.site.answers[f"{self.path}/comment"] = lambda asked: self._one(asked, "comment")

    def target(self) -> str:
        return f'source = "lemmy"\ninstance = "{self.site.url}"\ncommunity = "kazan"\napi = "{self.api}"'

    def native_id(self, number: int) -> str:
        return f"https://{self.home}/{self.kind(number)}/{number + 700000}"

    def author_id(self, post: Written) -> str:
        return f"https://{self.home}/u/{post.handle}"

    def kind(self, number: int) -> str:
        """Return whether the entry of that number is a post or a comment."""
        return "comment" if number % 3 == 0 else "post"

    # The shape of this API

    def view(self, post: Written) -> dict[str, Any]:
        """Return a post view or a comment view."""
        view = {
            self.kind(post.number): {
                "id": post.number,
                "ap_id": self.native_id(post.number),
                "published": self.moment(post),
                "updated": post.edited_at.isoformat() if post.edited_at else None,
                "removed": False,
                "deleted": False,
                "language_id": 37,
            },
            "creator": {"name": post.handle, "display_name": post.author, "actor_id": self.author_id(post)},
            "community": {"id": 5, "name": "kazan", "local": True, "actor_id": f"https://{self.home}/c/kazan"},
            "counts": {"upvotes": 1, "comments": 0, "child_count": 0},
        }
        if self.kind(post.number) == "post":
            view["post"] |= {"name": f"Тема {post.number}", "body": post.text}
        else:
            view["comment"] |= {"content": post.text, "path": f"0.{post.number}"}
            view["post"] = {"id": post.number - 1, "ap_id": self.native_id(post.number - 1)}
        return view

    def moment(self, post: Written) -> str:
        """Return when a post was written, as this server writes it."""
        return post.created_at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    def page(self, found: Sequence[Written], asked: Asked, kind: str) -> Reply:
        """Answer with a page: posts say what names the next one, comments don't."""
        if kind == "comment":
            start = (int(asked.query.get("page", 1)) - 1) * PAGE
            return self.answer({"comments": [self.view(post) for post in found[start : start + PAGE]]})
        shown, more = self.by_cursor(found, asked)
        return self.answer({"posts": [self.view(post) for post in shown], **({"next_page": more} if more else {})})

    def is_asked_for(self, asked: Asked, kind: str) -> bool:
        """Tell whether a query names the community and an order that this API knows."""
        query = asked.query
        named = (query.get("community_name"), query.get("sort"), query.get("type_"))
        return named == ("kazan", "New", "All") and int(query["limit"]) <= 50

    # What all APIs share

    def by_cursor(self, found: Sequence[Written], asked: Asked) -> tuple[list[Written], str | None]:
        """Return the entries after the one that a cursor names, and the cursor of the next page."""
        after = int(asked.query.get("page_cursor", "P" + "9" * 9).removeprefix("P"))
        left = [post for post in found if post.number < after]
        return left[:PAGE], f"P{left[PAGE - 1].number}" if len(left) > PAGE else None

    @staticmethod
    def answer(body: dict[str, Any], status: int = 200) -> Reply:
        """Answer with JSON."""
        return Reply(json.dumps(body), status=status, headers={"Content-Type": "application/json"})

    def _listing(self, asked: Asked, kind: str) -> Reply:
        if not self.is_asked_for(asked, kind):
            return self.answer({"error": "couldnt_find_community"}, 404)
        return self.page([post for post in self.newest_first() if self.kind(post.number) == kind], asked, kind)

    def _one(self, asked: Asked, kind: str) -> Reply:
        post = self.posts.get(int(asked.query["id"]))
        if post is None or self.kind(post.number) != kind:
            return self.answer({"error": f"couldnt_find_{kind}"}, 404)
        return self.answer({f"{kind}_view": self.view(post)})


class SourceDouble(LemmyServer):
    """A server of the version that most run."""
