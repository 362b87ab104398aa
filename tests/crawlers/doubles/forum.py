"""A plain forum: a section's topics and their pages as HTML, dates only in titles and without zone, no feed, no data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from fault_server import Asked, Reply

from doubles import PAGE, START, Double, Written

A_TOPIC = 12  # posts, so that a topic has two pages
SECTION = "/category/2/kazan-%D8%AA%D9%87%D8%B1%D8%A7%D9%86/"


class SourceDouble(Double):
    """One section, topics newest first, posts oldest first; a deleted post leaves a note in its place."""

    source = "forum"

    def mount(self) -> None:
        self.deleted: set[int] = set()
        self.site.answers["/category/2/kazan-تهران/"] = self._section
        for topic in range(1, 100):
            self.site.answers[f"/topic/{topic}/"] = self._moved
            self.site.answers[f"/topic/{topic}/{self._slug(topic)}/"] = self._topic

    def target(self) -> str:
        return f'source = "forum"\nurl = "{self.site.url}{SECTION}"\ntimezone = "Etc/UTC"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host}/topic/{self._topic_of(number)}#{500 + number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host}/user/{7000 + len(post.handle)}/{post.handle}/"

    def delete(self, number: int) -> None:
        super().delete(number)
        self.deleted.add(number)

    def _topic_of(self, number: int) -> int:
        return (number - 1) // A_TOPIC + 1

    def _slug(self, topic: int) -> str:
        return ("زحمة-الجسر", "ایستگاه-مترو", "автобусы", "bus-stops")[topic % 4]

    def _topics(self) -> dict[int, list[int]]:
        """Return the numbers of each topic's posts, deleted ones too, topics newest first."""
        topics: dict[int, list[int]] = {}
        for number in sorted({*self.posts, *self.deleted}):
            topics.setdefault(self._topic_of(number), []).append(number)
        return dict(sorted(topics.items(), reverse=True))

    def _section(self, asked: Asked) -> Reply:
        topics, page = list(self._topics().items()), int(asked.query.get("page", 1))
        rows = ""
        for topic, numbers in topics[(page - 1) * PAGE : page * PAGE]:
            last = max((self.posts[n].created_at for n in numbers if n in self.posts), default=datetime.now(UTC))
            rows += (
                f'<div class="row"><div class="row__title"><a class="row__link" href="/topic/{topic}/{self._slug(topic)}/">'
                f'{self._slug(topic)}</a></div><div class="row__count"><i></i> {len(numbers) - 1}</div>'
                f'<div class="row__date" title="{_said(last)}">3d</div></div>'
            )
        menu = (
            '<ul class="menu"><li><a href="/category/2/">Kazan</a></li><li><a href="/category/3/">Tehran</a></li></ul>'
        )
        return _page("Kazan", f'{menu}<div class="rows">{rows}</div>{_paginator(page, len(topics))}')

    def _moved(self, asked: Asked) -> Reply:
        topic = int(asked.path.split("/")[2])
        return Reply(status=301, headers={"Location": f"/topic/{topic}/{self._slug(topic)}/"})

    def _topic(self, asked: Asked) -> Reply:
        topic, page = int(asked.path.split("/")[2]), int(asked.query.get("page", 1))
        numbers = self._topics().get(topic, [])
        shown = numbers[(page - 1) * PAGE : page * PAGE]
        if not shown:
            return Reply("<!doctype html><html><body><h1>Not found</h1></body></html>", status=404)
        posts = "".join(self._post(place, number) for place, number in enumerate(shown, start=(page - 1) * PAGE + 1))
        return _page(self._slug(topic), f'<div class="list">{posts}</div>{_paginator(page, len(numbers))}')

    def _post(self, place: int, number: int) -> str:
        post = self.posts.get(number)
        named = f'id="c{place}" data-number="{place}" data-pk="{500 + number}"'
        if post is None:
            note = f'<a href="/user/1/moderator/">moderator</a> removed this <span title="{_said(START)}">3d</span>'
            return f'<div class="list__note post" {named}><div><i></i></div><div class="note__info"><span>{note}</span></div></div>'
        edited = f'<li><a href="/history/{500 + number}/">1</a></li>' if post.edited_at else ""
        person = f"/user/{7000 + len(post.handle)}/{post.handle}/"
        return (
            f'<div class="list__post post" {named}><div class="post__avatar">W</div><div class="post__info">'
            f'<a class="post__username" href="{person}"><span>{escape(post.author)}</span></a>'
            f'<ul class="post__date">{edited}<li title="{_said(post.created_at)}">3d</li></ul></div>'
            f'<div class="post__text"><p>{escape(post.text)}</p></div><div class="post__footer">'
            f'<a href="#reply">Reply</a><div style="display: none"><input value="/find/{500 + number}/"></div></div></div>'
        )


def _said(moment: datetime) -> str:
    half = "a.m." if moment.hour < 12 else "p.m."
    minutes = f":{moment.minute:02}" if moment.minute else ""
    if moment.hour == 12 and not moment.minute:
        return f"{moment:%b}. {moment.day}, {moment.year}, noon"
    if moment.hour == 0 and not moment.minute:
        return f"{moment:%b}. {moment.day}, {moment.year}, midnight"
    return f"{moment:%b}. {moment.day}, {moment.year}, {moment.hour % 12 or 12}{minutes} {half}"


def _paginator(page: int, entries: int) -> str:
    """Return the links that the middle pages lack too: there, only the neighbours are named."""
    pages = -(-entries // PAGE)
    links: Sequence[int] = [n for n in (page - 1, page + 1) if 1 <= n <= pages]
    last = f'<a href="?page={pages}">Last</a>' if page == 1 and pages > 1 else ""
    return "".join(f'<a href="?page={n}"><i class="arrow"></i></a>' for n in links) + last


def _page(title: str, body: str) -> Reply:
    markup = (
        f"<!doctype html><html><head><meta charset='utf-8'><title>{title} - City talk</title></head><body>"
        f"<header><a href='/'>City talk</a><a href='/user/login/?next=/'>Log in</a></header><h1>{title}</h1>"
        f"{body}<footer><a href='/about/'>About</a></footer></body></html>"
    )
    return Reply(markup, headers={"Content-Type": "text/html; charset=utf-8"})
