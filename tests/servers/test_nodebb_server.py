"""The NodeBB spider, and the spider of any forum, against NodeBB."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from killing import crawl_killed
from nodebb import NodeBB, Person, Post, nodebb_forum

from crawlers.crawl import crawl

pytestmark = pytest.mark.servers

PEOPLE = ("Zuleykhaxq", "مهرداد-آزمون", "laylah_xq")
# What is written, and what of it may be stored.
WRITTEN = {
    "Автобус 10 опять опоздал, звоните +7 843 555-12-34": "Автобус 10 опять опоздал, звоните [PHONE]",
    "زحمة خانقة على الجسر منذ الصباح، راسلوني laylah@mail.example": "زحمة خانقة على الجسر منذ الصباح، راسلوني [EMAIL]",
    "ایستگاه مترو آسانسور ندارد\n\nنمی‌شود با چرخ رفت": "ایستگاه مترو آسانسور ندارد\n\nنمی‌شود با چرخ رفت",
    "Same at my stop & *nobody* cares, card 4000 1234 5678 9010": "Same at my stop & nobody cares, card [ACCOUNT]",
}


@pytest.fixture
def server(run_server: Callable[..., Any]) -> NodeBB:
    running: NodeBB = run_server("nodebb", nodebb_forum)
    return running


def target(server: NodeBB, category: int | None = None) -> str:
    return f'source = "nodebb"\nurl = "{server.url}"' + (f"\ncategory = {category}" if category else "")


def look_again_after(folder: Any, hours: int, *targets: str) -> Any:
    """Write the study so that posts are looked at a second time when they are that old."""
    study = folder.read_from(*targets)
    study.write_text(re.sub(r"second_look_hours = \d+", f"second_look_hours = {hours}", study.read_text()))
    return study


def native_id(server: NodeBB, pid: int) -> str:
    return f"{server.host} {pid}"


def shown_ids(server: NodeBB) -> set[str]:
    return {native_id(server, pid) for pid, post in server.posts().items() if post["deleted"] in {False, "0", ""}}


def write_many(server: NodeBB, topic: Post, people: list[Person], numbers: range) -> list[Post]:
    return [server.reply(topic, people[n % len(people)], f"Автобус {n} не пришёл") for n in numbers]


def assert_unreadable(server: NodeBB, on_disk: bytes) -> None:
    for readable in (*PEOPLE, "555-12-34", "mail.example", f"{server.host} 1"):
        assert readable.encode() not in on_disk, readable


def test_the_database_equals_the_server_after_posts_edits_and_deletions(server: NodeBB, folder: Any) -> None:
    people = [server.person(name) for name in PEOPLE]
    kazan, elsewhere = server.category("Казань / قازان"), server.category("Elsewhere")
    texts = list(WRITTEN)
    first = server.topic(people[0], kazan, "Транспорт & улицы", texts[0])
    short = [
        first,
        *(server.reply(first, person, text) for person, text in zip([*people[1:], people[0]], texts[1:], strict=True)),
    ]
    answer = server.reply(first, people[1], "> Автобус 10 опять опоздал\n\nИ утром тоже", to=first)
    long = server.topic(people[1], kazan, "ایستگاه‌ها", "هر روز همین است")
    many = write_many(server, long, people, range(45))  # three pages
    other = server.topic(people[2], elsewhere, "Somewhere else", "Not about this city")
    posts = [*short, answer, long, *many]

    (result,) = crawl(look_again_after(folder, 36, target(server, kazan)))

    assert (result.outcome, result.parked, result.new, result.dropped) == ("finished", None, len(posts), {})
    stored = folder.posts()
    assert set(stored) == {native_id(server, post.pid) for post in posts}
    for post, text in zip(short, WRITTEN.values(), strict=True):
        assert stored[native_id(server, post.pid)]["text"] == text
    assert stored[native_id(server, first.pid)]["title"] == "Транспорт & улицы"
    replied = stored[native_id(server, answer.pid)]
    assert (replied["text"], replied["title"]) == ("И утром тоже", "")
    assert replied["parent"] == replied["thread"] == folder.secret.key("nodebb", native_id(server, first.pid))
    for pid, shown in server.posts().items():
        if pid == other.pid:
            continue
        row = stored[native_id(server, pid)]
        assert row["author"] == folder.secret.pseudonym("nodebb", f"{server.host} {shown['uid']}")
        moment = datetime.fromtimestamp(int(shown["timestamp"]) // 1000, UTC)
        assert row["created_at"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len({row["author"] for row in stored.values()}) == len(PEOPLE)

    (result,) = crawl(folder.study)
    assert (result.outcome, result.new, result.edited, result.deleted) == ("finished", 0, 0, 0)

    edited = {short[1]: "تم الإصلاح", many[3]: "Пришёл вовремя", many[40]: "درست شد"}
    for post, text in edited.items():
        server.edit(post, text)
    server.delete(short[2])
    server.delete(many[20])
    server.purge(many[1])
    server.purge(many[44])
    newer = write_many(server, long, people, range(45, 75))

    (result,) = crawl(look_again_after(folder, 0, target(server, kazan)))

    assert (result.outcome, result.parked) == ("finished", None)
    assert (result.new, result.edited, result.deleted) == (len(newer), len(edited), 4)
    stored = folder.posts()
    assert set(stored) == shown_ids(server) - {native_id(server, other.pid)}
    assert {post: stored[native_id(server, post.pid)]["text"] for post in edited} == edited
    before = {row["text"] for row in folder.rows("SELECT text FROM edit")}
    assert before == {list(WRITTEN.values())[1], "Автобус 3 не пришёл", "Автобус 40 не пришёл"}
    assert folder.rows("SELECT COUNT(*) AS n FROM tombstone") == [{"n": 4}]
    assert_unreadable(server, folder.bytes_on_disk())


def test_crawls_killed_at_twenty_random_moments_lose_nothing_and_store_nothing_twice(
    server: NodeBB, folder: Any
) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    people = [server.person(name) for name in PEOPLE]
    city = server.category("Казань")
    topics = [server.topic(people[n % 3], city, f"Тема номер {n}", f"Что с дорогой {n}?") for n in range(6)]
    written = [*topics]
    for n, topic in enumerate(topics):
        written += write_many(server, topic, people, range(100 * n, 100 * n + 45))
    study = look_again_after(folder, 36, target(server, city))
    for kill in range(20):
        crawl_killed(study, chance.choice((0, 1, 1, 2, 3)), chance)
        assert_unreadable(server, folder.bytes_on_disk())
        start = 1000 + 100 * kill
        written += write_many(server, chance.choice(topics), people, range(start, start + chance.randint(1, 25)))
    cut_off = folder.rows("SELECT COUNT(*) AS n FROM crawl WHERE new > 0 AND ended_at IS NULL")

    (result,) = crawl(study)

    assert (result.outcome, result.parked) == ("finished", None), seed
    assert set(folder.posts()) == {native_id(server, post.pid) for post in written} == shown_ids(server), seed
    assert folder.rows("SELECT COUNT(*) AS n FROM post") == [{"n": len(written)}], seed
    counted = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited, SUM(deleted) AS deleted FROM crawl")
    assert counted == [{"new": len(written), "edited": 0, "deleted": 0}], seed
    assert cut_off[0]["n"] >= 2, (seed, "the kills came too late to prove anything")


def test_its_pages_are_read_as_those_of_any_forum(server: NodeBB, folder: Any) -> None:
    people = [server.person(name) for name in PEOPLE]
    city = server.category("Kazan")
    topic = server.topic(people[0], city, "ترافیک و ایستگاه‌ها", "هر روز همین است")
    posts = [topic, *write_many(server, topic, people, range(45))]

    (result,) = crawl(folder.read_from(f'source = "forum"\nurl = "{server.url}/category/{city}"'))

    assert (result.outcome, result.parked, result.new) == ("finished", None, len(posts))
    shown, stored = server.posts(), folder.posts()
    assert set(stored) == {f"{server.host}/topic/{topic.tid}#{post.pid}" for post in posts}
    for post in posts:
        row = stored[f"{server.host}/topic/{topic.tid}#{post.pid}"]
        moment = datetime.fromtimestamp(int(shown[post.pid]["timestamp"]) // 1000, UTC)
        assert row["created_at"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len({row["author"] for row in stored.values()}) == len(PEOPLE)
    assert_unreadable(server, folder.bytes_on_disk())
