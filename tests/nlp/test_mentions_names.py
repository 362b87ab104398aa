from __future__ import annotations

import pytest

from nlp.mentions.names import NameMatcher
from nlp.mentions.words import split_words


def found(aliases: dict[str, list[str]], lang: str, text: str) -> list[tuple[str, str]]:
    places = NameMatcher(aliases, lang).find(text, split_words(text, lang))
    return [(place.name, text[place.start : place.end]) for place in places]


LODA = {"Loda Bus": ["Лода Бас", "لودا باص", "لودا باس"]}
BOX = {"PostBarn": ["ПостСарай", "بوست بارن", "پست‌بارن"]}


@pytest.mark.parametrize(
    ("aliases", "lang", "text", "expected"),
    [
        (LODA, "en", "took the loda bus, never again", "loda bus"),
        (LODA, "en", "thanks #LodaBus", "#LodaBus"),
        (LODA, "en", "thanks #lodabus", "#lodabus"),
        (LODA, "en", "Loda Bus's driver", "Loda Bus"),
        (LODA, "ru", "в Лода Басе холодно", "Лода Басе"),
        (LODA, "ar", "ركبت بلودا باص اليوم", "بلودا باص"),
        (LODA, "ar", "شكرا #لودا_باص", "#لودا_باص"),
        (LODA, "fa", "سوار لودا باسی شدم", "لودا باسی"),
        (LODA, "ar", "Loda Bus ما وصل", "Loda Bus"),
        (BOX, "en", "post barn lost my lamp", "post barn"),
        (BOX, "ru", "стою в ПостСарае час", "ПостСарае"),
        (BOX, "fa", "پست بارن بسته را گم کرد", "پست بارن"),
        (BOX, "fa", "پستبارن بسته را گم کرد", "پستبارن"),
        ({"Перекрёсток": []}, "ru", "была в Перекрестке у дома", "Перекрестке"),
        ({"Sahel": ["الساحل"]}, "ar", "زحمة بالساحل والله", "بالساحل"),
        ({"Sahel": ["الساحل"]}, "ar", "رحت للساحل", "للساحل"),
    ],
)
def test_a_name_is_found_in_every_form(aliases: dict[str, list[str]], lang: str, text: str, expected: str) -> None:
    assert found(aliases, lang, text) == [(next(iter(aliases)), expected)]


@pytest.mark.parametrize(
    ("aliases", "lang", "text"),
    [
        ({"Boots": []}, "en", "my boots are wet"),
        ({"Boots": []}, "en", "Boots on, off we go"),
        ({"Магнит": []}, "ru", "магнит на холодильник"),
        ({"Next": []}, "en", "NEXT TIME I WALK"),
        ({"Karim": ["كريم"]}, "ar", "رمضان الكريم"),
        ({"Loda Bus": []}, "en", "loda. Bus was late\nloda\nbus"),
        ({"Link": []}, "en", "see [LINK] and https://link.example/loda"),
        ({"Rim": ["ريم"]}, "ar", "كريم جدا"),
    ],
)
def test_an_ordinary_word_is_not_taken_for_a_name(aliases: dict[str, list[str]], lang: str, text: str) -> None:
    assert [name for name, place in found(aliases, lang, text) if name != "Loda Bus" or "\n" in place] == []


@pytest.mark.parametrize("text", ["went to Boots for plasters", "#boots again", "closed: «Boots»"])
def test_an_ordinary_word_counts_where_it_is_written_as_a_name(text: str) -> None:
    assert [name for name, _ in found({"Boots": []}, "en", text)] == ["Boots"]


def test_a_district_named_by_a_common_adjective_needs_a_capital_or_its_district() -> None:
    names = {"Sovetsky": ["Советский"]}
    assert found(names, "ru", "помню советские времена") == []
    assert found(names, "ru", "Живу в Советском, света нет") == [("Sovetsky", "Советском")]
    assert found(names, "ru", "у нас в советском районе темно") == [("Sovetsky", "советском")]


def test_the_longest_name_wins_and_none_overlap() -> None:
    names = {"Park": ["Old Park"], "Hill": ["Old Park Hill"]}
    assert found(names, "en", "met at Old Park Hill near Old Park") == [("Hill", "Old Park Hill"), ("Park", "Old Park")]


def test_a_name_written_without_letters_matches_nothing() -> None:
    assert found({"!!!": ["…"]}, "en", "!!! … hello") == []
