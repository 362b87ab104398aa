"""What a spider or importer hands on: posts as their source tells them, one batch a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from citystudy.store import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPost:
    """One post as its source tells it, in plain text; unknown is None. Nothing personal shows in its repr."""

    native_id: str = field(repr=False)
    text: str = field(repr=False)
    title: str = field(default="", repr=False)
    author: str | None = field(default=None, repr=False)
    author_names: tuple[str, ...] = field(default=(), repr=False)
    url: str | None = field(default=None, repr=False)
    thread: str | None = field(default=None, repr=False)
    parent: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    edited_at: datetime | None = None
    declared_lang: str | None = None
    counts: Mapping[str, int] | None = None
    latitude: float | None = None
    longitude: float | None = None
    flaws: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Page:
    """One page of a target: its posts, what was left out, and where the target stands once they are stored.

    `cursor` None leaves the target where it was. `ends` says how the visit ends with this page, None that it goes on.
    """

    target_id: str
    posts: Sequence[RawPost] = field(default=(), repr=False)
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    cursor: Mapping[str, Any] | None = field(default=None, repr=False)
    ends: str | None = None
    parked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPage:
    """A page whose posts are pseudonymised, redacted and fit to store."""

    page: Page
    posts: Sequence[Post] = field(repr=False)
