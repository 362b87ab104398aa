"""What a spider or importer hands on: posts as their source tells them, one batch a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from citystudy.store import CityBasis, Post


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPost:
    """One post as its source tells it, in plain text; unknown is None. Nothing personal shows in its repr.

    `ref` is what the source must be asked for to see this one post again, where that is not the native id. `basis`
    says why the post counts for its target's city.
    """

    native_id: str = field(repr=False)
    text: str = field(repr=False)
    title: str = field(default="", repr=False)
    author: str | None = field(default=None, repr=False)
    author_names: tuple[str, ...] = field(default=(), repr=False)
    url: str | None = field(default=None, repr=False)
    thread: str | None = field(default=None, repr=False)
    parent: str | None = field(default=None, repr=False)
    ref: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    edited_at: datetime | None = None
    declared_lang: str | None = None
    counts: Mapping[str, int] | None = None
    latitude: float | None = None
    longitude: float | None = None
    basis: CityBasis = "target"
    flaws: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Page:
    """One page of a target: its posts, what was left out, and where the target stands once they are stored.

    `gone` holds native ids that the source no longer has, `looked` those that were looked at a second time. `cursor`
    None leaves the target where it was. `ends` says how the visit ends with this page, None that it goes on.
    """

    target_id: str
    posts: Sequence[RawPost] = field(default=(), repr=False)
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    gone: Sequence[str] = field(default=(), repr=False)
    looked: Sequence[str] = field(default=(), repr=False)
    cursor: Mapping[str, Any] | None = field(default=None, repr=False)
    ends: str | None = None
    parked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPage:
    """A page whose posts are pseudonymised, redacted and fit to store; `gone` and `looked` as keys."""

    page: Page
    posts: Sequence[Post] = field(repr=False)
    gone: Sequence[str] = ()
    looked: Sequence[str] = ()
