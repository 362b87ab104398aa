"""The feed spider against WordPress: articles as RSS, Atom and by REST, comments of the site and of one article."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from killing import crawl_killed
from wordpress import WordPress, wordpress_site

from crawlers.crawl import crawl

pytestmark = pytest.mark.servers

# Who writes an article, its title and text, and what of the text may be stored.
ARTICLES = [
    (
        "Зулейха Каримова",
        "Автобусы в «час пик»",
        "<p>Автобус 10 опоздал. Пишет Зулейха Каримова, тел. +7 843 555-12-34.</p>",
        "Автобус 10 опоздал. Пишет [HANDLE], тел. [PHONE].",
    ),
    (
        "مهرداد صالحی",
        "ایستگاه مترو",
        "<p>ایستگاه آسانسور ندارد.</p><p>نمی‌شود با چرخ رفت.</p><script>track()</script>",
        "ایستگاه آسانسور ندارد.\n\nنمی‌شود با چرخ رفت.",
    ),
    (
        "ليلى الحسن",
        "زحمة الجسر",
        "<p>زحمة خانقة على الجسر، راسلوني <a href='mailto:laylah@mail.example'>laylah@mail.example</a></p>",
        "زحمة خانقة على الجسر، راسلوني [EMAIL]",
    ),
    (
        "Grace Okoro",
        "No benches & no shade",
        "<p>Nowhere to sit on Mill Road, it isn't fair. See https://short.example/x1</p>",
        "Nowhere to sit on Mill Road, it isn’t fair. See [LINK]",
    ),
]
COMMENTERS = ("Gulnara Safina", "بهرام کیانی", "Ravil Timerkhan")
READABLE = [
    *(name for person in (*(article[0] for article in ARTICLES), *COMMENTERS) for name in person.split()),
    *("555-12-34", "mail.example", "short.example", "#comment-", "mill-road"),
]


@pytest.fixture
def site(run_server: Callable[..., Any]) -> WordPress:
    running: WordPress = run_server("WordPress", wordpress_site)
    return running


def target(site: WordPress, path: str, kind: str = "news") -> str:
    return f'source = "feed"\nkind = "{kind}"\nurl = "{site.url}{path}"'


def assert_unreadable(on_disk: bytes) -> None:
    for readable in READABLE:
        assert readable.encode() not in on_disk, readable


def a_second_later() -> None:
    """Wait until what is written next bears another time: WordPress' ETag is made of the last one, in whole seconds."""
    time.sleep(1.1)


