from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from citystudy import store as store_module
from citystudy.config import Study, read_study
from citystudy.errors import ExitCode, SecretError, StoreError
from citystudy.privacy import Secret
from citystudy.store import Mention, Post, Reading, Saved, Statement, Store, Topic, evidence_id, now
from tests.citystudy.conftest import MINIMAL, TARGET, a_post

SCHEMA = 3

WRITE_BATCHES = """
import sys
from pathlib import Path
from citystudy.config import read_study
from citystudy.store import Store
from tests.citystudy.conftest import TARGET, a_post

study = read_study(Path(sys.argv[1]))
size = int(sys.argv[2])
with Store(study.database_path) as store:
    store.register(study)
    batch = store.cursor_of(TARGET).get("batch", 0)
    crawl = store.start_crawl(TARGET, TARGET)
    while True:
        posts = [a_post(f"{batch}-{n}", f"batch {batch} post {n} " + "word " * 40) for n in range(size)]
        batch += 1
        store.save_posts(crawl, posts, {"no text": 1}, target=TARGET, cursor={"batch": batch})
        print(batch, flush=True)
"""


def one(store: Store, sql: str, *values: object) -> dict[str, object]:
    return next(store.query(sql, values))


def found(store: Store, words: str) -> list[str]:
    """The keys of the posts that full-text search finds."""
    sql = "SELECT key FROM post JOIN post_fts ON post_fts.rowid = post.id WHERE post_fts MATCH ? ORDER BY key"
    return [row["key"] for row in store.query(sql, [words])]


def sound(path: Path) -> bool:
    """Whether the file is whole, no reference dangles, and the search index says what the posts say."""
    with closing(sqlite3.connect(path)) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        connection.execute("INSERT INTO post_fts (post_fts, rank) VALUES ('integrity-check', 1)")
        return whole and not dangling


def save(store: Store, *posts: Post) -> Saved:
    return store.save_posts(store.start_crawl("test"), posts)


def reading(store: Store, key: str, statements: Sequence[Statement] = (), mentions: Sequence[Mention] = ()) -> Reading:
    [post] = [post for post in store.unread_posts("p", 100) if post.key == key]
    return Reading(post, "en", coded=True, advert=False, statements=statements, mentions=mentions)


@contextmanager
def cap_on_pages(store: Store, more: int) -> Iterator[None]:
    """Let the database grow by so many pages and no further, as on a full disk."""
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + more}")
    yield
    store._db.execute("PRAGMA max_page_count = 4294967294")


