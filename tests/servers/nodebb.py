"""A NodeBB forum on Redis, both installed by `make servers`: version 1.4, the newest that npm has.

What readers of its JSON must know, all of it seen on this server:

- Its robots.txt forbids `/admin/` only. Pages have an ETag, but a topic's never answers 304: each reading by a stranger
  counts up the `viewcount` that is in it. `/api/recent/posts` does answer 304.
- Ids, counts and `timestamp` (milliseconds) are strings of digits in most places and numbers in others. `edited` and
  `toPid` are missing where there is nothing to say; `editedISO` is "" then.
- `/api/topic/TID` and `/api/category/CID` need no slug; the HTML page without one redirects to it, percent-encoded, and
  the slug changes with the title. 20 posts or topics a page: `?page=N`, `pagination.pageCount`, `currentPage`. A page
  beyond the last one is empty, with status 200. `nextStart` is never null: it tells nothing.
- A category's `topics` leave out those of the categories within it, which are its `children`. It lists pinned topics
  first, then those with the newest posts.
- `/api/recent/posts/day` (also week, month, or nothing) always returns the 20 newest posts, whatever `page` says.
  Deleted ones are left out, and the topic's opening post is among them.
- A post deleted by its author stays as a stub: `deleted` is true, `content` is "[[topic:post_is_deleted]]", author and
  time are shown, `postcount` still counts it. Purged ones are gone. A topic whose only post is deleted answers 401
  "not-authorized" and leaves all lists; one that never was, 404.
- `content` is HTML: Markdown's, with mentions as `<a class="plugin-mentions-a" href="URL/uid/N">@NAME</a>`. `title` and
  a category's `name` are escaped as in HTML, slashes too; `titleRaw` is what was written.
- HTML: every post is an `itemtype="http://schema.org/Comment"` without id (its link is `/post/PID`); `dateModified` is
  empty where it was not edited; `<link rel="next">` leads on.
- Names stand in `user`, `editor`, `parent.username` (of the post answered) and in mentions.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopback import ask, free_port, serving, unpacked
from node import node_program
from redis_server import redis_server

HERE = Path(__file__).parent
PASSWORD = "one of a test"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, logged in."""

    name: str
    uid: int
    cookie: str


@dataclass(frozen=True, slots=True)
class Post:
    """What was written: its ids, those of its topic and author, and when, in milliseconds since 1970."""

    pid: int
    tid: int
    uid: int
    timestamp: int