def test_the_database_equals_the_server_after_posts_edits_and_deletions(site: WordPress, folder: Any) -> None:
    people = [site.person(f"person{n}", article[0]) for n, article in enumerate(ARTICLES)]
    articles = [site.article(person, title, text) for person, (_, title, text, _) in zip(people, ARTICLES, strict=True)]
    bench = articles[3]
    question = site.comment(bench, COMMENTERS[0], "Где можно присесть? Спросите @ravil_t")
    answer = site.comment(bench, COMMENTERS[1], "<p>هیچ جا <b>نیست</b></p>", question["id"])
    other = site.comment(articles[0], COMMENTERS[2], "Нужен автобус чаще")
    expected = {article["link"]: stored for article, (_, _, _, stored) in zip(articles, ARTICLES, strict=True)}
    expected[question["link"]] = "Где можно присесть? Спросите [HANDLE]"
    expected[answer["link"]] = "هیچ جا نیست"
    expected[other["link"]] = "Нужен автобус чаще"
    own = bench["link"].removeprefix(site.url) + "feed/"
    study = folder.read_from(
        target(site, "/feed/"),
        target(site, "/feed/atom/"),
        target(site, "/comments/feed/", "news_comments"),
        target(site, own, "news_comments"),
    )
    a_second_later()

    rss, atom, comments, of_one = crawl(study)

    assert (rss.new, atom.new, comments.new, of_one.new) == (4, 0, 3, 0)
    assert (rss.edited, atom.edited, comments.edited, of_one.edited) == (0, 0, 0, 0)
    assert (atom.unchanged, of_one.unchanged) == (4, 2), "the same article in RSS and in Atom is one post"
    posts = folder.posts()
    assert {native_id: post["text"] for native_id, post in posts.items()} == expected
    assert [posts[article["link"]]["title"] for article in articles] == [title for _, title, _, _ in ARTICLES]
    assert {posts[comment["link"]]["title"] for comment in (question, answer, other)} == {""}
    for article, (name, _, _, _) in zip(articles, ARTICLES, strict=True):
        assert posts[article["link"]]["author"] == folder.secret.pseudonym("feed", f"{name} {site.host}")
        assert posts[article["link"]]["created_at"] == article["date_gmt"] + "Z"
    assert posts[answer["link"]]["parent"] == posts[question["link"]]["key"]
    assert posts[answer["link"]]["thread"] == posts[question["link"]]["thread"] == posts[bench["link"]]["key"]

    results = crawl(study)

    assert [(result.outcome, result.new, result.edited, result.unchanged) for result in results] == [
        ("finished", 0, 0, 0)
    ] * 4
    for path in ("/feed/", "/feed/atom/", "/comments/feed/", own):
        assert site.answered(path) == {200: 1, 304: 1}, path

    site.edit("posts", articles[0], content="<p>Автобус 10 теперь ходит чаще.</p>")
    expected[articles[0]["link"]] = "Автобус 10 теперь ходит чаще."
    late = site.article(people[1], "پارک", "<p>پارک چراغ ندارد</p>")
    expected[late["link"]] = "پارک چراغ ندارد"
    site.delete("posts", articles[2])
    site.edit("comments", question, content="Где можно присесть с коляской?")
    expected[question["link"]] = "Где можно присесть с коляской?"
    reply = site.comment(late, COMMENTERS[0], "Да, там темно", 0)
    expected[reply["link"]] = "Да, там темно"
    site.delete("comments", other)
    a_second_later()

    rss, atom, comments, of_one = crawl(study)

    assert (rss.new, rss.edited, rss.unchanged) == (1, 1, 2)
    assert (atom.new, atom.edited, atom.unchanged) == (0, 0, 4)
    assert (comments.new, comments.edited, comments.unchanged) == (1, 1, 1)
    assert (of_one.new, of_one.edited) == (0, 0)
    # A feed does not tell what was deleted from what is too old for it: such posts stay.
    posts = folder.posts()
    assert {native_id: post["text"] for native_id, post in posts.items()} == expected
    assert {row["text"] for row in folder.rows("SELECT text FROM edit")} == {
        "Автобус 10 опоздал. Пишет [HANDLE], тел. [PHONE].",
        "Где можно присесть? Спросите [HANDLE]",
    }
    assert folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited FROM crawl") == [{"new": 9, "edited": 2}]
    assert_unreadable(folder.bytes_on_disk())


def key(site: WordPress, shown: dict[str, Any]) -> str:
    """Return the native id of an article or comment that REST shows."""
    return f"{site.url}/?p={shown['post']}#comment-{shown['id']}" if "post" in shown else f"{site.url}/?p={shown['id']}"


