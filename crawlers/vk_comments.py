"""Comments below a post of VKontakte: pages of comments, the threads below them, and which of them are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crawlers.answers import objects, whole
from crawlers.visits import Found, Step
from crawlers.vk_posts import Names, comment_post, count_of, names_of, post_of

OVERLAP = 2  # comments or posts that a page shows again: when one is deleted, those after it move up

Looked = list[list[int]]
"""Comments that are looked for again, each with the comment whose thread it stands in (0: in none)."""


def looked_for(pairs: Sequence[Sequence[str]], post: str) -> Looked:
    """Return those of a second look's pairs that are comments below a post."""
    return [
        [_number(name), _number(ref) if ref != name else 0]
        for name, ref in pairs
        if name != post and post_of(name) == post
    ]


def read_comments(step: Step, told: Mapping[str, Any]) -> Found:
    """Return a page of comments, or of one comment's thread, and what is to be read because of it.

    A step names the post (`comments`), the `offset`, a `thread` where it reads one, and in `look` the comments that are
    looked for again: they are gone when the page on which they must stand does not show them.
    """
    page = _Page(step["comments"], names_of(told), dict(step.get("look", ())))
    shown = objects(told.get("items"))
    for comment in shown:
        page.take_with_thread(comment, step.get("thread"))
    end = step["offset"] + len(shown)
    of_this_level = whole(told.get("current_level_count"))
    all_told = of_this_level if of_this_level is not None else whole(told.get("count")) or 0
    if shown and end < all_told:
        offset = step["offset"] + max(len(shown) - OVERLAP, 1)
        page.found.next.append({**step, "offset": offset, "look": [list(pair) for pair in page.left.items()]})
    elif end >= all_told:
        page.bury(list(page.left))
    return page.found


@dataclass(slots=True)
class _Page:
    """What a page of comments below a post holds; `left` are those looked for that it has not shown yet."""

    post: str
    names: Names
    left: dict[int, int]
    found: Found = field(default_factory=Found)

    def take(self, comment: Mapping[str, Any], head: int | None) -> int | None:
        """Take a comment in and return its number; one that VK shows as deleted is gone."""
        number = whole(comment.get("id"))
        if not number:
            return None
        self.left.pop(number, None)
        if comment.get("deleted"):
            self.bury([number])
        else:
            self.found.posts.append(comment_post(comment, f"{self.post}_r{number}", self.names, self._id(head)))
        return number

    def take_with_thread(self, comment: Mapping[str, Any], head: int | None) -> None:
        """Take a comment in and what is shown of its thread; a longer one is read on its own."""
        number, thread = self.take(comment, head), comment.get("thread")
        if number is None or not isinstance(thread, dict):
            return
        replies = objects(thread.get("items"))
        for reply in replies:
            self.take(reply, number)
        below = [reply for reply, above in self.left.items() if above == number]
        if (count_of(comment, "thread") or 0) > len(replies):
            look = [[reply, self.left.pop(reply)] for reply in below]
            self.found.next.append({"comments": self.post, "thread": number, "offset": 0, "look": look})
        else:
            self.bury(below)

    def bury(self, numbers: Sequence[int]) -> None:
        """Note that comments are gone."""
        for number in numbers:
            self.left.pop(number, None)
            self.found.gone.append(f"{self.post}_r{number}")

    def _id(self, number: int | None) -> str | None:
        return f"{self.post}_r{number}" if number else None


def _number(name: str) -> int:
    return int(name.rpartition("_r")[2])
