"""The Mastodon spider against snac2."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from killing import crawl_killed
from snac2 import Snac2, snac2_server

from citystudy.privacy import redact
from crawlers.crawl import crawl
from crawlers.markup import html_to_text

pytestmark = pytest.mark.servers

PEOPLE = ("zuleykha", "mehrdad", "laylah")
BOT = "kazanbot"
# What is written, and what of it may be stored.
WRITTEN = {
    "Автобус 10 опять опоздал, звоните +7 843 555-12-34 #kazan": "Автобус 10 опять опоздал, звоните [PHONE] #kazan",
    "زحمة خانقة على الجسر منذ الصباح، راسلوني laylah@mail.example": "زحمة خانقة على الجسر منذ الصباح، راسلوني [EMAIL]",
    "ایستگاه مترو آسانسور ندارد\nنمی‌شود با چرخ رفت https://short.example/x1 #تهران": (
        "ایستگاه مترو آسانسور ندارد\nنمی‌شود با چرخ رفت [LINK] #تهران"
    ),
    "Same at my stop & nobody cares, card 4000 1234 5678 9010": "Same at my stop & nobody cares, card [ACCOUNT]",
}


@pytest.fixture
def server(run_server: Callable[..., Any]) -> Snac2:
    running: Snac2 = run_server("snac2", lambda folder: snac2_server(folder, PEOPLE, [BOT]))
    return running


def target(server: Snac2, tag: str | None = None) -> str:
    lines = f'source = "mastodon"\nkind = "microblog"\ninstance = "{server.url}"'
    return lines + (f'\ntag = "{tag}"' if tag else "")


def write_many(server: Snac2, numbers: range) -> list[dict[str, Any]]:
    return [server.write(PEOPLE[n % len(PEOPLE)], f"Автобус {n} не пришёл #kazan") for n in numbers]


def uris(statuses: list[dict[str, Any]]) -> set[str]:
    return {status["uri"] for status in statuses}


def assert_unreadable(on_disk: bytes) -> None:
    for readable in (*PEOPLE, BOT, "555-12-34", "mail.example", "short.example"):
        assert readable.encode() not in on_disk, readable


def assert_equal(folder: Any, server: Snac2, bot: dict[str, Any]) -> None:
    """The database holds what the server shows, and nothing else."""
    posts = folder.posts()
    shown = {status["uri"]: status for status in server.timeline() if status["uri"] != bot["uri"]}
    assert set(posts) == set(shown)
    for uri, status in shown.items():
        post = posts[uri]
        assert post["text"] == redact(html_to_text(status["content"]))
        assert post["author"] == folder.secret.pseudonym("mastodon", status["account"]["acct"])
        assert post["created_at"] == status["created_at"].replace(".000Z", "Z")
        assert post["edited_at"] == (status["edited_at"].replace(".000Z", "Z") if status["edited_at"] else None)


def test_a_robots_txt_that_forbids_everything_is_obeyed(server: Snac2, folder: Any) -> None:
    write_many(server, range(3))
    closed = target(server).replace(server.url, server.own_url)
    (result,) = crawl(folder.read_from(closed))
    assert (result.parked, result.new, folder.posts()) == ("robots.txt forbids it", 0, {})


def test_the_database_equals_the_server_after_posts_edits_and_deletions(server: Snac2, folder: Any) -> None:
    first = [server.write(person, text) for text, person in zip(WRITTEN, (*PEOPLE, "mehrdad"), strict=True)]
    first.append(server.write("laylah", "Заняты все места", spoiler_text="Про парковки", in_reply_to_id=first[0]["id"]))
    first.append(server.write("mehrdad", "Спроси @zuleykha, она знает"))
    bot = server.write(BOT, "Погода: снег")
    hidden = server.write("mehrdad", "Только для своих", visibility="private")
    many = write_many(server, range(60))

    (result,) = crawl(folder.read_from(target(server)))

    assert (result.outcome, result.new, result.dropped) == ("finished", 66, {"bot account": 1})
    assert result.pages == 3, "66 statuses and a bot's, 40 a page, and one that is empty"
    posts = folder.posts()
    assert set(posts) == uris(first + many)
    assert hidden["uri"] not in posts
    for status, text in zip(first, WRITTEN.values(), strict=False):
        assert posts[status["uri"]]["text"] == text
    cw = posts[first[4]["uri"]]
    assert (cw["title"], cw["text"]) == ("Про парковки", "Заняты все места")
    port = server.front.host.partition(":")[2]  # the server writes the whole handle: @zuleykha@127.0.0.1:port
    assert posts[first[5]["uri"]]["text"] == f"Спроси [HANDLE]:{port}, она знает"
    assert_equal(folder, server, bot)
    assert len({post["author"] for post in posts.values()}) == len(PEOPLE)

    # The newest status read is where the next crawl begins: edit it, which on this server gives it another id.
    edited = {first[0]["uri"]: "Автобус 10 ходит чаще, спасибо #kazan", many[-1]["uri"]: "Автобус 59 пришёл #kazan"}
    assert server.edit(first[0], edited[first[0]["uri"]])["id"] != first[0]["id"]
    server.edit(many[-1], edited[many[-1]["uri"]])
    server.delete(many[30])
    newer = write_many(server, range(60, 110))
    server.delete(newer[10])
    server.front.asked.clear()

    (result,) = crawl(folder.study)

    assert (result.outcome, result.new, result.edited, result.deleted) == ("finished", 49, 2, 1)
    assert_equal(folder, server, bot)
    posts = folder.posts()
    assert {uri: posts[uri]["text"] for uri in edited} == edited
    before = {row["text"] for row in folder.rows("SELECT text FROM edit")}
    assert before == {"Автобус 10 опять опоздал, звоните [PHONE] #kazan", "Автобус 59 не пришёл #kazan"}
    assert ["since_id=" in path for path in server.front.asked if "/timelines/" in path] == [True] * 3
    singles = [path for path in server.front.asked if "/api/v1/statuses/" in path]
    addresses = [path for path in server.front.asked if "/p/" in path]
    assert (len(singles), len(addresses)) == (1, 66), "strangers may see single posts by their address only"

    # The tag's timeline shows the same as the posts' own addresses did.
    again, by_tag = crawl(folder.read_from(target(server), target(server, "kazan")))

    assert (again.new, again.edited, again.deleted) == (0, 0, 0)
    assert (by_tag.new, by_tag.edited, by_tag.parked) == (0, 0, None)
    assert_equal(folder, server, bot)
    counted = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited, SUM(deleted) AS deleted FROM crawl")
    assert counted == [{"new": 115, "edited": 2, "deleted": 1}]

    on_disk = folder.bytes_on_disk()
    assert_unreadable(on_disk)
    assert "не пришёл".encode() in on_disk


def test_hashtags_in_other_scripts_bring_nothing_and_harm_nothing(server: Snac2, folder: Any) -> None:
    server.write("mehrdad", "ترافیک امروز وحشتناک است #تهران #tehran")
    persian, latin = crawl(folder.read_from(target(server, "تهران"), target(server, "Tehran")))
    assert (persian.outcome, persian.new, persian.parked) == ("finished", 0, None)
    assert (latin.outcome, latin.new) == ("finished", 1)


def test_crawls_killed_at_random_moments_lose_nothing_and_store_nothing_twice(server: Snac2, folder: Any) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    written = write_many(server, range(400))
    study = folder.read_from(target(server))
    for pages in (0, 1, 1, 2, 1, *(chance.randint(0, 40) for _ in range(15))):
        crawl_killed(study, pages, chance)
        written += write_many(server, range(len(written), len(written) + chance.randint(1, 20)))
    assert_unreadable(folder.bytes_on_disk())
    cut_off = folder.rows("SELECT COUNT(*) AS n FROM crawl WHERE new > 0 AND ended_at IS NULL")

    (result,) = crawl(study)

    assert result.outcome == "finished"
    assert set(folder.posts()) == uris(written) == uris(server.timeline()), seed
    assert folder.rows("SELECT COUNT(*) AS n FROM post") == [{"n": len(written)}], seed
    counted = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited, SUM(deleted) AS deleted FROM crawl")
    assert counted == [{"new": len(written), "edited": 0, "deleted": 0}], seed
    assert cut_off[0]["n"] >= 2, (seed, "the kills came too late to prove anything")