def test_through_rest_the_database_ends_equal_to_the_server(site: WordPress, folder: Any) -> None:
    site.clock("Asia/Tehran")
    people = [site.person(f"person{n}", article[0]) for n, article in enumerate(ARTICLES)]
    # As the editor does it: the article is there before it is published.
    articles = [
        site.edit("posts", site.article(person, title, text, status="draft"), status="publish")
        for person, (_, title, text, _) in zip(people, ARTICLES, strict=True)
    ]
    bench = articles[3]
    question = site.comment(bench, COMMENTERS[0], "Где можно присесть? Спросите @ravil_t")
    answer = site.comment(bench, COMMENTERS[1], "<p>هیچ جا <b>نیست</b></p>", question["id"])
    written = [site.comment(articles[n % 4], COMMENTERS[n % 3], f"بلا شك {n}") for n in range(130)]

    expected = {key(site, article): stored for article, (_, _, _, stored) in zip(articles, ARTICLES, strict=True)}
    expected |= {key(site, comment): f"بلا شك {n}" for n, comment in enumerate(written)}
    expected |= {key(site, question): "Где можно присесть? Спросите [HANDLE]", key(site, answer): "هیچ جا نیست"}
    collections = (
        target(site, "/wp-json/wp/v2/posts"),
        target(site, "/wp-json/wp/v2/comments", "news_comments"),
        target(site, f"/?rest_route=/wp/v2/comments&post={bench['id']}", "news_comments"),
    )
    feeds = (target(site, "/feed/"), target(site, "/comments/feed/", "news_comments"))

    of_site, comments, of_one, *of_feeds = crawl(folder.read_from(*collections, *feeds))

    assert (of_site.new, of_site.parked) == (4, None)
    assert (comments.new, of_one.new, of_one.edited) == (132, 0, 0)
    assert [(feed.new, feed.edited, feed.unchanged) for feed in of_feeds] == [(0, 0, 4), (0, 0, 100)]
    posts = folder.posts()
    assert {native_id: post["text"] for native_id, post in posts.items()} == expected
    assert [posts[key(site, article)]["title"] for article in articles] == [title for _, title, _, _ in ARTICLES]
    for article, person in zip(articles, people, strict=True):
        post = posts[key(site, article)]
        assert post["author"] == folder.secret.pseudonym("feed", f"{site.host} {person}")
        assert post["created_at"] == article["date_gmt"] + "Z" != article["date"] + "Z"
    assert posts[key(site, question)]["author"] == folder.secret.pseudonym("feed", f"{COMMENTERS[0]} {site.host}")
    assert posts[key(site, answer)]["parent"] == posts[key(site, question)]["key"]
    assert posts[key(site, answer)]["thread"] == posts[key(site, question)]["thread"] == posts[key(site, bench)]["key"]

    site.article(people[0], "Пароль", "<p>Только для своих</p>", password="sesame")
    site.edit("posts", articles[0], content="<p>Автобус 10 теперь ходит чаще.</p>")
    expected[key(site, articles[0])] = "Автобус 10 теперь ходит чаще."
    late = site.article(people[1], "پارک", "<p>پارک چراغ ندارد</p>")
    dated_back = site.article(people[2], "قبل", "<p>لا مواقف هنا</p>", status="draft")
    site.edit("posts", dated_back, status="publish", date="2020-01-01T00:00:00")
    expected |= {key(site, late): "پارک چراغ ندارد", key(site, dated_back): "لا مواقف هنا"}
    site.delete("posts", articles[2])
    site.edit("comments", question, content="Где можно присесть с коляской?")
    expected[key(site, question)] = "Где можно присесть с коляской?"
    reply = site.comment(late, COMMENTERS[0], "Да, там темно")
    expected[key(site, reply)] = "Да, там темно"
    site.delete("comments", written[1])
    site.edit("comments", written[7], status="hold")
    gone = [articles[2], *(comment for comment in written if comment["post"] == articles[2]["id"])]
    for shown in (*gone, written[1], written[7]):
        expected.pop(key(site, shown), None)

    study = folder.read_from(*collections)

    of_site, comments, _ = crawl(study)

    assert (of_site.new, of_site.edited, of_site.deleted) == (2, 1, 1)
    assert of_site.dropped == {"protected by a password": 2}, "by date and by change"
    assert (comments.new, comments.edited) == (1, 1)
    assert {native_id: post["text"] for native_id, post in folder.posts().items()} == expected
    assert_unreadable(folder.bytes_on_disk())

    again = crawl(study)

    assert [(result.new, result.edited, result.deleted, result.parked) for result in again] == [(0, 0, 0, None)] * 3


def test_crawls_killed_at_random_moments_lose_nothing_and_store_nothing_twice(site: WordPress, folder: Any) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    people = [site.person(f"person{n}", article[0]) for n, article in enumerate(ARTICLES)]
    articles = [site.article(people[n % 4], f"Street {n}", f"<p>Улица {n} не убрана</p>") for n in range(8)]
    written = {article["link"]: f"Улица {n} не убрана" for n, article in enumerate(articles)}
    for n in range(40):
        shown = site.comment(articles[n % 8], COMMENTERS[n % 3], f"Согласен {n}")
        written[shown["link"]] = f"Согласен {n}"
    # None of the feeds holds what another holds, and none changes: a page whose posts were lost would stay lost.
    feeds = [target(site, f"/street-{n}/feed/", "news_comments") for n in range(8)]
    study = folder.read_from(*feeds, target(site, "/feed/"))
    a_second_later()
    for pages in (0, 1, 2, 3, 4, 6):
        crawl_killed(study, pages, chance)
        assert_unreadable(folder.bytes_on_disk())

    assert {result.outcome for result in crawl(study)} == {"finished"}

    posts = folder.posts()
    assert {native_id: post["text"] for native_id, post in posts.items()} == written, seed
    assert folder.rows("SELECT COUNT(*) AS n FROM post") == [{"n": len(written)}], seed
    counted = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited FROM crawl")
    assert counted == [{"new": len(written), "edited": 0}], seed
    cut_off = folder.rows("SELECT COUNT(*) AS n FROM crawl WHERE ended_at IS NULL")
    assert cut_off[0]["n"] >= 2, (seed, "the kills came too late to prove anything")
