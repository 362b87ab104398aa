"""The study's posts, statements and mentions as read for one report: every SQL query of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from citystudy.errors import InputError
from citystudy.store import Store
from citystudy.text import full_text


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post without its words; `group` is the smallest key among its near-duplicates, its own where it has none.

    `city_known` is False where no more than its country is known.
    """

    key: str
    city: str
    city_known: bool
    source: str
    target_kind: str
    comparable: bool
    author: str | None
    created_at: str | None
    read: bool
    lang: str | None
    coded: bool
    advert: bool
    group: str

    @property
    def day(self) -> date | None:
        """The day it was written, or None where that is unknown."""
        try:
            return date.fromisoformat(self.created_at[:10]) if self.created_at else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One coded clause of a post; start and end count code points of the post's full text."""

    evidence: str
    post: str
    kind: str
    theme: str
    start: int
    end: int
    score: float
    topic: str


@dataclass(frozen=True, slots=True)
class MentionRow:
    """A segment, brand or district named in a post."""

    post: str
    sort: str
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic and the words that name it."""

    id: str
    kind: str
    theme: str
    lang: str
    label: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """All that a report is made from, in an order that does not depend on how it was gathered.

    `texts` holds the full text of posts with statements. `dropped` counts rows left out at gathering by city
    ('' where a whole file was read for several) and reason. `digest` changes when, and only when, any of it does.
    """

    as_of: str | None
    posts: tuple[PostRow, ...]
    statements: tuple[StatementRow, ...]
    mentions: tuple[MentionRow, ...]
    topics: Mapping[str, TopicRow]
    texts: Mapping[str, str]
    dropped: Mapping[str, Mapping[str, int]]
    digest: str


_POSTS = """
SELECT p.key, p.city, p.city_basis, t.source, t.kind AS target_kind, t.comparable, p.author, p.created_at,
       r.post IS NOT NULL AS read, r.lang, COALESCE(r.coded, 0) AS coded, COALESCE(r.advert, 0) AS advert,
       COALESCE(g.first, p.key) AS grp, p.content_hash
FROM post p JOIN target t ON t.id = p.target
LEFT JOIN reading r ON r.post = p.id
LEFT JOIN echo e ON e.post = p.id
LEFT JOIN (SELECT e2.head, MIN(p2.key) AS first FROM echo e2 JOIN post p2 ON p2.id = e2.post GROUP BY e2.head) g
       ON g.head = e.head
WHERE :as_of IS NULL OR COALESCE(p.created_at, p.fetched_at) <= :as_of
ORDER BY p.key
"""
_STATEMENTS = """
SELECT s.evidence, p.key AS post, s.kind, s.theme, s.start, s."end", s.score, COALESCE(st.topic, '') AS topic
FROM statement s JOIN post p ON p.id = s.post LEFT JOIN statement_topic st ON st.statement = s.id
WHERE s.score >= :cut AND (:as_of IS NULL OR COALESCE(p.created_at, p.fetched_at) <= :as_of)
ORDER BY s.evidence
"""
_TEXTS = """
SELECT p.key, p.title, p.text FROM post p
WHERE p.id IN (SELECT post FROM statement) AND (:as_of IS NULL OR COALESCE(p.created_at, p.fetched_at) <= :as_of)
"""
_MENTIONS = """
SELECT p.key AS post, m.sort, m.name, m.start, m."end" FROM mention m JOIN post p ON p.id = m.post
WHERE :as_of IS NULL OR COALESCE(p.created_at, p.fetched_at) <= :as_of
ORDER BY p.key, m.sort, m.name, m.start
"""
_TOPICS = "SELECT id, kind, theme, lang, label FROM topic ORDER BY id"
_DROPPED = """
SELECT COALESCE(t.city, '') AS city, d.reason, SUM(d.n) AS n
FROM dropped d JOIN crawl c ON c.id = d.crawl LEFT JOIN target t ON t.id = c.target
GROUP BY 1, 2 HAVING SUM(d.n) > 0 ORDER BY 1, 2
"""


def moment(text: str) -> str:
    """Return a date (meaning its last second) or time as the database writes it; raises InputError."""
    try:
        if len(text) == len("2026-01-31"):
            return f"{date.fromisoformat(text).isoformat()}T23:59:59Z"
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"as of: found '{text}', expected a date such as 2026-01-31 or a time such as 2026-01-31T18:00:00Z"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_corpus(store: Store, as_of: str | None = None, *, claim_cut: float = 0.0) -> Corpus:
    """Read what was gathered up to `as_of` (a `moment`); by default everything, as of the newest dated post.

    Statements of a lower score than `claim_cut` are not read: a report claims only what is likely right.

    Undated posts count by the time they were gathered when `as_of` is given.
    """
    digest = hashlib.sha256()
    until = {"as_of": as_of}

    posts = []
    for row in store.query(_POSTS, until):
        _add(digest, row.values())
        posts.append(
            PostRow(
                key=row["key"],
                city=row["city"],
                city_known=row["city_basis"] != "country",
                source=row["source"],
                target_kind=row["target_kind"],
                comparable=bool(row["comparable"]),
                author=row["author"],
                created_at=row["created_at"],
                read=bool(row["read"]),
                lang=row["lang"],
                coded=bool(row["coded"]),
                advert=bool(row["advert"]),
                group=row["grp"],
            )
        )
    statements = tuple(StatementRow(**row) for row in store.query(_STATEMENTS, {**until, "cut": claim_cut}))
    mentions = tuple(MentionRow(**row) for row in store.query(_MENTIONS, until))
    topics = {row["id"]: TopicRow(**row) for row in store.query(_TOPICS)}
    for statement in statements:
        _add(digest, (statement.evidence, statement.start, statement.end, statement.score, statement.topic))
    for mention in mentions:
        _add(digest, (mention.post, mention.sort, mention.name, mention.start, mention.end))
    for topic in topics.values():
        _add(digest, (topic.id, topic.label))
    dropped: dict[str, dict[str, int]] = {}
    for row in store.query(_DROPPED):
        _add(digest, row.values())
        dropped.setdefault(row["city"], {})[row["reason"]] = row["n"]
    return Corpus(
        as_of=as_of or max((post.created_at for post in posts if post.created_at), default=None),
        posts=tuple(posts),
        statements=statements,
        mentions=mentions,
        topics=topics,
        texts={row["key"]: full_text(row["title"], row["text"]) for row in store.query(_TEXTS, until)},
        dropped=dropped,
        digest=digest.hexdigest(),
    )


def _add(digest: hashlib._Hash, values: Iterable[object]) -> None:
    digest.update(("\x1f".join("\x00" if value is None else str(value) for value in values) + "\x1e").encode())
