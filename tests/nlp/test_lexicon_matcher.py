from __future__ import annotations

import tomllib
from importlib import resources

import numpy as np
import pytest

from citystudy.codeframe import CODED_LANGUAGES, THEMES
from citystudy.text import normalise, tokens
from nlp.lexicon.matcher import CUES, GAP, NAMES, SHORTEST_STEM, Lexicon, lexicon


def hits(lists: dict[str, list[str]], text: str, lang: str = "en") -> dict[str, int]:
    """How often each list is met in a text."""
    counted = Lexicon(lists, lang).counts([tokens(text, lang)])
    assert counted.shape == (1, len(lists))
    assert counted.dtype == np.float32
    return {name: int(n) for name, n in zip(lists, counted[0], strict=True) if n}


@pytest.mark.parametrize(
    ("entries", "text", "n"),
    [
        (["bus"], "The bus, the BUS and the buses", 2),
        (["bus"], "busy", 0),
        (["bus*"], "busy buses bus", 3),
        (["cyclist*"], "motorcyclists", 0),
        (["traffic jam"], "a traffic  jam!", 1),
        (["traffic jam"], "traffic. jam traffic", 1),
        (["traffic jam*"], "traffic jams", 1),
        (["traffic jam*"], "traffic in the jam", 0),
        (["no hot water"], "there is no hot water, no hot tea", 1),
        (["out of order at all"], "it is out of order at all times", 1),
        (["out of order at all"], "out of order", 0),
        (["wi-fi", "wi fi"], "wi-fi", 1),
        (["re*"], "rebuilt", 0),
        (["red*"], "reduced", 1),
        (["#Leeds"], "in leeds", 1),
        (["bus"], "", 0),
    ],
)
def test_words_phrases_and_stems(entries: list[str], text: str, n: int) -> None:
    assert hits({"transport": entries}, text).get("transport", 0) == n


def test_a_longer_phrase_is_met_before_the_words_in_it() -> None:
    lists = {"transport": ["bus stop"], "shopping": ["stop"], "housing": ["bus"]}
    assert hits(lists, "bus stop") == {"transport": 1, "shopping": 1}


def test_a_word_of_two_lists_counts_in_both() -> None:
    assert hits({"transport": ["car"], "money": ["car"]}, "a car") == {"transport": 1, "money": 1}


def test_an_entry_written_twice_counts_once() -> None:
    assert hits({"transport": ["u-turn", "u turn", "U-Turn"]}, "a u-turn") == {"transport": 1}


@pytest.mark.parametrize("word", ["باص", "الباص", "والباص", "بالباص", "للباص", "وباص", "فالباص", "كالباص", "وبالباص"])
def test_arabic_prefixes_are_taken_off(word: str) -> None:
    assert hits({"transport": ["باص"]}, f"شفت {word} اليوم", "ar") == {"transport": 1}


@pytest.mark.parametrize("word", ["باصات", "لباصي", "بص"])
def test_other_letters_are_not_taken_off(word: str) -> None:
    assert hits({"transport": ["باص"]}, word, "ar") == {}


def test_a_short_rest_is_no_word() -> None:
    assert hits({"utilities": ["مي"]}, "ومي", "ar") == {}
    assert hits({"utilities": ["مي"]}, "مي", "ar") == {"utilities": 1}


def test_prefixes_are_of_arabic_alone() -> None:
    assert hits({"transport": ["آهن"]}, "وآهن", "fa") == {}


def test_entries_are_folded_as_texts_are() -> None:
    assert hits({"education": ["مدرسة"]}, "المدرسه", "ar") == {"education": 1}
    assert hits({"education": ["كتابخانه"]}, "کتابخانه", "fa") == {"education": 1}
    assert hits({"education": ["учёба"]}, "учеба", "ru") == {"education": 1}
    assert hits({"wish": ["می‌خواهم"]}, "می خواهم", "fa") == {"wish": 1}


def test_each_text_has_a_row_of_its_own() -> None:
    counted = Lexicon({"transport": ["bus"]}, "en").counts([["bus", "bus"], [], ["tram"]])
    assert counted[:, 0].tolist() == [2, 0, 0]
    assert Lexicon({}, "en").counts([["bus"]]).sum() == 0
    assert Lexicon({"transport": ["bus"]}, "en").counts([]).shape == (0, 1)


@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_every_entry_of_the_lists_can_be_met(lang: str) -> None:
    data = tomllib.loads(resources.files("nlp.lexicon").joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    assert set(data["themes"]) == set(THEMES) - {"other"}
    assert set(data["cues"]) == set(CUES)
    for name, entries in {**data["themes"], **data["cues"]}.items():
        for entry in entries:
            folded = " ".join(normalise(entry.rstrip("*"), lang).replace("-", " ").split())
            assert any(c.isalnum() for c in folded), (name, entry)
            assert not entry.endswith("*") or len(folded) > SHORTEST_STEM, (name, entry)
            assert GAP in entry or "*" not in entry[:-1], (name, entry)
            said = entry.replace("*", "").replace(GAP, "xxyy")
            counted = lexicon(lang).counts([tokens(said, lang)])
            assert counted[0, NAMES.index(name)] >= 1, (name, entry)


@pytest.mark.parametrize(
    ("lang", "text", "theme", "cue"),
    [
        ("en", "the bus is terrible", "transport", "problem"),
        ("ar", "الباص دايما متأخر", "transport", "problem"),
        ("fa", "کاش مترو بیاد محله ما", "transport", "wish"),
        ("ru", "автобус не ходит, ужас", "transport", "problem"),
    ],
)
def test_the_lists_know_themes_and_cues(lang: str, text: str, theme: str, cue: str) -> None:
    [counted] = lexicon(lang).counts([tokens(text, lang)])
    assert counted[NAMES.index(theme)] >= 1
    assert counted[NAMES.index(cue)] >= 1


def test_there_is_no_lexicon_of_another_language() -> None:
    with pytest.raises(ValueError, match="no lexicon for 'tr'; there is one for each of en, ar, fa, ru"):
        lexicon("tr")
