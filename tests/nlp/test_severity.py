from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from citystudy.codeframe import CODED_LANGUAGES
from citystudy.text import tokens
from nlp.lexicon.matcher import GAP, Lexicon
from nlp.severity import LISTS, intensity, severity


@pytest.mark.parametrize(
    ("lang", "theme", "clause", "expected"),
    [
        ("en", "transport", "the bus came ten minutes late", 1),
        ("en", "utilities", "no water in our building", 2),
        ("en", "utilities", "the meter reading was wrong again and again", 2),
        ("en", "transport", "late again and again", 1),  # lasting, but no daily need
        ("en", "health", "the nurse was rude to the elderly", 2),
        ("en", "streets", "an open manhole, a boy was injured", 3),
        ("ar", "transport", "الباص تأخر عشر دقايق", 1),
        ("ar", "utilities", "انقطاع الماء", 2),
        ("ar", "safety", "حريق في المصنع", 3),
        ("fa", "food", "پیتزاش سرد بود", 1),
        ("fa", "utilities", "سه روزه آب نداریم", 2),
        ("fa", "safety", "آتش سوزی در بازار", 3),
        ("ru", "transport", "автобус опоздал на десять минут", 1),
        ("ru", "utilities", "нет воды", 2),
        ("ru", "streets", "открытый люк возле школы", 3),
    ],
)
def test_the_rule_of_severity(lang: str, theme: str, clause: str, expected: int) -> None:
    assert severity(clause, "problem", theme, lang) == expected


@pytest.mark.parametrize("kind", ["wish", "preference"])
def test_only_problems_are_severe(kind: str) -> None:
    assert severity("a boy was injured", kind, "safety", "en") is None


@pytest.mark.parametrize(
    ("lang", "clause", "expected"),
    [
        ("en", "the lift is slow", 1),
        ("en", "the lift is extremely slow", 2),
        ("en", "the lift is sooooo slow", 2),
        ("en", "THE LIFT IS SLOW", 1),  # a headline shouts no louder than its neighbours
        ("en", "the lift is ALWAYS SLOW here", 2),
        ("en", "the lift is slow!! again!!", 2),
        ("en", "the lift is extremely slow!!! 😡", 3),
        ("ru", "лифт ужасно медленный!!!", 3),
        ("ru", "лифт медленный", 1),
        ("ar", "المصعد بطيء جدا", 2),
        ("ar", "المصعد بطيء", 1),
        ("fa", "آسانسور خیلی کنده", 2),
        ("fa", "آسانسور کنده", 1),
    ],
)
def test_the_rule_of_intensity(lang: str, clause: str, expected: int) -> None:
    assert intensity(clause, lang) == expected


@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_every_entry_can_be_met(lang: str) -> None:
    data = tomllib.loads(resources.files("nlp").joinpath("data", f"severity.{lang}.toml").read_text(encoding="utf-8"))
    assert set(data) == set(LISTS)
    lists = Lexicon(data, lang)
    for number, entries in enumerate(data.values()):
        assert len(set(entries)) == len(entries)
        for entry in entries:
            assert GAP in entry or "*" not in entry[:-1], entry
            [counted] = lists.counts([tokens(entry.rstrip("*"), lang)])
            assert counted[number] >= 1, entry
