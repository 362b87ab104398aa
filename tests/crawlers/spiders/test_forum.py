from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fault_server import Asked, Reply

from crawlers.crawl import crawl

PAGE = 3


class Board:
    """A section and its topics: {topic: [posts]}, topics in the order given, posts a page at a time."""

    def __init__(self, site: Any, topics: dict[int, list[str]]) -> None:
        self.site = site
        self.topics = topics
        site.answers["/forum/3/"] = self._section
        for topic in topics:
            self.add(topic)

    def add(self, topic: int) -> None:
        self.site.answers[f"/topic/{topic}/"] = self._topic

    def _section(self, asked: Asked) -> Reply:
        number, names = int(asked.query.get("page", 1)), list(self.topics)
        rows = "".join(
            f'<article><h3><a href="/topic/{topic}/">Тема номер {topic}</a></h3><span class="replies">'
            f"{sum(bool(post) for post in self.topics[topic])} ответов</span></article>"
            for topic in names[(number - 1) * PAGE : number * PAGE]
        )
        return _page("Раздел", rows + _pages(number, len(names)))

    def _topic(self, asked: Asked) -> Reply:
        topic, number = int(asked.path.split("/")[2]), int(asked.query.get("page", 1))
        posts = self.topics[topic]
        shown = list(enumerate(posts))[(number - 1) * PAGE : number * PAGE]
        if not shown:
            return Reply(status=404)
        blocks = "".join(
            f'<div class="post" data-pid="{topic * 100 + place}"><a href="/user/{place % 3}/">Человек {place % 3}</a>'
            f'<time datetime="2026-11-20T08:{place:02}:00Z"></time><div class="text">{text}</div></div>'
            for place, text in shown
            if text
        )
        return _page(f"Тема номер {topic}", blocks + _pages(number, len(posts)))


def _pages(number: int, entries: int) -> str:
    last = -(-entries // PAGE)
    shown = {number - 1, number + 1, last} & set(range(1, last + 1)) - {number}
    return "".join(f'<a href="?page={n}">{n}</a>' for n in sorted(shown))


def _page(title: str, body: str) -> Reply:
    markup = (
        f"<html lang='ru'><head><title>{title}</title></head><body><h1>{title}</h1><main>{body}</main></body></html>"
    )
    return Reply(markup, headers={"Content-Type": "text/html; charset=utf-8"})


def target(site: Any, path: str = "/forum/3/", **more: str) -> str:
    return f'source = "forum"\nurl = "{site.url}{path}"\n' + "".join(
        f'{key} = "{value}"\n' for key, value in more.items()
    )


def asked(site: Any) -> list[str]:
    """Return the pages asked for, as topic.page, the section as 0."""
    pages = []
    for each in site.asked:
        if each.path != "/robots.txt":
            topic = each.path.split("/")[2] if each.path.startswith("/topic/") else "0"
            pages.append(f"{topic}.{each.query.get('page', '1')}")
    site.asked.clear()
    return pages


def texts(folder: Any) -> set[str]:
    return {post["text"] for post in folder.posts()}


def test_only_what_is_new_is_read_and_the_last_pages_first(site: Any, folder: Any) -> None:
    board = Board(site, {n: [f"тема {n} пост {p}" for p in range(10 if n == 2 else 2)] for n in (1, 2, 3, 4)})
    study = folder.write(target(site), limits="max_pages_per_target = 5")
    assert crawl(study)[0].new == 2 + 3 + 1 + 3
    assert asked(site) == ["0.1", "1.1", "2.1", "2.4", "2.3"]
    study = folder.write(target(site))
    assert crawl(study)[0].new == 3 + 2 + 2
    assert asked(site) == ["0.1", "2.2", "3.1", "0.2", "4.1"]
    assert texts(folder) == {text for posts in board.topics.values() for text in posts}
    first = [post for post in folder.posts() if post["title"]]
    assert {post["title"] for post in first} == {f"Тема номер {n}" for n in board.topics}

    result = crawl(study)[0]
    assert (result.new, result.unchanged, asked(site)) == (0, 0, ["0.1"])

    grown = board.topics.pop(2) + [f"новый {n}" for n in range(8)]
    board.topics = {2: grown, 9: ["девять"], **board.topics}
    board.add(9)
    result = crawl(study)[0]
    assert result.new == 9
    pages = asked(site)
    assert pages[:4] == ["0.1", "2.4", "2.6", "2.5"], "from the page read last to the end, the newest first"
    assert texts(folder) == {text for posts in board.topics.values() for text in posts}


def test_second_looks_find_posts_that_moved_to_another_page(site: Any, folder: Any) -> None:
    board = Board(site, {1: [f"пост {n}" for n in range(9)]})
    study = folder.write(target(site), limits="second_look_hours = 0")
    assert crawl(study)[0].new == 9

    def without(*gone: int) -> Callable[[Asked], Reply]:
        left = [(n, text) for n, text in enumerate(board.topics[1]) if n not in gone]

        def answer(request: Asked) -> Reply:
            number = int(request.query.get("page", 1))
            shown = left[(number - 1) * PAGE : number * PAGE]
            if not shown:
                return Reply(status=404)
            blocks = "".join(
                f'<div class="post" data-pid="{100 + n}"><a href="/user/{n % 3}/">Человек {n % 3}</a>'
                f'<time datetime="2026-11-20T08:{n:02}:00Z"></time><div class="text">{text}</div></div>'
                for n, text in shown
            )
            return _page("Тема номер 1", blocks + _pages(number, len(left)))

        return answer

    board.topics[1][7] = "исправлено"
    site.answers["/topic/1/"] = without(0, 4, 8)  # two pages are left of three, and posts stand on other pages
    result = crawl(study)[0]
    assert (result.parked, result.deleted) == (None, 3)
    assert texts(folder) == {f"пост {n}" for n in (1, 2, 3, 5, 6)} | {"исправлено"}

    site.answers["/topic/1/"] = Reply(status=404)
    with folder.store() as store:
        store._db.execute("UPDATE post SET looked_at = NULL")
    assert crawl(study)[0].deleted == 6


def test_closed_odd_and_wrong_targets_are_parked_by_name(new_site: Any, folder: Any) -> None:
    shut, walled, odd, zone, locked = (new_site() for _ in range(5))
    shut.answers["/forum/3/"] = Reply(status=403)
    login = '<form action="/login"><input type="password"></form>'
    walled.answers["/forum/3/"] = _page("Вход", login)
    Board(odd, {1: ["текст"]})
    odd.answers["/topic/1/"] = _page("Тема номер 1", "<p>рисует сценарий</p>")
    Board(zone, {1: ["текст"]})
    Board(locked, {1: ["открытая"], 2: ["закрытая"]})
    locked.answers["/topic/2/"] = _page("Вход", login)
    study = folder.write(target(shut), target(walled), target(odd), target(zone, timezone="Mars/Base"), target(locked))
    results = crawl(study)
    assert [result.parked for result in results] == [
        "closed (HTTP 403)",
        "closed: the forum shows this page to its members only",
        "no posts found on a topic's page",
        "no time zone is called 'Mars/Base'",
        None,
    ]
    assert results[4].dropped == {"topic for members only": 1}
    assert texts(folder) == {"открытая"}
