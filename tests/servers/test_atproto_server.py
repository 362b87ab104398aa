"""The Bluesky spider against a network of its own: a PDS, an AppView, real rate limits."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from atproto import Account, Atproto, Post, atproto_network, facet
from killing import crawl_killed

from crawlers.crawl import crawl

pytestmark = pytest.mark.servers

KEY = "CITYSTUDY_TEST_BLUESKY"
KILLS = 20
WRITTEN = {
    "Автобус 10 опять опоздал, звоните +7 843 555-12-34": ("ru", "Автобус 10 опять опоздал, звоните [PHONE]"),
    "ایستگاه مترو آسانسور ندارد و با چرخ نمی‌شود رفت": ("fa", "ایستگاه مترو آسانسور ندارد و با چرخ نمی‌شود رفت"),
    "زحمة خانقة على الجسر، راسلوني laylah@mail.example": ("ar", "زحمة خانقة على الجسر، راسلوني [EMAIL]"),
    "No bench at the stop 🚌, it isn't fair": ("en", "No bench at the stop 🚌, it isn't fair"),
}


@pytest.fixture
def network(run_server: Callable[..., Any]) -> Atproto:
    running: Atproto = run_server("atproto", atproto_network)
    return running


def author(network: Atproto, account: Account) -> str:
    return f'source = "bluesky"\nauthor = "{account.handle}"\nserver = "{network.appview}"'


def search(network: Atproto, words: str) -> str:
    return f'source = "bluesky"\nquery = "{words}"\nserver = "{network.appview}"\nlogin_server = "{network.pds}"'


def with_key(study: Any) -> Any:
    """Name the key of the tests in a study."""
    study.write_text(study.read_text().replace("[[cities]]", f'[credentials]\nbluesky = "env:{KEY}"\n\n[[cities]]', 1))
    return study


def write_all(network: Atproto, account: Account) -> dict[str, Post]:
    posts = {text: network.post(account, text, [lang]) for text, (lang, _) in WRITTEN.items()}
    network.wait()
    return posts


def test_the_database_equals_the_server_after_posts_replies_and_deletions(network: Atproto, folder: Any) -> None:
    zuleykha, mehrdad = network.account("zuleykhaxq"), network.account("mehrdadxq")
    posts = write_all(network, zuleykha)
    first, *_, last = posts.values()
    mention = "@mehrdadxq.test а у вас?"
    marked = facet(mention, "@mehrdadxq.test", "mention", did=mehrdad.did)
    question = network.post(zuleykha, mention, ["ru"], facets=[marked])
    answer = network.post(mehrdad, "همین طور است", ["fa"], reply_to=first)
    network.wait()
    study = folder.read_from(author(network, zuleykha))

    [result] = crawl(study)

    assert (result.outcome, result.parked) == ("finished", None)
    stored = folder.posts()
    assert set(stored) == {post.uri for post in (*posts.values(), question, answer)}
    for text, post in posts.items():
        lang, expected = WRITTEN[text]
        row = stored[post.uri]
        assert (row["text"], row["declared_lang"]) == (expected, lang)
        assert row["author"] == folder.secret.pseudonym("bluesky", zuleykha.did)
    assert stored[question.uri]["text"] == "[HANDLE] а у вас?"
    assert stored[answer.uri]["parent"] == stored[first.uri]["key"]
    assert stored[answer.uri]["thread"] == stored[first.uri]["key"]

    [again] = crawl(study)
    assert (again.new, again.edited, again.deleted, again.parked) == (0, 0, 0, None)

    network.delete(last)
    late = network.post(zuleykha, "Всё ещё жду", ["ru"])
    network.wait()
    folder.study.write_text(study.read_text())
    with_second_look(folder)
    [result] = crawl(study)

    assert (result.new, result.deleted, result.parked) == (1, 1, None)
    assert set(folder.posts()) == {post.uri for post in (*posts.values(), question, answer, late)} - {last.uri}
    on_disk = folder.bytes_on_disk()
    for readable in ("zuleykhaxq", "mehrdadxq", zuleykha.did, mehrdad.did, "at://", "555-12-34", "mail.example"):
        assert readable.encode() not in on_disk, readable


def with_second_look(folder: Any) -> None:
    """Let every stored post be due for a second look, as after a day and a half."""
    from citystudy.config import read_study
    from citystudy.store import Store

    with Store(read_study(folder.study).database_path) as store:
        store._db.execute("UPDATE post SET looked_at = NULL, fetched_at = '2026-01-01T00:00:00Z'")
        store._db.conn.commit()


def test_a_search_with_an_app_password_brings_what_names_the_city(
    network: Atproto, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = network.account("graceokoroxq")
    named = [network.post(account, f"Казань: автобус {n} не пришёл", ["ru"]) for n in range(3)]
    network.post(account, "Москва: всё хорошо", ["ru"])
    network.wait()
    monkeypatch.setenv(KEY, f"{account.handle}:{account.app_password}")
    study = with_key(folder.read_from(search(network, "Казань")))

    [result] = crawl(study)

    assert (result.parked, result.new) == (None, len(named))
    assert set(folder.posts()) == {post.uri for post in named}
    on_disk = folder.bytes_on_disk()
    assert account.app_password.encode() not in on_disk
    assert b"graceokoroxq" not in on_disk


def test_a_real_429_parks_the_target_and_the_crawl_goes_on(
    run_server: Callable[..., Any], folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network: Atproto = run_server("atproto", partial(atproto_network, limits=True))
    account = network.account("timurxq")
    network.post(account, "Казань ждёт автобус", ["ru"])
    network.wait()
    for _ in range(40):
        if network.log_in(account.handle, "wrong").status == 429:
            break
    monkeypatch.setenv(KEY, f"{account.handle}:{account.app_password}")
    study = folder.read_from(search(network, "Казань"), author(network, account))
    text = with_key(study).read_text().replace("delay_seconds = 0", "delay_seconds = 0\nretries = 0")
    study.write_text(text)

    searched, read = crawl(study)

    assert searched.parked is not None
    assert "429" in searched.parked
    assert (read.parked, read.new) == (None, 1)


def test_a_crawl_killed_at_twenty_moments_loses_nothing_and_stores_nothing_twice(network: Atproto, folder: Any) -> None:
    account = network.account("ravilxq")
    written = [network.post(account, f"Автобус {n} не пришёл", ["ru"]) for n in range(230)]
    network.wait()
    study = folder.read_from(author(network, account))
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for _ in range(KILLS):
        crawl_killed(study, chance.choice((0, 0, 1)), chance)

    [result] = crawl(study)

    assert (result.parked, result.outcome) == (None, "finished"), seed
    assert set(folder.posts()) == {post.uri for post in written}, seed
    [sums] = folder.rows("SELECT SUM(new) AS new, SUM(edited) AS edited, COUNT(*) AS n FROM crawl")
    assert (sums["new"], sums["edited"]) == (len(written), 0), seed