class TestOpening:
    def test_an_empty_file_becomes_a_database_of_this_schema(self, tmp_path: Path) -> None:
        path = tmp_path / "study.db"
        path.touch()
        with Store(path) as store:
            assert store.count("post") == 0
            assert one(store, "PRAGMA user_version")["user_version"] == SCHEMA
            assert one(store, "PRAGMA journal_mode")["journal_mode"] == "wal"
            assert one(store, "PRAGMA foreign_keys")["foreign_keys"] == 1
        assert sound(path)

    def test_every_table_checks_its_types(self, store: Store) -> None:
        sql = "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
        loose = [row["name"] for row in store.query(sql) if not row["strict"]]
        assert loose == []

    def test_opening_again_changes_nothing(self, store: Store, study: Study) -> None:
        save(store, a_post("a"))
        with Store(study.database_path, create=False) as again:
            assert again.count("post") == 1

    def test_a_newer_schema_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "study.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE later (a)")
            connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        before = path.read_bytes()
        with pytest.raises(
            StoreError, match=rf"newer citystudy \(schema {SCHEMA + 1}, this one knows {SCHEMA}\); upgrade"
        ):
            Store(path)
        assert path.read_bytes() == before

    def test_a_database_of_something_else_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "study.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE recipe (name)")
        before = path.read_bytes()
        with pytest.raises(StoreError, match=r"study\.db: is a database of something else; name another"):
            Store(path)
        assert path.read_bytes() == before

    def test_a_migration_that_fails_leaves_nothing_of_itself(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "study.db"
        with monkeypatch.context() as patched:
            statements = ["CREATE TABLE study (id INTEGER)", "CREATE TABLE study (id INTEGER)"]
            patched.setattr(store_module, "_statements_of", lambda _: statements)
            with pytest.raises(StoreError, match="table study already exists"):
                Store(path)
        with Store(path) as store:
            assert store.count("study") == 0

    def test_two_processes_may_make_the_database_at_once(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from citystudy.store import Store; print('up', flush=True); "
            "sys.stdin.readline(); store = Store(Path(sys.argv[1])); print(store.count('post')); store.close()"
        )
        for attempt in range(3):
            command = [sys.executable, "-c", code, str(tmp_path / f"{attempt}.db")]
            children = [
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
            ]
            for child in children:
                assert child.stdout is not None
                assert child.stdout.readline() == "up\n"
            assert [child.communicate("\n", timeout=30)[0] for child in children] == ["0\n", "0\n"]

    def test_a_study_without_a_database_is_told_what_makes_one(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"none\.db: this study has no database yet; .*citystudy crawl"):
            Store(tmp_path / "none.db", create=False)
        assert not (tmp_path / "none.db").exists()

    @pytest.mark.parametrize("place", ["", "none/study.db"])
    def test_a_place_that_can_not_hold_a_database(self, tmp_path: Path, place: str) -> None:
        with pytest.raises(StoreError, match="can't be opened; check that its folder exists") as raised:
            Store(tmp_path / place)
        assert str(tmp_path / place) in str(raised.value)
        assert raised.value.exit_code == ExitCode.FAILED

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "study.db"
        path.write_text("these are my notes " * 100)
        with pytest.raises(StoreError, match=r"is not a SQLite database; name another in study\.database"):
            Store(path)
        assert path.read_text().startswith("these are my notes")

    def test_a_damaged_database_is_told_as_such(self, store: Store, study: Study, tmp_path: Path) -> None:
        save(store, *(a_post(f"{n}", "word " * 500) for n in range(100)))
        store.close()
        damaged = bytearray(study.database_path.read_bytes())
        for page in range(2 * 4096, len(damaged), 4096):
            damaged[page : page + 200] = b"\xff" * 200
        (tmp_path / "damaged.db").write_bytes(damaged)
        said = r"damaged\.db: the database is damaged; restore a copy"
        with pytest.raises(StoreError, match=said), Store(tmp_path / "damaged.db") as broken:
            list(broken.query("SELECT * FROM post"))

    def test_queries_can_not_write(self, store: Store) -> None:
        save(store, a_post("a"))
        for sql in (
            "DELETE FROM post",
            "UPDATE post SET text = ''",
            "DROP TABLE post",
            "INSERT INTO stage VALUES ('a', 'b')",
        ):
            with pytest.raises(ValueError, match="rows"):
                list(store.query(sql))
        assert store.count("post") == 1

    def test_a_wrong_query_names_the_file(self, store: Store, study: Study) -> None:
        with pytest.raises(StoreError, match=f"{study.database_path}: no such column: nonsense"):
            list(store.query("SELECT nonsense FROM post"))
        with pytest.raises(StoreError, match="no such table: nonsense"):
            store.count("nonsense")


class TestBinding:
    def test_the_first_secret_is_the_only_one(self, store: Store, study: Study) -> None:
        store.bind(Secret(b"the secret of the study"))
        store.bind(Secret(b"the secret of the study"))
        with pytest.raises(SecretError, match=r"was made with another secret .*restore the secret") as raised:
            store.bind(Secret(b"some other secret there is"))
        assert str(study.database_path) in str(raised.value)
        assert raised.value.exit_code == ExitCode.USAGE

    def test_the_secret_is_not_in_the_database(self, store: Store, study: Study) -> None:
        store.bind(Secret(b"the secret of the study"))
        store.close()
        assert b"the secret of the study" not in study.database_path.read_bytes()


class TestRegistering:
    def test_cities_and_targets_are_as_the_study_says(self, store: Store) -> None:
        assert list(store.query("SELECT id, name, country FROM city")) == [
            {"id": "amman", "name": "Amman", "country": "JO"}
        ]
        target = one(store, "SELECT id, city, source, kind, comparable, cursor FROM target")
        assert target == {
            "id": TARGET,
            "city": "amman",
            "source": "feed",
            "kind": "forum",
            "comparable": 1,
            "cursor": "{}",
        }

    def test_a_changed_study_changes_targets_and_keeps_their_cursors(
        self, store: Store, study: Study, tmp_path: Path
    ) -> None:
        store.save_posts(store.start_crawl(TARGET, TARGET), [], target=TARGET, cursor={"etag": "x"})
        path = tmp_path / "changed.toml"
        path.write_text(MINIMAL + 'comparable = false\nnote = "news only"\n')
        store.register(read_study(path))
        assert store.cursor_of(TARGET) == {"etag": "x"}
        assert one(store, "SELECT comparable, note FROM target") == {"comparable": 0, "note": "news only"}

    def test_a_study_without_targets(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "bare.toml"
        path.write_text(MINIMAL[: MINIMAL.index("[[cities.targets]]")].replace("Amman", "Irbid"))
        store.register(read_study(path))
        assert store.count("city") == 2
        assert store.cursor_of("nothing/feed/x") == {}


class TestSaving:
    def test_a_post_is_stored_whole(self, store: Store) -> None:
        post = a_post(
            "a",
            "نص",
            title="عنوان",
            author="f" * 32,
            thread="t",
            parent="p",
            created_at="2026-01-02T03:04:05Z",
            declared_lang="ar",
            counts={"likes": 3, "boosts": 1},
            latitude=31.9,
            longitude=35.9,
            city_basis="coordinates",
        )
        assert save(store, post) == Saved(new=1)
        row = one(store, "SELECT * FROM post")
        assert row.pop("id") == 1
        assert json.loads(str(row.pop("counts"))) == {"likes": 3, "boosts": 1}
        assert row.pop("content_hash") == post.content_hash
        assert row.pop("looked_at") is None
        assert row == {name: getattr(post, name) for name in row if name not in {"counts", "content_hash"}}

    def test_what_is_unknown_is_null(self, store: Store) -> None:
        save(store, a_post("a"))
        row = one(store, "SELECT author, created_at, declared_lang, counts, latitude, edited_at FROM post")
        assert set(row.values()) == {None}

    def test_new_edited_and_unchanged_are_told_apart(self, store: Store) -> None:
        assert save(store, a_post("a"), a_post("b")) == Saved(new=2)
        assert save(store, a_post("a"), a_post("b", "water is back"), a_post("c")) == Saved(1, 1, 1)
        assert one(store, "SELECT SUM(new) AS n, SUM(edited) AS e, SUM(unchanged) AS u FROM crawl") == {
            "n": 3,
            "e": 1,
            "u": 1,
        }

    def test_one_key_twice_in_a_batch_is_one_post_as_it_came_last(self, store: Store) -> None:
        assert save(store, a_post("a", "first"), a_post("a", "second")) == Saved(new=1, unchanged=1)
        assert one(store, "SELECT text FROM post")["text"] == "second"

    def test_batches_larger_than_a_chunk(self, store: Store) -> None:
        posts = [a_post(f"{n}") for n in range(1_300)]
        assert save(store, *posts) == Saved(new=1_300)
        assert save(store, *posts) == Saved(unchanged=1_300)
        assert store.known_keys(["0", "1299", "1300"]) == {"0", "1299"}

    def test_an_edit_keeps_what_was_said_before(self, store: Store) -> None:
        save(store, a_post("a", "no water", title="Help"))
        save(store, a_post("a", "water is back", title="Thanks", fetched_at="2026-02-01T00:00:00Z"))
        save(store, a_post("a", "gone again", title="Thanks", edited_at="2026-02-02T00:00:00Z"))
        edits = list(store.query("SELECT title, text, replaced_at FROM edit ORDER BY id"))
        assert [(edit["title"], edit["text"]) for edit in edits] == [("Help", "no water"), ("Thanks", "water is back")]
        assert edits[0]["replaced_at"] == "2026-02-01T00:00:00Z"
        row = one(store, "SELECT text, edited_at, content_hash FROM post")
        assert row["text"] == "gone again"
        assert row["edited_at"] == "2026-02-02T00:00:00Z"
        assert row["content_hash"] == a_post("a", "gone again", title="Thanks").content_hash

    def test_title_and_text_are_kept_apart_in_the_hash(self) -> None:
        assert a_post("a", "b c", title="a").content_hash != a_post("a", "c", title="a b").content_hash

    def test_what_was_left_out_is_counted_by_reason(self, store: Store) -> None:
        crawl = store.start_crawl("test")
        store.save_posts(crawl, [], {"no text": 2}, altered={"date unbelievable": 1})
        store.save_posts(crawl, [], {"no text": 3, "no id": 1}, altered={"date unbelievable": 1})
        assert {row["reason"]: row["n"] for row in store.query("SELECT * FROM dropped")} == {"no text": 5, "no id": 1}
        assert one(store, "SELECT reason, n FROM altered") == {"reason": "date unbelievable", "n": 2}

    def test_a_batch_that_fails_halfway_leaves_nothing(self, store: Store, study: Study) -> None:
        crawl = store.start_crawl(TARGET, TARGET)
        store.save_posts(crawl, [a_post("old", "as it was")], target=TARGET, cursor={"page": 1})
        good = [a_post("old", "edited"), *(a_post(f"{n}") for n in range(700))]
        bad = a_post("bad", city_basis="a guess")
        with pytest.raises(StoreError, match="CHECK constraint failed"):
            store.save_posts(crawl, [*good, bad], {"no id": 9}, target=TARGET, cursor={"page": 2})
        with pytest.raises(StoreError, match="FOREIGN KEY constraint failed"):
            store.save_posts(crawl, [*good, a_post("bad", city="atlantis")], target=TARGET, cursor={"page": 2})
        assert store.count("post") == 1
        assert one(store, "SELECT text FROM post")["text"] == "as it was"
        assert store.count("edit") == store.count("dropped") == 0
        assert store.cursor_of(TARGET) == {"page": 1}
        assert one(store, "SELECT new, edited FROM crawl WHERE id = ?", crawl) == {"new": 1, "edited": 0}
        assert store.save_posts(crawl, good, target=TARGET, cursor={"page": 2}) == Saved(new=700, edited=1)
        store.close()
        assert sound(study.database_path)

    def test_posts_are_not_stored_where_their_cursor_can_not_be(self, store: Store) -> None:
        store._db.execute(
            "CREATE TEMP TRIGGER stuck BEFORE UPDATE OF cursor ON target BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        )
        with pytest.raises(StoreError, match="stuck"):
            store.save_posts(store.start_crawl(TARGET, TARGET), [a_post("a")], {"x": 1}, target=TARGET, cursor={"n": 1})
        assert store.count("post") == store.count("dropped") == 0

    def test_no_target_means_no_cursor_moved(self, store: Store) -> None:
        store.save_posts(store.start_crawl("file.csv"), [a_post("a")])
        assert store.cursor_of(TARGET) == {}

    def test_a_crawl_records_its_end(self, store: Store) -> None:
        crawl = store.start_crawl(TARGET, TARGET)
        assert one(store, "SELECT ended_at, outcome FROM crawl") == {"ended_at": None, "outcome": None}
        store.end_crawl(crawl, "finished")
        row = one(store, "SELECT target, origin, started_at, ended_at, outcome FROM crawl")
        assert (row["target"], row["origin"], row["outcome"]) == (TARGET, TARGET, "finished")
        assert str(row["started_at"]) <= str(row["ended_at"]) <= now()

    def test_first_seen_is_of_one_crawl_and_not_kept(self, store: Store, study: Study) -> None:
        assert store.first_seen(1, ["a", "b", "a"]) == {"a", "b"}
        assert store.first_seen(1, ["b", "c"]) == {"c"}
        assert store.first_seen(2, ["a"]) == {"a"}
        store.close()
        with Store(study.database_path) as again:
            assert again.first_seen(1, ["a"]) == {"a"}


class TestSearch:
    def test_the_index_follows_inserts_edits_and_deletions(self, store: Store, study: Study) -> None:
        save(store, a_post("a", "broken pipe", title="Help"), a_post("b", "خط المياه مقطوع"))
        assert found(store, "pipe") == ["a"]
        assert found(store, "help") == ["a"]
        assert found(store, "المياه") == ["b"]
        save(store, a_post("a", "mended tap", title="Thanks"))
        assert found(store, "pipe") == found(store, "help") == []
        assert found(store, "mended") == ["a"]
        store.forget_posts_before("9999")
        assert found(store, "mended") == found(store, "المياه") == []
        store.close()
        assert sound(study.database_path)

    def test_the_index_is_rolled_back_with_its_batch(self, store: Store) -> None:
        save(store, a_post("a", "broken pipe"))
        with pytest.raises(StoreError):
            save(store, a_post("a", "mended tap"), a_post("b", "mended too", city_basis="a guess"))
        assert found(store, "mended") == []
        assert found(store, "pipe") == ["a"]


class TestRetention:
    def test_the_date_written_counts_or_else_the_date_gathered(self, store: Store) -> None:
        old, new = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"
        save(
            store,
            a_post("written long ago", created_at=old, fetched_at=new),
            a_post("written lately", created_at=new, fetched_at=new),
            a_post("undated, gathered long ago", fetched_at=old),
            a_post("undated, gathered lately", fetched_at=new),
            a_post("written just then", created_at="2026-03-01T00:00:00Z"),
        )
        assert store.forget_posts_before("2026-03-01T00:00:00Z") == 2
        keys = {row["key"] for row in store.query("SELECT key FROM post")}
        assert keys == {"written lately", "undated, gathered lately", "written just then"}

    def test_all_that_was_learnt_of_a_post_goes_with_it(self, store: Store, study: Study) -> None:
        save(store, a_post("a", "no water"), a_post("b", "no light"))
        save(store, a_post("a", "no water at all"))
        readings = [
            reading(store, key, [Statement("problem", "utilities", 0, 8, 0.9)], [Mention("district", "Abdoun", 0, 2)])
            for key in ("a", "b")
        ]
        store.save_readings(readings, "p")
        statements = [int(str(row["id"])) for row in store.query("SELECT id FROM statement ORDER BY id")]
        store.replace_echoes({1: 1, 2: 1}, "x")
        store.replace_topics([Topic("t", "problem", "en", "utilities", "water", ("water",), statements)], "x")
        assert store.forget_posts_before("9999") == 2
        for table in ("post", "edit", "reading", "statement", "mention", "echo", "statement_topic"):
            assert store.count(table) == 0, table
        store.close()
        assert sound(study.database_path)


class TestUnderstanding:
    def test_posts_are_unread_until_read_and_again_when_edited_or_the_pipeline_changes(self, store: Store) -> None:
        save(store, a_post("a"), a_post("b"), a_post("c"))
        assert [post.key for post in store.unread_posts("p", 2)] == ["a", "b"]
        store.save_readings([reading(store, "a"), reading(store, "b")], "p")
        assert [post.key for post in store.unread_posts("p", 9)] == ["c"]
        assert store.count_unread("p") == 1
        save(store, a_post("b", "edited"))
        assert [post.key for post in store.unread_posts("p", 9)] == ["b", "c"]
        assert store.count_unread("q") == 3

    def test_an_edit_seen_while_a_post_was_being_read_makes_it_unread(self, store: Store) -> None:
        save(store, a_post("a"))
        started = reading(store, "a")
        save(store, a_post("a", "edited"))
        store.save_readings([started], "p")
        assert [post.text for post in store.unread_posts("p", 9)] == ["edited"]

    def test_a_later_reading_takes_the_place_of_an_earlier(self, store: Store) -> None:
        save(store, a_post("a"))
        first = [Statement("problem", "utilities", 0, 8, 0.9), Statement("wish", "housing", 0, 8, 0.6)]
        store.save_readings([reading(store, "a", first, [Mention("brand", "Acme", 0, 4)])], "p")
        again = Reading(reading_post(store, "q"), None, coded=False, advert=True)
        store.save_readings([again], "q")
        assert store.count("statement") == store.count("mention") == 0
        assert one(store, "SELECT pipeline, lang, coded, advert FROM reading") == {
            "pipeline": "q",
            "lang": None,
            "coded": 0,
            "advert": 1,
        }

    def test_the_evidence_of_a_statement_has_the_same_id_after_every_reading(self, store: Store) -> None:
        save(store, a_post("a"))
        statement = Statement("problem", "utilities", 0, 8, 0.9)
        store.save_readings([reading(store, "a", [statement])], "p")
        before = one(store, "SELECT evidence FROM statement")
        store.save_readings(
            [Reading(reading_post(store, "q"), "en", coded=True, advert=False, statements=[statement])], "q"
        )
        assert (
            one(store, "SELECT evidence FROM statement")
            == before
            == {"evidence": evidence_id("a", "problem", "utilities")}
        )
        assert evidence_id("a", "problem", "utilities") != evidence_id("a", "wish", "utilities")

    @pytest.mark.parametrize(
        "wrong", [Statement("rumour", "utilities", 0, 8, 0.9), Statement("problem", "utilities", 8, 8, 0.9)]
    )
    def test_a_batch_of_readings_is_stored_whole_or_not_at_all(self, store: Store, wrong: Statement) -> None:
        save(store, a_post("a"), a_post("b"))
        good = reading(store, "a", [Statement("problem", "utilities", 0, 8, 0.9)])
        with pytest.raises(StoreError, match="CHECK constraint failed"):
            store.save_readings([good, reading(store, "b", [wrong])], "p")
        assert store.count("statement") == store.count("reading") == 0
        assert store.count_unread("p") == 2

    def test_whole_study_stages_remember_what_they_were_made_from(self, store: Store) -> None:
        save(store, a_post("a"), a_post("b"))
        assert store.stage_input("echoes") is None
        store.replace_echoes({1: 1, 2: 1}, "first")
        store.replace_echoes({2: 2}, "second")
        assert store.stage_input("echoes") == "second"
        assert list(store.query("SELECT * FROM echo")) == [{"post": 2, "head": 2}]

    def test_topics_are_replaced_as_a_whole(self, store: Store) -> None:
        save(store, a_post("a"))
        store.save_readings([reading(store, "a", [Statement("problem", "utilities", 0, 8, 0.9)])], "p")
        store.replace_topics([Topic("t1", "problem", "en", "utilities", "water", ("water", "tap"), [1])], "first")
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            store.replace_topics([Topic("t2", "problem", "en", "utilities", "x", ("x",), [99])], "second")
        assert store.stage_input("topics") == "first"
        assert one(store, "SELECT id, words FROM topic") == {"id": "t1", "words": '["water","tap"]'}
        assert one(store, "SELECT * FROM statement_topic") == {"statement": 1, "topic": "t1"}


def reading_post(store: Store, pipeline: str) -> store_module.UnreadPost:
    return store.unread_posts(pipeline, 1)[0]


class TestReports:
    def test_previous_is_the_last_report_with_another_id(self, store: Store) -> None:
        assert store.save_report("r1", None, []) is None
        assert store.save_report("r1", None, []) is None
        assert store.save_report("r2", "2026-01-01", [{"n": 5}]) == "r1"
        assert store.save_report("r2", "2026-01-01", [{"n": 5}]) == "r1"
        assert store.save_report("r3", None, []) == "r2"
        assert store.save_report("r1", None, []) is None, "the same input gives the same report"
        assert [row["number"] for row in store.query("SELECT number FROM report ORDER BY number")] == [1, 2, 3]


class TestTrouble:
    def test_a_full_disk_keeps_what_is_stored_and_goes_on_when_there_is_space(self, store: Store, study: Study) -> None:
        crawl = store.start_crawl(TARGET, TARGET)
        store.save_posts(crawl, [a_post("first")], target=TARGET, cursor={"page": 1})
        posts = [a_post(f"{n}", "word " * 400) for n in range(300)]
        with cap_on_pages(store, 20), pytest.raises(StoreError, match="the disk is full; free some space") as raised:
            store.save_posts(crawl, posts, {"no id": 1}, target=TARGET, cursor={"page": 2})
        assert str(study.database_path) in str(raised.value)
        assert store.count("post") == 1
        assert store.count("dropped") == 0
        assert store.cursor_of(TARGET) == {"page": 1}
        assert store.save_posts(crawl, posts, target=TARGET, cursor={"page": 2}) == Saved(new=300)
        store.close()
        assert sound(study.database_path)

    def test_a_file_that_may_not_grow_loses_nothing_that_was_stored(self, study: Study) -> None:
        limit = 2_000_000
        child = subprocess.run(
            [sys.executable, "-c", WRITE_BATCHES, str(study.folder / "study.toml"), "200"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "StoreError" in child.stderr
        assert str(study.database_path) in child.stderr
        told = int(child.stdout.splitlines()[-1])
        assert told > 1
        assert sound(study.database_path)
        with Store(study.database_path) as store:
            assert store.count("post") == 200 * told
            assert store.cursor_of(TARGET) == {"batch": told}

    def test_a_database_held_by_another_is_waited_for_then_told(
        self, study: Study, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "BUSY_TIMEOUT_MS", 50)
        with closing(sqlite3.connect(study.database_path)) as other, Store(study.database_path) as waiting:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another process holds the database; wait until it ends"):
                waiting.start_crawl("test")
            other.rollback()
            waiting.start_crawl("test")

    def test_a_read_only_database_says_so(self) -> None:
        # A folder outside pytest's own, which is closed to all other users: the child gives up root's powers.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "study.db"
            Store(path).close()
            path.chmod(0o444)
            Path(folder).chmod(0o555)
            told = self._as_nobody(path, "store = Store(path)\nstore.start_crawl('test')")
            Path(folder).chmod(0o755)
        assert told.startswith(f"StoreError {path}: the database ")
        assert "this user" in told

    def test_a_read_only_file_in_an_open_folder_says_so(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "study.db"
            Store(path).close()
            path.chmod(0o444)
            Path(folder).chmod(0o777)
            told = self._as_nobody(path, "store = Store(path)\nstore.start_crawl('test')")
        assert told == (
            f"StoreError {path}: the database is read-only; make the file and its folder writable for this user\n"
        )

    @staticmethod
    def _as_nobody(path: Path, code: str) -> str:
        """Run code as a user who may not write everywhere; return the error it ended with."""
        head = (
            "import os, sys\nfrom pathlib import Path\nfrom citystudy.store import Store\n"
            "Store(Path(':memory:')).close()\n"  # so that all is imported while it can be read
            "if os.geteuid() == 0:\n    os.setgid(65534); os.setuid(65534)\npath = Path(sys.argv[1])\ntry:\n"
        )
        body = "".join(f"    {line}\n" for line in code.splitlines())
        tail = "except Exception as error:\n    print(type(error).__name__, error)\n"
        return subprocess.run(
            [sys.executable, "-c", head + body + tail, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout


class TestKilling:
    @pytest.mark.parametrize("wait", [0.0, 0.05, 0.2])
    def test_a_killed_writer_leaves_whole_batches_and_the_next_run_goes_on(self, study: Study, wait: float) -> None:
        size, command = 400, [sys.executable, "-c", WRITE_BATCHES, str(study.folder / "study.toml"), "400"]
        told = 0
        for _ in range(2):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                told = int(writer.stdout.readline())
                time.sleep(wait)
                os.kill(writer.pid, signal.SIGKILL)
                rest = writer.stdout.read().split()
                writer.wait(10)
            told = max([told, *(int(word) for word in rest)])
            assert sound(study.database_path)
            with Store(study.database_path) as store:
                batches = int(store.cursor_of(TARGET)["batch"])
                assert batches in {told, told + 1}, "what was told to be stored is stored"
                assert store.count("post") == size * batches
                sums = one(store, "SELECT SUM(new) AS new, SUM(edited + unchanged) AS again FROM crawl")
                assert sums == {"new": size * batches, "again": 0}
                assert one(store, "SELECT SUM(n) AS n FROM dropped") == {"n": batches}
