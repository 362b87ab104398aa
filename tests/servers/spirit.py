"""A Spirit forum (django-spirit 0.14.3) on SQLite, installed by `make servers`.

What readers of its pages must know, all of it seen on this server:

- It has no robots.txt (404), no feed, no JSON, no schema.org; pages have neither ETag nor Last-Modified, and each sets
  a new cookie.
- 20 topics or comments a page. In a topic the links are `?page=2` and `?page=N` ("Last"), and "Page 1 of 3" stands
  beside them; lists of topics name more of their pages. A page that is not there answers 404.
- Paths are `/topic/PK/SLUG/` and `/category/PK/SLUG/`, slugs in any script, percent-encoded; without the slug or with
  another one they answer 301. `/comment/PK/find/` leads to the comment: `?page=2#c32`, by its number in the topic.
- `/` and `/topic/active/` list the topics of all categories, a category's page its own and those of the categories
  within it: the topics pinned first, then the one with the newest comment. `/category/` is an empty page.
- A comment has `data-pk` (its id), `data-number` and `id="cN"` (its place in the topic). Its author is a link
  `/user/PK/SLUG/`, where strangers are asked to log in. Its text is HTML in `.comment__text`; a mention is
  `<a class="comment-mention" href="/user/PK/SLUG/">@NAME</a>`. Comments answer nobody: a forum without a tree.
- Times are "1s" or "3m", with the minute in UTC in the `title`: "Nov. 28, 2026, 3:55 a.m.". They are written in the
  language of Accept-Language ("28 نوامبر 2026، ساعت 3:56"), as is "Page 1 of 3". An edited comment has a link
  `/comment/history/PK/` with the number of its edits, but no time of them; strangers are asked to log in there too.
- A removed comment stays as a stub `.comments_list__item` with its number, author and time, but without text; a topic
  whose only comment was removed stays listed. A removed topic answers 404 and leaves all lists.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from loopback import Answer, ask, free_port, run, serving, unpacked

SETTINGS = """
from forum.settings.dev import *

DEBUG = False
ST_SITE_URL = {url!r}
ST_RATELIMIT_ENABLE = False
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = {mails!r}
LOGGING["loggers"]["django"]["level"] = "INFO"
"""
ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class Post:
    """A comment; `path` is its topic's, whose first comment is what opened it."""

    pk: int
    topic: int
    person: str
    path: str


@dataclass
class Spirit:
    """A running forum. Its people write by its own forms, as browsers do.

    `categories` are the paths of the categories opened here, by their ids.
    """

    url: str
    host: str
    mails: Path
    log: Path
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)

    def person(self, name: str) -> str:
        """Open an account, in any script but without blanks, by the link in the forum's mail; return the name."""
        password, mail = secrets.token_urlsafe(), f"person{len(self.cookies)}@example.org"
        self._send(name, "/user/register/", username=name, email=mail, email2=mail, password=password)
        newest = max(self.mails.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        link = re.search(r"/user/activation/\S+", newest.read_text())
        assert link is not None, newest.read_text()
        assert ask("GET", self.url + link[0]).status == 302
        self.log_in(name, password)
        return name

    def log_in(self, name: str, password: str) -> None:
        """Log in, so that this person can write."""
        self._send(name, "/user/login/", username=name, password=password)

    def category(self, title: str, parent: int | None = None) -> int:
        """Open a category, in another one if `parent` is its id; return its id."""
        of = {"parent": str(parent)} if parent is not None else {}
        self._send(
            ADMINISTRATOR, "/st/admin/category/create/", title=title, description="", color="", is_global="on", **of
        )
        listed = ask("GET", f"{self.url}/st/admin/category/", headers=self._cookies(ADMINISTRATOR)).body.decode()
        category = max(map(int, re.findall(r"/category/update/(\d+)/", listed)))
        shown = ask("GET", f"{self.url}/category/{category}/")
        self.categories[category] = shown.headers.get("location", f"/category/{category}/")
        return category

    def topic(self, person: str, category: int, title: str, text: str) -> Post:
        """Open a topic and return its first comment; `text` is Markdown, as in all comments."""
        path = self._send(person, "/topic/publish/", title=title, category=str(category), comment=text)
        found = re.findall(r"/comment/(\d+)/", ask("GET", self.url + path, headers=self._cookies(person)).body.decode())
        return Post(int(found[0]), int(path.split("/")[2]), person, path)

    def reply(self, topic: Post, person: str, text: str) -> Post:
        """Write a comment into the topic of another and return it.

        The forum drops what its author wrote there just before, within half an hour, and leads to the newest comment.
        """
        path = self._send(person, f"/comment/{topic.topic}/publish/", comment=text)
        return Post(int(path.split("/")[2]), topic.topic, person, topic.path)

    def edit(self, post: Post, text: str) -> None:
        """Change a comment in its author's name."""
        self._send(post.person, f"/comment/{post.pk}/update/", comment=text)

    def delete(self, post: Post) -> None:
        """Remove a comment, as moderators can: authors can't. It stays as a stub."""
        self._send(ADMINISTRATOR, f"/comment/{post.pk}/delete/")

    def delete_topic(self, post: Post) -> None:
        """Remove the topic of a comment with all that is in it, as moderators can."""
        self._send(ADMINISTRATOR, f"/topic/moderate/delete/{post.topic}/")

    def answered(self, path: str) -> Counter[int]:
        """Return how often the forum answered a path with its query, by HTTP status."""
        asked = re.findall(r'"GET (\S+) HTTP/1\.\d" (\d{3}) ', self.log.read_text())
        return Counter(int(status) for found, status in asked if found == path)

    def _send(self, person: str, path: str, **fields: str) -> str:
        """Fill in a form and return the path that the forum leads to from there."""
        if person not in self.cookies:
            self._keep(person, ask("GET", f"{self.url}/user/login/"))
        token = self.cookies[person]["csrftoken"]
        answer = ask("POST", self.url + path, {**fields, "csrfmiddlewaretoken": token}, self._cookies(person))
        self._keep(person, answer)
        assert answer.status == 302, (person, path, fields, answer)
        return urlsplit(answer.headers["location"]).path

    def _cookies(self, person: str) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies[person].items())}

    def _keep(self, person: str, answer: Answer) -> None:
        found = re.findall(r"(csrftoken|sessionid)=(\w+)", answer.headers.get("set-cookie", ""))
        self.cookies.setdefault(person, {}).update(found)


@contextlib.contextmanager
def spirit_forum(folder: Path) -> Iterator[Spirit]:
    """Run an empty forum in an empty folder; raises NotHereError."""
    program = unpacked("spirit")
    port = free_port()
    host = f"127.0.0.1:{port}"
    site, mails, log = folder / "site", folder / "mails", folder / "forum.log"
    shutil.copytree(program / "forum", site)
    (site / "settings.py").write_text(SETTINGS.format(mails=str(mails), url=f"http://{host}/"))
    password = secrets.token_urlsafe()
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "settings", "DJANGO_SUPERUSER_PASSWORD": password}
    manage = [program / "bin/python", site / "manage.py"]
    administrator = ["createsuperuser", "--noinput", "--username", ADMINISTRATOR, "--email", "admin@example.org"]
    run([*manage, *administrator], "can't be set up", env=environment)
    with serving([*manage, "runserver", "--noreload", host], log, f"http://{host}/robots.txt", env=environment):
        forum = Spirit(f"http://{host}", host, mails, log)
        forum.log_in(ADMINISTRATOR, password)
        yield forum
