"""The study's database: one SQLite file, and the only place that writes to it.

Written with sqlite-utils in WAL mode with foreign keys on. Each public method that writes is one transaction, so a
process killed at any moment leaves whole batches behind and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlite_utils import Database

from citystudy.errors import SecretError, StoreError

if TYPE_CHECKING:
    from citystudy.config import Study
    from citystudy.privacy import Secret

BUSY_TIMEOUT_MS = 30_000
LOOKUP_CHUNK = 500
DELETED_BEFORE = "deleted at the source before"

CityBasis = Literal["target", "coordinates", "mention", "country"]


@dataclass(frozen=True, slots=True)
class Post:
    """One public post, already pseudonymised and redacted. Times are UTC, ISO 8601 with Z; unknown is None."""

    key: str
    target: str
    city: str
    title: str
    text: str
    sealed: str
    fetched_at: str
    city_basis: CityBasis = "target"
    author: str | None = None
    thread: str | None = None
    parent: str | None = None
    created_at: str | None = None
    edited_at: str | None = None
    declared_lang: str | None = None
    counts: Mapping[str, int] | None = None
    latitude: float | None = None
    longitude: float | None = None

    @property
    def content_hash(self) -> str:
        """Return a digest of what the post says; it changes when, and only when, the post was edited."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Saved:
    """How many posts of a batch were new, edited since they were stored, or already known as they are.

    `deleted` counts stored posts that their source no longer has, `buried` those left out because it deleted them before.
    """

    new: int = 0
    edited: int = 0
    unchanged: int = 0
    deleted: int = 0
    buried: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """What a target gave until now: posts stored, whether its last finished crawl saw any, and what they were like.

    `per_day` counts posts written a day in the four weeks before the last crawl, `days` those passed since; `filled`
    is the share of the latest posts that have a field.
    """

    posts: int = 0
    showed: bool = False
    per_day: float = 0.0
    days: float = 0.0
    filled: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnreadPost:
    """A post that the pipeline has not read in its present form."""

    id: int
    key: str
    city: str
    title: str
    text: str
    declared_lang: str | None
    content_hash: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One coded clause; start and end count code points of the post's full text.

    `severity` is 1 (nuisance) to 3 (danger), None of what is no problem; `intensity` 1 (plain) to 3.
    """

    kind: str
    theme: str
    start: int
    end: int
    score: float
    severity: int | None = None
    intensity: int = 1


@dataclass(frozen=True, slots=True)
class Mention:
    """A segment, brand or district named in a post."""

    sort: Literal["segment", "brand", "district"]
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What the pipeline found in one post."""

    post: UnreadPost
    lang: str | None
    coded: bool
    advert: bool
    statements: Sequence[Statement] = ()
    mentions: Sequence[Mention] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of statements of one kind and language within a theme, and the statements in it."""

    id: str
    kind: str
    lang: str
    theme: str
    label: str
    words: Sequence[str]
    statements: Sequence[int] = field(default=(), repr=False)


def now() -> str:
    """Return the present time as the database writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def evidence_id(post_key: str, kind: str, theme: str) -> str:
    """Return the id by which a statement is cited; the same after every re-run over the same post."""
    return "e" + hashlib.sha256(f"{post_key}\0{kind}\0{theme}".encode()).hexdigest()[:11]


