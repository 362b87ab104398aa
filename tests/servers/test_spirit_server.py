"""The spider of any forum against Spirit: plain HTML, no feed, no data for programs, dates without zone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from killing import crawl_killed
from spirit import Post, Spirit, spirit_forum

from crawlers.crawl import crawl

pytestmark = pytest.mark.servers

PEOPLE = ("Zuleykhaxq", "مهرداد", "laylah_xq")
# What is written, and what of it may be stored.
WRITTEN = {
    "Автобус 10 опять опоздал, звоните +7 843 555-12-34": "Автобус 10 опять опоздал, звоните [PHONE]",
    "زحمة خانقة على الجسر منذ الصباح، راسلوني laylah@mail.example": "زحمة خانقة على الجسر منذ الصباح، راسلوني [EMAIL]",
    "ایستگاه مترو آسانسور ندارد\n\nنمی‌شود با چرخ رفت": "ایستگاه مترو آسانسور ندارد\n\nنمی‌شود با چرخ رفت",
    "Same at my stop & *nobody* cares, card 4000 1234 5678 9010": "Same at my stop & nobody cares, card [ACCOUNT]",
}


@pytest.fixture
def server(run_server: Callable[..., Any]) -> Spirit:
    running: Spirit = run_server("spirit", spirit_forum)
    return running


def study_of(folder: Any, server: Spirit, category: int, look_again_after: int = 36) -> Any:
    """Write the study that reads a category, and looks again at posts that are so many hours old."""
    study = folder.read_from(f'source = "forum"\nurl = "{server.url}{server.categories[category]}"')
    study.write_text(re.sub(r"second_look_hours = \d+", f"second_look_hours = {look_again_after}", study.read_text()))
    return study


def native_id(server: Spirit, post: Post) -> str:
    return f"{server.host}/topic/{post.topic}#{post.pk}"


def write_many(server: Spirit, topic: Post, numbers: range) -> list[Post]:
    return [server.reply(topic, PEOPLE[n % len(PEOPLE)], f"Автобус {n} не пришёл") for n in numbers]


def assert_unreadable(server: Spirit, on_disk: bytes) -> None:
    for readable in (*PEOPLE, "555-12-34", "mail.example", "/topic/", "/user/"):
        assert readable.encode() not in on_disk, readable


def test_the_database_equals_the_server_after_posts_edits_and_deletions(server: Spirit, folder: Any) -> None:
    for name in PEOPLE:
        server.person(name)
    city, elsewhere = server.category("Казань и تهران"), server.category("Elsewhere")
    texts = list(WRITTEN)
    first = server.topic(PEOPLE[0], city, "Транспорт & улицы", texts[0])
    people = (PEOPLE[1], PEOPLE[2], PEOPLE[0])
    short = [first, *(server.reply(first, person, text) for person, text in zip(people, texts[1:], strict=True))]
    quoting = server.reply(first, PEOPLE[1], "> Автобус 10 опять опоздал\n\nИ утром тоже")
    long = server.topic(PEOPLE[1], city, "ایستگاه‌ها", "هر روز همین است")
    many = write_many(server, long, range(45))  # three pages
    passing = [server.topic(PEOPLE[n % 3], city, f"Тема номер {n}", f"Нет лавочки {n}") for n in range(22)]  # two lists
    server.topic(PEOPLE[2], elsewhere, "Somewhere else", "Not about this city")
    posts = [*short, quoting, long, *many, *passing]

    (result,) = crawl(study_of(folder, server, city))

    assert (result.outcome, result.parked, result.new, result.dropped) == ("finished", None, len(posts), {})
    assert result.altered == {}, "every date was read"
    stored = folder.posts()
    assert set(stored) == {native_id(server, post) for post in posts}
    for post, text in zip(short, WRITTEN.values(), strict=True):
        assert stored[native_id(server, post)]["text"] == text
    assert stored[native_id(server, quoting)]["text"] == "И утром тоже"
    titled = {row["title"] for row in stored.values()} - {""}
    assert titled == {"Транспорт & улицы", "ایستگاه‌ها", *(f"Тема номер {n}" for n in range(22))}
    assert len({row["thread"] for row in stored.values()}) == 24
    authors = {
        person: {stored[native_id(server, post)]["author"] for post in posts if post.person == person}
        for person in PEOPLE
    }
    assert [len(found) for found in authors.values()] == [1, 1, 1]
    assert len(set.union(*authors.values())) == len(PEOPLE)
    assert None not in {row["created_at"] for row in stored.values()}

    (result,) = crawl(folder.study)
    assert (result.outcome, result.pages, result.new, result.edited) == ("finished", 1, 0, 0)

    edited = {short[1]: "تم الإصلاح", many[3]: "Пришёл вовремя", many[40]: "درست شد"}
    for post, text in edited.items():
        server.edit(post, text)
    gone = [short[2], many[20], passing[0]]
    server.delete(short[2])
    server.delete(many[20])
    server.delete_topic(passing[0])
    newer = [*write_many(server, long, range(45, 75)), server.reply(passing[1], PEOPLE[0], "У нас тоже")]

    (result,) = crawl(study_of(folder, server, city, look_again_after=0))

    assert (result.outcome, result.parked) == ("finished", None)
    assert (result.new, result.edited, result.deleted) == (len(newer), len(edited), len(gone))
    stored = folder.posts()
    assert set(stored) == {native_id(server, post) for post in [*posts, *newer] if post not in gone}
    assert {post: stored[native_id(server, post)]["text"] for post in edited} == edited
    before = {row["text"] for row in folder.rows("SELECT text FROM edit")}
    assert before == {list(WRITTEN.values())[1], "Автобус 3 не пришёл", "Автобус 40 не пришёл"}
    assert folder.rows("SELECT COUNT(*) AS n FROM tombstone") == [{"n": len(gone)}]
    on_disk = folder.bytes_on_disk().replace(f"{server.url}{server.categories[city]}".encode(), b"")
    assert_unreadable(server, on_disk)


def test_crawls_killed_at_random_moments_lose_nothing_and_store_nothing_twice(server: Spirit, folder: Any) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    for name in PEOPLE:
        server.person(name)
    city = server.category("Казань")
    topics = [server.topic(PEOPLE[n % 3], city, f"Тема номер {n}", f"Что с дорогой {n}?") for n in range(5)]
    written = [*topics]
    for n, topic in enumerate(topics):
        written += write_many(server, topic, range(100 * n, 100 * n + 45))
    study = study_of(folder, server, city)
    for kill in range(20):
        crawl_killed(study, chance.choice((0, 1, 1, 2, 3)), chance)
        assert_unreadable(server, folder.bytes_on_disk())
        start = 1000 + 100 * kill
        written += write_many(server, chance.choice(topics), range(start, start + chance.randint(1, 25)))
    cut_off = folder.rows("SELECT COUNT(*) AS n FROM crawl WHERE new > 0 AND ended_at IS NULL")

    (result,) = crawl(study)

    assert (result.outcome, result.parked) == ("finished", None), seed
    assert set(folder.posts()) == {native_id(server, post) for post in written}, seed
    assert folder.rows("SELECT COUNT(*) AS n FROM post") == [{"n": len(written)}], seed
    counted = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited, SUM(deleted) AS deleted FROM crawl")
    assert counted == [{"new": len(written), "edited": 0, "deleted": 0}], seed
    assert cut_off[0]["n"] >= 2, (seed, "the kills came too late to prove anything")
