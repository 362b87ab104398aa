from __future__ import annotations

import re
import unicodedata

import pytest

from citystudy.errors import ConfigError
from citystudy.gazetteer import find_city, spoken_languages

# Asked for in English, Arabic, Persian or Russian: the name and country of the answer, a language spoken there, and a
# name that the city must go by in a language of the study.
KNOWN = [
    ("Leeds", "Leeds", "GB", "en", ("ru", "Лидс")),
    ("New York", "New York City", "US", "en", ("ru", "Нью-Йорк")),
    ("Karachi", "Karachi", "PK", "ur", ("fa", "کراچی")),
    ("são paulo", "São Paulo", "BR", "pt", ("ar", "ساو باولو")),
    ("Hyderabad, PK", "Hyderabad", "PK", "ur", ("fa", "حیدرآباد")),
    ("عمان", "Amman", "JO", "ar", ("ru", "Амман")),
    ("القاهرة", "Cairo", "EG", "ar", ("fa", "قاهره")),
    ("بغداد", "Baghdad", "IQ", "ar", ("fa", "بغداد")),
    ("الرياض", "Riyadh", "SA", "ar", ("fa", "ریاض")),
    ("جدة", "Jeddah", "SA", "ar", ("ar", "جدة")),
    ("دبي", "Dubai", "AE", "ar", ("fa", "دبی")),
    ("تهران", "Tehran", "IR", "fa", ("ar", "طهران")),
    ("شیراز", "Shiraz", "IR", "fa", ("ar", "شيراز")),
    ("اصفهان", "Isfahan", "IR", "fa", ("ru", "Исфахан")),
    ("مشهد", "Mashhad", "IR", "fa", ("ru", "Мешхед")),
    ("Казань", "Kazan", "RU", "ru", ("fa", "کازان")),
    ("Москва", "Moscow", "RU", "ru", ("fa", "مسکو")),
    ("Санкт-Петербург", "Saint Petersburg", "RU", "ru", ("ru", "Санкт-Петербург")),
    ("курск", "Kursk", "RU", "ru", ("ar", "كورسك")),
    ("Ставрополь", "Stavropol", "RU", "ru", ("ru", "Ставрополь")),
]


@pytest.mark.parametrize(("asked", "name", "country", "language", "alias"), KNOWN, ids=[row[1] for row in KNOWN])
def test_known_cities(asked: str, name: str, country: str, language: str, alias: tuple[str, str]) -> None:
    city = find_city(asked)
    assert (city.name, city.country) == (name, country)
    assert city.population > 100_000
    assert -90 <= city.latitude <= 90
    assert -180 <= city.longitude <= 180
    assert language in city.languages
    lang, known_as = alias
    assert known_as in city.aliases[lang]


@pytest.mark.parametrize("asked", [row[0] for row in KNOWN])
def test_names_are_in_the_alphabet_of_their_language(asked: str) -> None:
    aliases = find_city(asked).aliases
    assert set(aliases) <= {"ar", "fa", "ru"}
    for lang, names in aliases.items():
        assert names
        assert len(set(names)) == len(names)
        for name in names:
            assert len(name) > 2
            assert name == name.strip()
            assert not any(unicodedata.combining(c) for c in name)
            assert re.search("[а-яё]" if lang == "ru" else "[\u0621-\u06cc]", name)
    assert not re.search("[پچژگکی]", "".join(aliases.get("ar", ())))
    assert not re.search("[يىكةأإ]", "".join(aliases.get("fa", ())))


def test_the_name_that_cldr_gives_comes_first() -> None:
    assert find_city("Amman").aliases["ar"][0] == "عمان"
    assert find_city("Moscow").aliases["ru"][0] == "Москва"
    assert find_city("Tehran").aliases["fa"][0] == "تهران"


def test_a_word_for_city_is_no_part_of_a_name() -> None:
    assert not any(name.split()[-1] in {"ош", "город", "хот"} for name in find_city("Kazan").aliases["ru"])


def test_the_most_populous_of_a_name_unless_the_country_is_named() -> None:
    assert find_city("Hyderabad").country == "IN"
    assert find_city("hyderabad , pk").country == "PK"
    assert find_city("London").country == "GB"
    assert find_city("London, CA").country == "CA"


def test_marks_case_and_hyphens_do_not_matter() -> None:
    assert find_city("SAO PAULO") == find_city("São Paulo")
    assert find_city("Ростов на Дону") == find_city("Ростов-на-Дону")


@pytest.mark.parametrize("asked", ["", "  ", ", JO"])
def test_no_name_is_no_city(asked: str) -> None:
    with pytest.raises(ConfigError, match="found no city name"):
        find_city(asked)


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ConfigError, match=r"'Kazann': no such city in the gazetteer; did you mean Kazan"):
        find_city("Kazann")
    with pytest.raises(ConfigError, match=r"'Xqzwv': no such city in the gazetteer\. Spell it in English or its own"):
        find_city("Xqzwv")
    with pytest.raises(ConfigError, match="'Amman, RU': no such city"):
        find_city("Amman, RU")


@pytest.mark.parametrize(
    ("country", "languages"),
    [
        ("JO", ("ar", "en")),
        ("IR", ("fa",)),
        ("RU", ("ru",)),
        ("GB", ("en",)),
        ("SA", ("ar",)),
        ("PK", ("ur", "pa", "en")),
        ("XX", ()),
    ],
)
def test_languages_of_a_country_the_most_spoken_first(country: str, languages: tuple[str, ...]) -> None:
    assert spoken_languages(country) == languages