class Store:
    """A study's database."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open the database, bringing an older one up to date; raises StoreError with the mend."""
        self.path = path
        if not create and not path.exists():
            raise StoreError(f"{path}: this study has no database yet; gather posts first with: citystudy crawl")
        with self._explained():
            connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
            self._db = Database(connection)
            try:
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("PRAGMA secure_delete = ON")  # what is forgotten leaves no bytes in free pages
                self._migrate()
            except BaseException:
                connection.close()
                raise

    def __enter__(self) -> Self:
        """Return the open store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Close the database file."""
        self._db.close()

    # Reading

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[dict[str, Any]]:
        """Yield the rows of a read-only query as dicts."""
        with self._explained():
            yield from self._db.query(sql, dict(parameters) if isinstance(parameters, Mapping) else list(parameters))

    def count(self, table: str) -> int:
        """Return the number of rows in a table."""
        with self._explained():
            return int(self._db.table(table).count)

    # The study

    def bind(self, secret: Secret) -> None:
        """Tie a new database to the study's secret; refuse any other secret later."""
        known = next(self.query("SELECT secret_fingerprint AS f FROM study"), None)
        if known is None:
            with self._transaction():
                self._db.table("study").insert({"id": 1, "secret_fingerprint": secret.fingerprint})
        elif known["f"] != secret.fingerprint:
            raise SecretError(
                f"{self.path}: was made with another secret (fingerprint {known['f']}, found {secret.fingerprint}); "
                "restore the secret this study was made with, or start a new database"
            )

    def register(self, study: Study) -> None:
        """Record the study's cities and targets; what was known of a target's progress stays."""
        with self._transaction():
            self._db.table("city").upsert_all(
                ({"id": city.id, "name": city.name, "country": city.country} for city in study.cities), pk="id"
            )
            self._db.table("target").upsert_all(
                (
                    {
                        "id": city.target_id(target),
                        "city": city.id,
                        "source": target.post_source,
                        "kind": target.kind,
                        "name": target.name,
                        "comparable": int(target.comparable),
                        "note": target.note,
                    }
                    for city, target in study.targets()
                ),
                pk="id",
            )

    # Gathering

    def cursor_of(self, target: str) -> dict[str, Any]:
        """Return where the last crawl of a target left off; empty when it has not been crawled."""
        row = next(self.query("SELECT cursor FROM target WHERE id = ?", [target]), None)
        return json.loads(row["cursor"]) if row else {}

    def start_crawl(self, origin: str, target: str | None = None) -> int:
        """Record that gathering starts and return the crawl's id."""
        with self._transaction():
            row = {"target": target, "origin": origin, "started_at": now()}
            return int(self._db.table("crawl").insert(row, pk="id").last_pk)  # type: ignore[arg-type]

    def save_posts(
        self,
        crawl: int,
        posts: Sequence[Post],
        dropped: Mapping[str, int] | None = None,
        *,
        altered: Mapping[str, int] | None = None,
        gone: Sequence[str] = (),
        looked: Sequence[str] = (),
        target: str | None = None,
        cursor: Mapping[str, Any] | None = None,
    ) -> Saved:
        """Store a batch, count what was left out or altered, and move the target's cursor: all of it or nothing.

        `gone` are keys of posts that their source deleted: each leaves a tombstone, and what was found in it goes with
        it. A post that its own target shows again has been restored; one that a file still holds stays out. `looked`
        are keys of posts that were looked at a second time.
        """
        unique = {post.key: post for post in posts}
        dropped = Counter(dropped or {})
        with self._transaction():
            buried = self._raise_or_leave_out(list(unique), restored=target is not None)
            for key in buried:
                del unique[key]
                dropped[DELETED_BEFORE] += 1
            known = self._known(list(unique))
            new = [post for key, post in unique.items() if key not in known]
            edited = [
                post for key, post in unique.items() if key in known and known[key]["content_hash"] != post.content_hash
            ]
            self._db.table("post").insert_all((_post_row(post) for post in new), batch_size=LOOKUP_CHUNK)
            if edited:
                self._replace_edited(edited, known)
            unchanged = len(posts) - len(new) - len(edited) - len(buried)
            saved = Saved(
                len(new), len(edited), unchanged, self._bury(gone, looked) if gone or looked else 0, len(buried)
            )
            self._db.execute(
                "UPDATE crawl SET new = new + ?, edited = edited + ?, unchanged = unchanged + ?, deleted = deleted + ? "
                "WHERE id = ?",
                [saved.new, saved.edited, saved.unchanged, saved.deleted, crawl],
            )
            for table, counts in (("dropped", dropped), ("altered", altered)):
                for reason, n in (counts or {}).items():
                    self._db.execute(
                        f"INSERT INTO {table} (crawl, reason, n) VALUES (?, ?, ?) "
                        "ON CONFLICT (crawl, reason) DO UPDATE SET n = n + excluded.n",
                        [crawl, reason, n],
                    )
            if target is not None and cursor is not None:
                self._db.execute("UPDATE target SET cursor = ? WHERE id = ?", [_json(cursor), target])
        return saved

    def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Return those of `keys` that posts are stored under."""
        return set(self._known(list(keys)))

    def history_of(self, target: str, fields: Sequence[str]) -> History:
        """Return what a target gave until now; `fields` are the columns of posts whose shares are asked for."""
        posts = int(next(self.query("SELECT COUNT(*) AS n FROM post WHERE target = ?", [target]))["n"])
        last = next(self.query(_LAST_CRAWL, [target]), None)
        if last is None:
            return History(posts)
        written = next(self.query(_WRITTEN_BEFORE, {"target": target, "moment": last["started_at"], "days": RATE_DAYS}))
        shares = ", ".join(f"AVG(COALESCE({name}, '') <> '') AS {name}" for name in fields)
        latest = f"(SELECT * FROM post WHERE target = ? ORDER BY id DESC LIMIT {LATEST_POSTS})"
        filled = next(self.query(f"SELECT {shares} FROM {latest}", [target]))
        return History(
            posts,
            showed=bool(last["showed"]),
            per_day=written["n"] / RATE_DAYS,
            days=last["days"],
            filled={name: share for name, share in filled.items() if share is not None},
        )

    def due_for_second_look(self, target: str, before: str, limit: int, *, again: str | None = None) -> list[str]:
        """Return the sealed ids of at most `limit` posts, oldest first, that are due for another look.

        Due is what was gathered until `before` and not looked at since; with `again`, also what was last looked at by
        then.
        """
        sql = (
            "SELECT sealed FROM post WHERE target = ? AND "
            "(looked_at IS NULL AND fetched_at <= ? OR looked_at <= ?) ORDER BY id LIMIT ?"
        )
        return [row["sealed"] for row in self.query(sql, [target, before, again or "", limit])]

    def forget_unseen(self, crawl: int, target: str, before: str) -> int:
        """Delete a target's posts that were not seen at their source since `before`; return how many."""
        with self._transaction():
            sql = "DELETE FROM post WHERE target = ? AND COALESCE(looked_at, fetched_at) < ?"
            forgotten = self._db.execute(sql, [target, before]).rowcount
            self._db.execute("UPDATE crawl SET deleted = deleted + ? WHERE id = ?", [forgotten, crawl])
        return int(forgotten)

    def spend(self, source: str, bucket: str, day: str, units: int) -> None:
        """Add to what a source's daily quota has been spent on; stored at once, so that no kill forgets it."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO quota (source, bucket, day, spent) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (source, bucket, day) DO UPDATE SET spent = spent + excluded.spent",
                [source, bucket, day, units],
            )

    def spent(self, source: str, bucket: str, day: str) -> int:
        """Return how many units of a source's quota a day has cost so far."""
        sql = "SELECT spent FROM quota WHERE source = ? AND bucket = ? AND day = ?"
        row = next(self.query(sql, [source, bucket, day]), None)
        return int(row["spent"]) if row else 0

    def first_seen(self, crawl: int, keys: Sequence[str]) -> set[str]:
        """Return those of `keys` that this crawl has not shown before; kept on disk, until the store is closed."""
        with self._transaction():
            self._db.execute(
                "CREATE TEMP TABLE IF NOT EXISTS seen (crawl, key, PRIMARY KEY (crawl, key)) WITHOUT ROWID"
            )
            return {
                key
                for key in keys
                if self._db.execute("INSERT OR IGNORE INTO temp.seen VALUES (?, ?)", [crawl, key]).rowcount
            }

    def end_crawl(self, crawl: int, outcome: str) -> None:
        """Record that gathering ended and how ('finished', or why not)."""
        with self._transaction():
            self._db.table("crawl").update(crawl, {"ended_at": now(), "outcome": outcome})

    def forget_posts_before(self, moment: str) -> int:
        """Delete posts written before `moment` (or gathered before it, where undated); return how many."""
        with self._transaction():
            cursor = self._db.execute("DELETE FROM post WHERE COALESCE(created_at, fetched_at) < ?", [moment])
            return int(cursor.rowcount)

    # Understanding

    def unread_posts(self, pipeline: str, limit: int) -> list[UnreadPost]:
        """Return at most `limit` of the posts that are new or changed since `pipeline` last read them, oldest first."""
        sql = f"SELECT p.id, p.key, p.city, p.title, p.text, p.declared_lang, p.content_hash {_UNREAD} ORDER BY p.id LIMIT ?"
        return [UnreadPost(**row) for row in self.query(sql, [pipeline, limit])]

    def count_unread(self, pipeline: str) -> int:
        """Return how many posts are new or changed since `pipeline` last read them."""
        return int(next(self.query(f"SELECT COUNT(*) AS n {_UNREAD}", [pipeline]))["n"])

    def save_readings(self, readings: Sequence[Reading], pipeline: str) -> None:
        """Store what was found in a batch of posts, in place of what an earlier reading found."""
        with self._transaction():
            for chunk in chunks([reading.post.id for reading in readings]):
                marks = ", ".join("?" * len(chunk))
                self._db.execute(f"DELETE FROM statement WHERE post IN ({marks})", chunk)
                self._db.execute(f"DELETE FROM mention WHERE post IN ({marks})", chunk)
            self._db.table("reading").upsert_all(
                (
                    {
                        "post": reading.post.id,
                        "pipeline": pipeline,
                        "content_hash": reading.post.content_hash,
                        "lang": reading.lang,
                        "coded": int(reading.coded),
                        "advert": int(reading.advert),
                    }
                    for reading in readings
                ),
                pk="post",
            )
            self._db.table("statement").insert_all(
                {
                    "evidence": evidence_id(reading.post.key, statement.kind, statement.theme),
                    "post": reading.post.id,
                    **asdict(statement),
                }
                for reading in readings
                for statement in reading.statements
            )
            self._db.table("mention").insert_all(
                {"post": reading.post.id, **asdict(mention)} for reading in readings for mention in reading.mentions
            )

    def stage_input(self, stage: str) -> str | None:
        """Return what a whole-study stage was last made from, or None where it never was."""
        row = next(self.query("SELECT input FROM stage WHERE name = ?", [stage]), None)
        return row["input"] if row else None

    def replace_echoes(self, heads: Mapping[int, int], made_from: str) -> None:
        """Store which posts repeat another's text (post id → id of the group's first), in place of the last result."""
        with self._transaction():
            self._db.table("stage").upsert({"name": "echoes", "input": made_from}, pk="name")
            self._db.execute("DELETE FROM echo")
            self._db.table("echo").insert_all({"post": post, "head": head} for post, head in sorted(heads.items()))

    def replace_topics(self, topics: Iterable[Topic], made_from: str) -> None:
        """Store the study's topics and their statements, in place of the last ones."""
        with self._transaction():
            self._db.table("stage").upsert({"name": "topics", "input": made_from}, pk="name")
            self._db.execute("DELETE FROM statement_topic")
            self._db.execute("DELETE FROM topic")
            for topic in topics:
                self._db.table("topic").insert(
                    {
                        "id": topic.id,
                        "kind": topic.kind,
                        "lang": topic.lang,
                        "theme": topic.theme,
                        "label": topic.label,
                        "words": _json(list(topic.words)),
                    }
                )
                self._db.table("statement_topic").insert_all(
                    {"statement": statement, "topic": topic.id} for statement in topic.statements
                )

    # Reporting

    def save_report(self, report_id: str, as_of: str | None, findings: Sequence[Mapping[str, Any]]) -> str | None:
        """Store a report's findings unless they are stored; return the id of the last report with another id."""
        with self._transaction():
            row = next(self.query("SELECT previous FROM report WHERE id = ?", [report_id]), None)
            if row is not None:
                return row["previous"]  # type: ignore[no-any-return]
            last = next(self.query("SELECT id, number FROM report ORDER BY number DESC LIMIT 1"), None)
            self._db.table("report").insert(
                {
                    "id": report_id,
                    "number": last["number"] + 1 if last else 1,
                    "as_of": as_of,
                    "previous": last["id"] if last else None,
                    "findings": _json(list(findings)),
                }
            )
            return last["id"] if last else None

    # Inside

    def _migrate(self) -> None:
        # In this order: a step is taken as a whole, so where tables are seen the version read after them is theirs.
        taken = self._db.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
        version = self._schema_version()
        if taken and version == 0:
            raise StoreError(
                f"{self.path}: is a database of something else; name another in study.database, or move this one away"
            )
        steps = sorted(
            (int(entry.name.split("_")[0]), entry)
            for entry in resources.files("citystudy.migrations").iterdir()
            if entry.name.endswith(".sql")
        )
        newest = steps[-1][0]
        if version > newest:
            raise StoreError(
                f"{self.path}: was written by a newer citystudy (schema {version}, this one knows {newest}); upgrade"
            )
        if version == newest:
            return
        self._db.enable_wal()
        for number, step in steps:
            self._bring_to(number, step.read_text(encoding="utf-8"))

    def _bring_to(self, number: int, script: str) -> None:
        """Take one step of the schema, unless it was taken, here before or by another process just now."""
        connection = self._db.conn
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self._schema_version() < number:
                for statement in _statements_of(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    def _schema_version(self) -> int:
        return int(self._db.conn.execute("PRAGMA user_version").fetchone()[0])

    def _known(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for chunk in chunks(keys):
            marks = ", ".join("?" * len(chunk))
            for row in self.query(f"SELECT id, key, title, text, content_hash FROM post WHERE key IN ({marks})", chunk):
                known[row["key"]] = row
        return known

    def _raise_or_leave_out(self, keys: list[str], *, restored: bool) -> list[str]:
        """Take away the tombstones of posts that are restored; else return the keys that have one."""
        buried: list[str] = []
        for chunk in chunks(keys):
            marks = ", ".join("?" * len(chunk))
            found = [row["key"] for row in self.query(f"SELECT key FROM tombstone WHERE key IN ({marks})", chunk)]
            if restored and found:
                self._db.execute(f"DELETE FROM tombstone WHERE key IN ({', '.join('?' * len(found))})", found)
            elif not restored:
                buried.extend(found)
        return buried

    def _bury(self, gone: Sequence[str], looked: Sequence[str]) -> int:
        """Delete the posts that are gone, a tombstone for each, and note the second looks; return how many are gone."""
        moment = now()
        known = self._known(list(gone))
        self._db.table("tombstone").insert_all(({"key": key, "deleted_at": moment} for key in known), replace=True)
        for key in known:
            self._db.execute("DELETE FROM post WHERE key = ?", [key])
        for key in looked:
            self._db.execute("UPDATE post SET looked_at = ? WHERE key = ?", [moment, key])
        return len(known)

    def _replace_edited(self, posts: Sequence[Post], known: Mapping[str, Mapping[str, Any]]) -> None:
        self._db.table("edit").insert_all(
            {
                "post": known[post.key]["id"],
                "replaced_at": post.fetched_at,
                "title": known[post.key]["title"],
                "text": known[post.key]["text"],
            }
            for post in posts
        )
        for post in posts:
            self._db.table("post").update(
                known[post.key]["id"],
                {
                    "title": post.title,
                    "text": post.text,
                    "edited_at": post.edited_at or post.fetched_at,
                    "content_hash": post.content_hash,
                },
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained(), self._db.atomic():
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into ones that name the file and the mend."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {_mend(error)}") from error


RATE_DAYS = 28
LATEST_POSTS = 200
_LAST_CRAWL = """
SELECT c.started_at, julianday('now') - julianday(c.started_at) AS days,
       c.new + c.edited + c.unchanged + COALESCE((SELECT SUM(n) FROM dropped d WHERE d.crawl = c.id), 0) > 0 AS showed
FROM crawl c WHERE c.target = ? AND c.outcome = 'finished' ORDER BY c.id DESC LIMIT 1
"""
_WRITTEN_BEFORE = """
SELECT COUNT(*) AS n FROM post
WHERE target = :target AND julianday(created_at) BETWEEN julianday(:moment) - :days AND julianday(:moment)
"""
_UNREAD = (
    "FROM post p LEFT JOIN reading r ON r.post = p.id "
    "WHERE r.post IS NULL OR r.pipeline <> ? OR r.content_hash <> p.content_hash"
)

_MENDS = {
    "SQLITE_FULL": "the disk is full; free some space and run the same command again, which goes on from here",
    "SQLITE_READONLY": "the database is read-only; make the file and its folder writable for this user",
    "SQLITE_CANTOPEN": "the database can't be opened; check that its folder exists and that this user may write there",
    "SQLITE_NOTADB": "this file is not a SQLite database; name another in study.database, or move this one away",
    "SQLITE_CORRUPT": "the database is damaged; restore a copy, or recover it with: sqlite3 FILE .recover",
    "SQLITE_BUSY": "another process holds the database; wait until it ends and run the same command again",
    "SQLITE_IOERR": "the disk can't be read or written; check its space and health, then run the same command again",
}


def _mend(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, mend in _MENDS.items():
        if name.startswith(prefix):
            return mend
    return f"{error} ({name or type(error).__name__})"


def _statements_of(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


_POST_COLUMNS = tuple(column.name for column in fields(Post))


def _post_row(post: Post) -> dict[str, Any]:
    row = {name: getattr(post, name) for name in _POST_COLUMNS}  # asdict would copy every value
    row["counts"] = _json(post.counts) if post.counts else None
    row["content_hash"] = post.content_hash
    return row


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the items in runs that one statement can name."""
    for start in range(0, len(items), LOOKUP_CHUNK):
        yield items[start : start + LOOKUP_CHUNK]