@dataclass
class NodeBB:
    """A running forum. Its people write over socket.io, as its own pages do: this version has no other way.

    `categories` are the ids of its categories, by name: four that every new forum has, and those opened here.
    """

    url: str
    host: str
    socket_url: str
    admin: Person
    people: dict[int, Person]
    categories: dict[str, int]
    topics: set[int] = field(default_factory=set)

    def person(self, name: str) -> Person:
        """Open an account, in any script, and log in; names have 2 to 16 characters."""
        fields = {"username": name, "email": f"person{len(self.people)}@example.org", "password": PASSWORD}
        person = _enter(self.url, "/register", name, **fields)
        self.people[person.uid] = person
        return person

    def category(self, name: str, parent: int = 0) -> int:
        """Open a category, within the one whose id is `parent`; return its id."""
        shown = self._emit(self.admin, "admin.categories.create", name=name, parentCid=parent, description="", order=9)
        self.categories[name] = int(shown["cid"])
        return self.categories[name]

    def topic(self, person: Person, category: int, title: str, text: str, tags: Sequence[str] = ()) -> Post:
        """Open a topic and return its first post; `text` is Markdown, as in all posts."""
        shown = self._emit(person, "topics.post", cid=category, title=title, content=text, tags=list(tags))
        self.topics.add(int(shown["tid"]))
        return _post(shown["mainPost"])

    def reply(self, topic: Post, person: Person, text: str, to: Post | None = None) -> Post:
        """Write a post into the topic of a post, in answer `to` one of its posts if that is given, and return it."""
        answered = {"toPid": to.pid} if to else {}
        return _post(self._emit(person, "posts.reply", tid=topic.tid, content=text, **answered))

    def edit(self, post: Post, text: str, title: str | None = None) -> None:
        """Change a post in its author's name; only a topic's first post has a title."""
        titled = {"title": title} if title is not None else {}
        self._emit(self.people[post.uid], "posts.edit", pid=post.pid, content=text, **titled)

    def delete(self, post: Post) -> None:
        """Delete a post in its author's name, as authors can: it stays as a stub. See above for a topic's first."""
        self._emit(self.people[post.uid], "posts.delete", pid=post.pid, tid=post.tid)

    def purge(self, post: Post) -> None:
        """Remove a post for good, as administrators can; not a topic's first one while others are left."""
        self._emit(self.admin, "posts.purge", pid=post.pid, tid=post.tid)

    def posts(self) -> dict[int, dict[str, Any]]:
        """Return the posts of all topics opened here by their ids, as strangers see them."""
        found: dict[int, dict[str, Any]] = {}
        for tid in self.topics:
            page, pages = 0, 1
            while page < pages:
                page += 1
                answer = ask("GET", f"{self.url}/api/topic/{tid}?page={page}")
                if answer.status != 200:  # 401: the whole topic was deleted
                    break
                shown = answer.json()
                pages = int(shown["pagination"]["pageCount"])
                found |= {int(post["pid"]): post for post in shown["posts"]}
        return found

    def _emit(self, person: Person, event: str, **data: Any) -> Any:
        call = {"cookie": person.cookie, "event": event, "data": data}
        answer = ask("POST", self.socket_url, document=call)
        assert answer.status == 200, (event, data, answer)
        return answer.json()


@contextlib.contextmanager
def nodebb_forum(folder: Path) -> Iterator[NodeBB]:
    """Run an empty forum in an empty folder; raises NotHereError."""
    node, program = node_program(), unpacked("nodebb")
    shutil.copy(program / "dump.rdb", folder)
    port, socket_port = free_port(), free_port()
    host = f"127.0.0.1:{port}"
    url, socket_url = f"http://{host}", f"http://127.0.0.1:{socket_port}"
    with redis_server(folder) as redis:
        config = folder / "config.json"
        database = {"database": "redis", "redis": {"host": "127.0.0.1", "port": redis}}
        address = {"url": url, "port": str(port), "bind_address": "127.0.0.1", "secret": "one of a test"}
        # Several forums share the program's folder: none may write there.
        config.write_text(json.dumps({**address, **database, "local-assets": False}))
        forum: list[str | Path] = [node, program / "app.js", "--config", config]
        writer: list[str | Path] = [node, HERE / "nodebb_socket.js", url, str(socket_port)]
        modules = os.environ | {"NODE_PATH": str(program / "node_modules")}
        with (
            serving(forum, folder / "forum.log", f"{url}/api/config", cwd=program),
            serving(writer, folder / "socket.log", socket_url, env=modules),
        ):
            password = (program / "admin-password").read_text().strip()
            admin = _enter(url, "/login", "admin", username="admin", password=password)
            found = ask("GET", f"{url}/api/categories").json()["categories"]
            categories = {shown["name"]: int(shown["cid"]) for shown in found}
            yield NodeBB(url, host, socket_url, admin, {admin.uid: admin}, categories)


def _enter(url: str, path: str, name: str, **fields: str) -> Person:
    """Go the way of a browser that registers or logs in."""
    start = ask("GET", f"{url}/api/config")
    headers = {"Cookie": start.headers["set-cookie"].partition(";")[0], "x-csrf-token": start.json()["csrf_token"]}
    entered = ask("POST", url + path, fields, headers)
    assert entered.status == 200, (name, entered)
    cookie = entered.headers["set-cookie"].partition(";")[0]
    return Person(name, int(ask("GET", f"{url}/api/me", headers={"Cookie": cookie}).json()["uid"]), cookie)


def _post(shown: dict[str, Any]) -> Post:
    return Post(*(int(shown[key]) for key in ("pid", "tid", "uid", "timestamp")))
