"""Posts alike in all but the thing that turns the coding; each pair must hold by itself.

The pairs (pairs/<lang>.toml) were written without sight of the coder, its lists or its models. Those that it fails are
marked `fails`; one that it no longer fails must lose the mark.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from citystudy.codeframe import CODED_LANGUAGES, KINDS, THEMES
from nlp.code import TextCoder

PHENOMENA = {"negation", "advert", "seller", "irony", "question", "manners", "hope", "report"}


def pairs(lang: str) -> list[dict[str, Any]]:
    return tomllib.loads((Path(__file__).parent / "pairs" / f"{lang}.toml").read_text(encoding="utf-8"))["pair"]


@cache
def coder() -> TextCoder:
    return TextCoder(cut=0.5)


def holds(pair: dict[str, Any], lang: str) -> bool:
    both = coder().code([(pair["a"], lang), (pair["b"], lang)])
    return [{s.kind for s in one.statements} for one in both] == [set(pair["a_kinds"]), set(pair["b_kinds"])]


def cases(*, failing: bool) -> list[Any]:
    return [
        pytest.param(lang, pair, id=f"{lang}-{pair['phenomenon']}-{number}")
        for lang in CODED_LANGUAGES
        for number, pair in enumerate(pairs(lang), 1)
        if pair.get("fails", False) == failing
    ]


@pytest.mark.parametrize(("lang", "pair"), cases(failing=False))
def test_a_pair_holds(lang: str, pair: dict[str, Any]) -> None:
    assert holds(pair, lang)


@pytest.mark.parametrize(("lang", "pair"), cases(failing=True))
def test_a_pair_marked_as_failing_still_does(lang: str, pair: dict[str, Any]) -> None:
    assert not holds(pair, lang), "the coder holds this pair now: take its mark `fails` away"


@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_the_pairs_of_a_language_cover_what_turns_a_coding(lang: str) -> None:
    known = pairs(lang)
    assert set(Counter(pair["phenomenon"] for pair in known)) == PHENOMENA
    assert min(Counter(pair["phenomenon"] for pair in known).values()) >= 6
    for pair in known:
        assert pair["theme"] in THEMES
        assert {*pair["a_kinds"], *pair["b_kinds"]} <= set(KINDS)
        assert pair["a_kinds"] != pair["b_kinds"]
        assert pair["a"] != pair["b"]
