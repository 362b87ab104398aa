"""The codeframe: kinds and themes that a statement can carry, the same in every language, and built-in segments."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal, get_args

Kind = Literal["problem", "wish", "preference"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

THEMES: Final[tuple[str, ...]] = (
    "transport",
    "streets",
    "utilities",
    "connectivity",
    "housing",
    "environment",
    "safety",
    "health",
    "education",
    "work",
    "money",
    "government",
    "food",
    "shopping",
    "personal_care",
    "leisure",
    "community",
    "other",
)

MOST_CODES: Final = 3  # pairs of kind and theme a post

CODED_LANGUAGES: Final[tuple[str, ...]] = ("en", "ar", "fa", "ru")


@cache
def segment_labels() -> dict[str, dict[str, str]]:
    """Return the built-in segments' ids with their labels by language."""
    return tomllib.loads(resources.files("citystudy").joinpath("segments.toml").read_text(encoding="utf-8"))
