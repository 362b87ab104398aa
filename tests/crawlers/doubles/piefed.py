"""A PieFed server, by its source: pages by number, comments of a community by the community's number only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Written
from doubles.lemmy import LemmyServer


class SourceDouble(LemmyServer):
    """One community."""

    api = "piefed"
    path = "/api/alpha"
    home = "piefed.example"

    def mount(self) -> None:
        super().mount()
        self.site.answers[f"{self.path}/community"] = self._community

    def view(self, post: Written) -> dict[str, Any]:
        view = super().view(post)
        item, creator = view[self.kind(post.number)], view["creator"]
        creator["user_name"], creator["title"] = creator.pop("name"), creator.pop("display_name")
        if "name" in item:
            item["title"] = item.pop("name")
        else:
            item["body"] = item.pop("content")
        return view

    def page(self, found: Sequence[Written], asked: Asked, kind: str) -> Reply:
        number = int(asked.query.get("page", 1))
        shown = found[(number - 1) * PAGE : number * PAGE]
        more = str(number + 1) if len(found) > number * PAGE else None
        return self.answer({f"{kind}s": [self.view(post) for post in shown], "next_page": more})

    def is_asked_for(self, asked: Asked, kind: str) -> bool:
        named = asked.query.get("community_id") == "5" if kind == "comment" else "community_name" in asked.query
        return named and asked.query.get("sort") == "New"

    def _community(self, asked: Asked) -> Reply:
        if asked.query.get("name") != "kazan":
            return self.answer({"message": "No row was found when one was required"}, 400)
        community = {"id": 5, "name": "kazan", "local": True, "actor_id": f"https://{self.home}/c/kazan"}
        return self.answer({"community_view": {"community": community}})
