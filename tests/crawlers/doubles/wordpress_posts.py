"""A WordPress site: the articles of its REST API, which can be asked for by when they were changed too."""

from __future__ import annotations

from typing import Any

from doubles import Written
from doubles.wordpress import WordPress, gmt, local, member


class SourceDouble(WordPress):
    """Articles, each with its author's names embedded."""

    kind = "posts"

    def native_id(self, number: int) -> str:
        return f"{self.site.url}/?p={900 + number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} {member(post)}"

    def entry(self, post: Written) -> dict[str, Any]:
        changed = post.edited_at or post.created_at
        return {
            "id": 900 + post.number,
            "date": local(post.created_at),
            "date_gmt": gmt(post.created_at),
            "modified": local(changed),
            "modified_gmt": gmt(changed),
            "link": f"{self.site.url}/{post.handle}/{post.number}/",
            "title": {"rendered": ""},
            "content": {"rendered": f"<p>{post.text}</p>\n", "protected": False},
            "author": member(post),
            "_embedded": {"author": [{"id": member(post), "name": post.author, "slug": post.handle}]},
        }
