"""What the store keeps for sources: tombstones, second looks, quotas, and older databases brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from citystudy.config import read_study
from citystudy.store import DELETED_BEFORE, Reading, Saved, Statement, Store
from tests.citystudy.conftest import MINIMAL, TARGET, a_post

LONG_AGO, NOW = "2026-01-01T00:00:00Z", "9999-01-01T00:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "study.toml").write_text(MINIMAL, encoding="utf-8")
    with Store(tmp_path / "study.db") as opened:
        opened.register(read_study(tmp_path / "study.toml"))
        yield opened


def keys(store: Store) -> list[str]:
    return [row["key"] for row in store.query("SELECT key FROM post ORDER BY key")]


def test_what_is_gone_leaves_a_tombstone_and_takes_its_evidence_with_it(store: Store) -> None:
    crawl = store.start_crawl("crawl", TARGET)
    store.save_posts(crawl, [a_post("a", "rusty pipes"), a_post("b")], target=TARGET, cursor={})
    read = [
        Reading(post, "en", coded=True, advert=False, statements=[Statement("problem", "utilities", 0, 4, 0.9)])
        for post in store.unread_posts("p", 10)
    ]
    store.save_readings(read, "p")
    saved = store.save_posts(crawl, [], gone=["a", "never stored"], target=TARGET, cursor={})
    assert saved == Saved(deleted=1)
    assert keys(store) == ["b"]
    assert [row["key"] for row in store.query("SELECT key FROM tombstone")] == ["a"]
    assert store.count("statement") == 1
    assert [row["deleted"] for row in store.query("SELECT deleted FROM crawl")] == [1]
    store.close()  # what was written ahead goes into the file
    assert b"rusty pipes" not in store.path.read_bytes()


def test_a_file_does_not_bring_back_what_its_source_deleted_but_the_source_does(store: Store) -> None:
    crawl = store.start_crawl("crawl", TARGET)
    store.save_posts(crawl, [a_post("a")], target=TARGET, cursor={})
    store.save_posts(crawl, [], gone=["a"], target=TARGET, cursor={})
    from_file = store.start_crawl("import old.jsonl")
    assert store.save_posts(from_file, [a_post("a"), a_post("b")]) == Saved(new=1, buried=1)
    assert keys(store) == ["b"]
    [left_out] = store.query("SELECT reason, n FROM dropped")
    assert left_out == {"reason": DELETED_BEFORE, "n": 1}
    assert store.save_posts(crawl, [a_post("a")], target=TARGET, cursor={}) == Saved(new=1)
    assert keys(store) == ["a", "b"]
    assert store.count("tombstone") == 0


def test_a_post_is_due_for_a_second_look_once_when_it_is_old_enough(store: Store) -> None:
    crawl = store.start_crawl("crawl", TARGET)
    posts = [a_post("young", fetched_at="2026-03-01T00:00:00Z"), a_post("old", fetched_at=LONG_AGO)]
    store.save_posts(crawl, posts, target=TARGET, cursor={})
    sealed = {post.key: post.sealed for post in posts}
    assert store.due_for_second_look(TARGET, "2026-02-01T00:00:00Z", 10) == [sealed["old"]]
    assert len(store.due_for_second_look(TARGET, NOW, 10)) == 2
    assert len(store.due_for_second_look(TARGET, NOW, 1)) == 1
    assert store.due_for_second_look("another", NOW, 10) == []
    store.save_posts(crawl, [], looked=["old"], target=TARGET, cursor={})
    assert store.due_for_second_look(TARGET, "2026-02-01T00:00:00Z", 10) == []


def test_what_may_be_kept_for_a_term_only_is_due_again_and_forgotten_after_it(store: Store) -> None:
    crawl = store.start_crawl("crawl", TARGET)
    posts = [a_post(key, sealed=key, fetched_at=LONG_AGO) for key in ("seen", "unseen")]
    store.save_posts(crawl, [*posts, a_post("young", sealed="young")], target=TARGET, cursor={})
    store.save_posts(crawl, [], looked=["seen"], target=TARGET, cursor={})
    assert store.due_for_second_look(TARGET, LONG_AGO, 10) == ["unseen"]
    assert store.due_for_second_look(TARGET, LONG_AGO, 10, again=NOW) == ["seen", "unseen"]
    assert store.forget_unseen(crawl, "another", NOW) == 0
    assert store.forget_unseen(crawl, TARGET, "2026-02-01T00:00:00Z") == 1
    assert keys(store) == ["seen", "young"]
    assert [row["deleted"] for row in store.query("SELECT deleted FROM crawl")] == [1]


def test_a_quota_is_kept_by_source_bucket_and_day(store: Store) -> None:
    assert store.spent("youtube", "units", "2026-11-28") == 0
    store.spend("youtube", "units", "2026-11-28", 100)
    store.spend("youtube", "units", "2026-11-28", 1)
    store.spend("youtube", "searches", "2026-11-28", 1)
    assert store.spent("youtube", "units", "2026-11-28") == 101
    assert store.spent("youtube", "units", "2026-11-29") == 0
    with Store(store.path) as again:
        assert again.spent("youtube", "searches", "2026-11-28") == 1


def test_a_database_of_the_first_schema_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    first = resources.files("citystudy.migrations").joinpath("0001_initial.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(first)
        connection.executescript(
            """
            INSERT INTO city VALUES ('amman', 'Amman', 'JO');
            INSERT INTO target VALUES ('t', 'amman', 'feed', 'forum', 'x', 1, '', '{}');
            INSERT INTO post (key, target, city, city_basis, sealed, fetched_at, title, text, content_hash)
                VALUES ('k', 't', 'amman', 'mention', 's', '2026-01-01T00:00:00Z', '', 'ماء', 'h');
            INSERT INTO edit (post, replaced_at, title, text) VALUES (1, '2026-01-02T00:00:00Z', '', 'before');
            PRAGMA user_version = 1;
            """
        )
    with Store(path) as store:
        [row] = store.query("SELECT key, city_basis, looked_at, text FROM post")
        assert row == {"key": "k", "city_basis": "mention", "looked_at": None, "text": "ماء"}
        assert store.count("edit") == 1, "what hangs on a post is kept"
        [found] = store.query("SELECT rowid FROM post_fts WHERE post_fts MATCH 'ماء'")
        assert found == {"rowid": 1}
        assert store.save_posts(store.start_crawl("x"), [a_post("c", target="t", city_basis="country")]).new == 1
