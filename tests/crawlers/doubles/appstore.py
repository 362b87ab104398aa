"""An App Store's feed of reviews: ten pages at the most, newest first, a single review outside of any list."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written


class SourceDouble(Double):
    """The reviews of one app in the Russian store; what was deleted just disappears."""

    source = "appstore"
    sees_deletions = False

    def mount(self) -> None:
        for page in range(1, 11):
            path = f"/ru/rss/customerreviews/page={page}/id=1404176564/sortby=mostrecent/json"
            self.site.answers[path] = self._page

    def target(self) -> str:
        return f'source = "appstore"\napp = 1404176564\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"review {6_290_000_000 + number}"

    def author_id(self, post: Written) -> str:
        return f"https://itunes.apple.com/ru/reviews/{post.handle}"

    def _page(self, asked: Asked) -> Reply:
        page = int(asked.path.split("page=")[1].split("/")[0])
        shown = self.newest_first()[(page - 1) * PAGE : page * PAGE]
        entries: Any = [self._entry(post) for post in shown]
        feed: dict[str, Any] = {"author": {"name": {"label": "iTunes Store"}}, "id": {"label": asked.path}}
        if entries:
            feed["entry"] = entries if len(entries) > 1 else entries[0]
        return Reply(json.dumps({"feed": feed}), headers={"Content-Type": "text/javascript; charset=utf-8"})

    def _entry(self, post: Written) -> dict[str, Any]:
        labels = {
            "im:version": "3.4.3",
            "im:rating": "2",
            "id": str(6_290_000_000 + post.number),
            "title": "Отзыв",
            "content": post.text,
            "updated": post.created_at.isoformat(),
        }
        author = {"uri": {"label": self.author_id(post)}, "name": {"label": post.author}, "label": ""}
        return {"author": author, **{name: {"label": label} for name, label in labels.items()}}
