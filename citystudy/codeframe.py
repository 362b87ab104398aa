"""The codeframe: kinds and themes that a statement can carry, the same in every language."""

from __future__ import annotations

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

CODED_LANGUAGES: Final[tuple[str, ...]] = ("en", "ar", "fa", "ru")
