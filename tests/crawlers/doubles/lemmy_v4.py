"""A Lemmy server of API v4, by its documentation: everything by cursor, counts in the posts, other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fault_server import Asked, Reply

from doubles import Written
from doubles.lemmy import LemmyServer


class SourceDouble(LemmyServer):
    """One community."""

    api = "v4"
    path = "/api/v4"
    home = "one.lemmy.example"

    def view(self, post: Written) -> dict[str, Any]:
        view = super().view(post)
        item = view[self.kind(post.number)]
        item["published_at"], item["updated_at"] = item.pop("published"), item.pop("updated")
        item |= view.pop("counts")
        for actor in (view["creator"], view["community"]):
            actor["ap_id"] = actor.pop("actor_id")
        return view

    def page(self, found: Sequence[Written], asked: Asked, kind: str) -> Reply:
        shown, more = self.by_cursor(found, asked)
        return self.answer({"items": [self.view(post) for post in shown], "next_page": more, "prev_page": None})

    def is_asked_for(self, asked: Asked, kind: str) -> bool:
        query = asked.query
        return (query.get("community_name"), query.get("sort"), query.get("type_")) == ("kazan", "new", "all")
