"""How bad a problem is and how strongly a statement is put, by an explicit rule over word lists.

Severity of a problem (the lists: nlp/data/severity.<lang>.toml), by the clause that carries it:

- 3, danger: it names harm to life, limb or home;
- 2, hardship: it names a daily need that fails or is out of reach; or, whatever fails, it lasts for days or hits people
  who bear it worse (children, the old, the sick) in a theme of daily need (`NEEDS`);
- 1, nuisance: everything else.

Wishes and preferences have no severity. Intensity, of every statement: 1 plain; 2 with one mark of force; 3 with two or
more. Marks are strong words, two exclamation marks, a letter said three times or more, two words in capitals, and an
emoji of anger, despair or delight.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources

from citystudy.text import tokens
from nlp.lexicon.matcher import Lexicon

NUISANCE, HARDSHIP, DANGER = 1, 2, 3
MOST_INTENSE = 3
NEEDS = frozenset({"utilities", "housing", "health", "safety", "work", "money", "government", "education", "food"})
LISTS = ("danger", "hardship", "days", "frail", "strong")

_SHOUTED = re.compile(r"!.*!|[!?]{3,}", re.DOTALL)
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_CAPITALS = re.compile(r"\b[A-ZА-ЯЁ]{3,}\b")
_FACES = re.compile("[😡🤬😤😠😭😱🤮🤢💔🤦😍🥰🤩❤🔥👏]")
_TWO = 2


def severity(clause: str, kind: str, theme: str, lang: str) -> int | None:
    """Return 1 (nuisance), 2 (hardship) or 3 (danger) for a problem, None for a wish or a preference."""
    if kind != "problem":
        return None
    met = _met(clause, lang)
    if met["danger"]:
        return DANGER
    if met["hardship"] or (theme in NEEDS and (met["days"] or met["frail"])):
        return HARDSHIP
    return NUISANCE


def intensity(clause: str, lang: str) -> int:
    """Return 1 (plain) to 3 (two marks of force or more)."""
    capitals = _CAPITALS.findall(clause)
    marks = [
        _met(clause, lang)["strong"] > 0,
        _SHOUTED.search(clause) is not None,
        _DRAWN_OUT.search(clause) is not None,
        len(capitals) >= _TWO and clause.upper() != clause,
        _FACES.search(clause) is not None,
    ]
    return min(MOST_INTENSE, 1 + sum(marks))


@lru_cache(maxsize=1)  # both questions are asked of one clause after the other
def _met(clause: str, lang: str) -> dict[str, float]:
    [counts] = _lists(lang).counts([tokens(clause, lang)])
    return dict(zip(LISTS, counts.tolist(), strict=True))


@cache
def _lists(lang: str) -> Lexicon:
    data = tomllib.loads(resources.files("nlp").joinpath("data", f"severity.{lang}.toml").read_text(encoding="utf-8"))
    return Lexicon({name: data[name] for name in LISTS}, lang)
