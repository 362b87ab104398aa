"""Doubles: small servers that speak a source's protocol, one file a source, all with the same posts to show.

A double is what the contract (`test_contract.py`, `test_faults.py`) is held against. It answers from `self.posts` as
they are at that moment, in the shape, the order and the paging of the real source, a few posts a page.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from fault_server import Site

PAGE = 8

PEOPLE = ("Зульфия Каримова", "مهرداد صالحی", "ليلى الحسن", "Grace Okoro", "Тимур Валеев", "بهرام کیانی")
TEXTS = (
    "Автобус номер {n} опять не пришёл, ждали сорок минут",
    "ایستگاه {n} آسانسور ندارد و با کالسکه نمی‌شود رفت",
    "الزحمة على الجسر رقم {n} لا تطاق منذ الصباح",
    "No bench and no shade at stop {n}, it isn't fair",
)
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


@dataclass(frozen=True)
class Written:
    """One post as a person wrote it; a higher number is newer."""

    number: int
    author: str
    text: str
    created_at: datetime
    edited_at: datetime | None = None

    @property
    def handle(self) -> str:
        """A short Latin name of the author that no text holds."""
        return f"writer{PEOPLE.index(self.author)}xq"


def written(number: int) -> Written:
    """Return the post of that number."""
    return Written(
        number,
        PEOPLE[number % len(PEOPLE)],
        TEXTS[number % len(TEXTS)].format(n=number),
        START + timedelta(minutes=10 * number),
    )


class Double(ABC):
    """A source on a site of its own.

    `sees_edits` and `sees_deletions` say whether a later crawl, second look included, can tell them. `keeps_authors`
    and `keeps_dates` say whether the source names authors and dates. `key` is the operator's key that the source asks
    for, if it does.
    """

    source: ClassVar[str]
    sees_edits: ClassVar[bool] = True
    sees_deletions: ClassVar[bool] = True
    keeps_authors: ClassVar[bool] = True
    keeps_dates: ClassVar[bool] = True
    key: ClassVar[str | None] = None

    def __init__(self, site: Site, count: int) -> None:
        self.site = site
        self.posts: dict[int, Written] = {number: written(number) for number in range(1, count + 1)}
        self.mount()

    @abstractmethod
    def mount(self) -> None:
        """Set the site's answers; each is worked out from `self.posts` when it is asked for."""

    @abstractmethod
    def target(self) -> str:
        """Return the target's keys as lines of TOML, `source` first."""

    @abstractmethod
    def native_id(self, number: int) -> str:
        """Return the native id under which the spider stores the post of that number."""

    @abstractmethod
    def author_id(self, post: Written) -> str:
        """Return the native author id that the spider makes the pseudonym from."""

    def readable(self, post: Written) -> list[str]:
        """Return what must not stand readable in the database: names, handles, ids and addresses of the author."""
        return [post.author, post.handle]

    # What a test does to the source

    def write(self, number: int) -> None:
        """Publish another post."""
        self.posts[number] = written(number)

    def edit(self, number: int, text: str) -> None:
        """Change a post's text."""
        self.posts[number] = replace(self.posts[number], text=text, edited_at=datetime.now(UTC).replace(microsecond=0))

    def delete(self, number: int) -> None:
        """Delete a post."""
        del self.posts[number]

    def newest_first(self) -> list[Written]:
        """Return the posts, newest first."""
        return [self.posts[number] for number in sorted(self.posts, reverse=True)]


def all_doubles() -> list[type[Double]]:
    """Return the double of every source that has one, by name."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    modules = [importlib.import_module(f"doubles.{name}") for name in names]
    return [module.SourceDouble for module in modules]
