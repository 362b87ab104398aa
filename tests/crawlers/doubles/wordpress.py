"""A WordPress site: the comments of its REST API, which can be asked for by date and number, but not for what changed."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written

CLOCK = timedelta(hours=3)  # the site's own, ahead of UTC


class WordPress(Double):
    """A collection of a site; pages hold fewer entries than are asked for, answers to `include` all of them."""

    source = "feed"
    kind: ClassVar[str]

    def mount(self) -> None:
        self.site.answers[f"/wp-json/wp/v2/{self.kind}"] = self._collection

    def target(self) -> str:
        return f'source = "feed"\nkind = "news_comments"\nurl = "{self.site.url}/wp-json/wp/v2/{self.kind}"'

    @abstractmethod
    def entry(self, post: Written) -> dict[str, Any]:
        """Return a post as the API shows it."""

    def _collection(self, asked: Asked) -> Reply:
        query, entries = asked.query, [self.entry(post) for post in self.newest_first()]
        if "include" in query:
            wanted = query["include"].split(",")
            shown = [entry for entry in entries if str(entry["id"]) in wanted]
            return self._answer(shown, total=len(shown), pages=1)
        for prefix, field in (("", "date"), ("modified_", "modified")):
            entries = [
                entry
                for entry in entries
                if field not in entry
                or query.get(f"{prefix}after", "") < entry[field] < query.get(f"{prefix}before", "9999")
            ]
        entries.sort(key=lambda entry: entry[query.get("orderby", "date")], reverse=True)
        page, pages = int(query.get("page", 1)), -(-len(entries) // PAGE)
        if page > max(pages, 1):
            error = {"code": "rest_post_invalid_page_number", "message": "too far", "data": {"status": 400}}
            return Reply(json.dumps(error), status=400, headers={"Content-Type": "application/json"})
        reply = self._answer(entries[(page - 1) * PAGE : page * PAGE], total=len(entries), pages=pages)
        if page < pages:
            address = f"{self.site.url}{asked.path}?{urlencode({**query, 'page': page + 1})}"
            reply.headers["Link"] = f'<{address}>; rel="next"'
        return reply

    def _answer(self, shown: Sequence[dict[str, Any]], *, total: int, pages: int) -> Reply:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        headers |= {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
        return Reply(json.dumps(shown), headers=headers)


class SourceDouble(WordPress):
    """The comments that guests left under one article."""

    kind = "comments"

    def native_id(self, number: int) -> str:
        return f"{self.site.url}/?p=40#comment-{500 + number}"

    def author_id(self, post: Written) -> str:
        return f"{post.author} {self.site.host}"

    def entry(self, post: Written) -> dict[str, Any]:
        return {
            "id": 500 + post.number,
            "post": 40,
            "parent": 0,
            "author": 0,
            "author_name": post.author,
            "date": local(post.created_at),
            "date_gmt": gmt(post.created_at),
            "content": {"rendered": f"<p>{post.text}</p>\n"},
            "link": f"{self.site.url}/{post.handle}/#comment-{500 + post.number}",
        }


def gmt(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def local(moment: datetime) -> str:
    return gmt(moment + CLOCK)


def member(post: Written) -> int:
    """Return the number of an author who has an account."""
    return 70 + PEOPLE.index(post.author)
