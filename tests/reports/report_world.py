"""Small studies put straight into a real database, as the gathering and the pipeline would leave them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citystudy.config import Study
from citystudy.store import CityBasis, Mention, Post, Reading, Statement, Store, Topic, UnreadPost

TARGETS = [
    {"source": "import", "kind": "forum", "rows": "forum"},
    {"source": "import", "kind": "reviews", "rows": "maps", "comparable": False},
    {"source": "import", "kind": "portal", "rows": "portal"},
]


def study_of(folder: Path, **changes: Any) -> Study:
    """Return a study of two cities and whatever is changed."""
    raw: dict[str, Any] = {
        "study": {"name": "A study", "question": "What do they need?", "contact": "ops@example.org"},
        "cities": [
            {"name": "Alfa", "country": "GB", "languages": ["en"], "targets": TARGETS, "aliases": {"ar": ["ألفا"]}},
            {"name": "Beta", "country": "JO", "languages": ["en", "ar"], "targets": TARGETS},
        ],
    }
    study = Study.model_validate(raw | changes)
    study._folder = folder
    return study


@dataclass
class World:
    """Posts to be stored; each call of `post` adds one and returns its key."""

    study: Study
    posts: list[Post] = field(default_factory=list)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    echoes: list[list[str]] = field(default_factory=list)
    topics: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def post(  # noqa: PLR0913  a test names only what it is about
        self,
        city: str,
        author: str | None = None,
        day: str | None = "2026-03-01",
        codes: Sequence[tuple[str, str]] = (),
        *,
        rows: str = "forum",
        lang: str | None = "en",
        coded: bool = True,
        advert: bool = False,
        words: str = "the words",
        mentions: Sequence[tuple[str, str]] = (),
        score: float = 0.9,
        topic: str = "",
        basis: CityBasis = "target",
    ) -> str:
        number = len(self.posts)
        key = f"{number:08x}"
        text = ""
        statements = []
        for kind, theme in codes:
            start = len(text)
            text += f"{words} {number} {kind} {theme}"
            statements.append(Statement(kind, theme, start, len(text), score))
            text += ". "
        text = text or f"{words} {number}"
        self.posts.append(
            Post(
                key=key,
                target=f"{city}/import/{rows}",
                city=city,
                title="",
                text=text,
                sealed="sealed",
                fetched_at="2026-06-01T00:00:00Z",
                author=author,
                city_basis=basis,
                created_at=f"{day}T10:00:00Z" if day else None,
            )
        )
        self.readings[key] = {
            "lang": lang,
            "coded": coded,
            "advert": advert,
            "statements": statements,
            "mentions": [Mention(sort, name, 0, 3) for sort, name in mentions],  # type: ignore[arg-type]
        }
        if topic:
            self.topics.setdefault(topic, []).append(key)
        return key

    def crowd(
        self, city: str, n: int, saying: int = 0, code: tuple[str, str] = ("problem", "transport"), **more: Any
    ) -> None:
        """Add n voices, of which `saying` say a thing, spread over March."""
        for number in range(n):
            author = more.get("author", f"{city}-{code}-{more.get('rows', '')}-{more.get('lang', '')}-{number}")
            codes = [code] if number < saying else []
            self.post(city, day=f"2026-03-{1 + number % 28:02d}", codes=codes, **(more | {"author": author}))

    def store(self, order: Callable[[list[Post]], list[Post]] = lambda posts: posts) -> Store:
        """Write everything and return the open store."""
        self.study.folder.mkdir(parents=True, exist_ok=True)
        store = Store(self.study.database_path)
        store.register(self.study)
        crawl = store.start_crawl("test", f"{self.study.cities[0].id}/import/forum")
        posts = order(list(self.posts))
        store.save_posts(crawl, posts, self.dropped)
        store.end_crawl(crawl, "finished")
        ids = {row["key"]: row["id"] for row in store.query("SELECT id, key FROM post")}
        store.save_readings(
            [
                Reading(
                    UnreadPost(ids[post.key], post.key, post.city, "", post.text, None, post.content_hash),
                    **self.readings[post.key],
                )
                for post in posts
                if post.key in self.readings
            ],
            "test",
        )
        heads = {ids[key]: min(ids[other] for other in group) for group in self.echoes for key in group}
        store.replace_echoes(heads, "test")
        statements = {
            (row["key"], row["id"]): row
            for row in store.query(
                "SELECT p.key, s.id, s.kind, s.theme, r.lang FROM statement s JOIN post p ON p.id = s.post "
                "JOIN reading r ON r.post = p.id"
            )
        }
        topics = []
        for name, keys in sorted(self.topics.items()):
            own = [row for (key, _), row in statements.items() if key in keys]
            own = [row for row in own if (row["kind"], row["theme"]) == (own[0]["kind"], own[0]["theme"])]
            topics.append(
                Topic(name, own[0]["kind"], own[0]["lang"], own[0]["theme"], name, [name], [row["id"] for row in own])
            )
        store.replace_topics(topics, "test")
        return store
