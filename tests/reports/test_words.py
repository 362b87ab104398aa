from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel import Locale
from markupsafe import Markup
from report_world import study_of

from citystudy.codeframe import KINDS, THEMES
from reports.site.words import Language, catalogue

CODES = ("en", "ar", "fa", "ru")
NAMES = re.compile(r"{(\w+)}")


@pytest.fixture(params=CODES)
def language(request, tmp_path: Path) -> Language:
    return Language(request.param, study_of(tmp_path))


def test_every_language_has_every_sentence_with_the_same_names() -> None:
    english = catalogue("en")
    for code in CODES[1:]:
        own = catalogue(code)
        assert own.keys() == english.keys()
        for key, forms in own.items():
            names = set(NAMES.findall(english[key]["other"]))
            assert set(NAMES.findall(forms["other"])) == names, (code, key)
            assert all(set(NAMES.findall(form)) <= names for form in forms.values()), (code, key)


def test_every_number_of_voices_has_its_form(language: Language) -> None:
    rule = Locale.parse(language.code).plural_form
    needed = {str(rule(n)) for n in range(5, 400)}
    counted = [key for key in catalogue(language.code) if len(catalogue(language.code)[key]) > 1]
    for key in counted:
        forms = catalogue(language.code)[key].keys()
        fallback = {"few", "many"} if language.code == "ru" and "few" not in forms else {"one"}
        assert needed - forms <= fallback, key


def test_every_kind_and_theme_has_a_name(language: Language) -> None:
    assert all(language.theme(theme) for theme in THEMES)
    assert all(language.text(f"kind.{kind}") for kind in KINDS)


def test_no_sentence_is_left_in_english() -> None:
    english = catalogue("en")
    same = {
        key for code in CODES[1:] for key, forms in catalogue(code).items() if forms["other"] == english[key]["other"]
    }
    assert same <= {
        "need.topic",
        "interval.range",
        "interval.days",
        "overview.alone_row",
        "city.facts",
        "source.mastodon",
    }


def test_words_are_escaped_and_isolated_where_they_run_the_other_way(tmp_path: Path) -> None:
    arabic = Language("ar", study_of(tmp_path))
    assert "<bdi>&lt;b&gt;</bdi>" in arabic.html("evidence.title", city="<b>")
    assert arabic.html("evidence.title", city=Markup("<i>x</i>")).endswith("<i>x</i>")
    assert "\u2068Leeds\u2069" in arabic.text("evidence.title", city="Leeds")
    english = Language("en", study_of(tmp_path))
    assert "<bdi>عمّان</bdi>" in english.html("evidence.title", city="عمّان")
    assert english.text("evidence.title", city="Leeds") == "Evidence: Leeds"


def test_words_that_look_like_places_to_fill_stay_words(tmp_path: Path) -> None:
    english = Language("en", study_of(tmp_path))
    assert english.html("evidence.title", city="{city.__class__}") == "Evidence: {city.__class__}"


@pytest.mark.parametrize(
    ("code", "number", "percent", "day"),
    [
        ("en", "12,345.6", "23%", "Sep 3, 2026"),
        ("ar", "12,345.6", "23\u200e%\u200e", "3 سبتمبر 2026"),
        ("fa", "\u061c۱۲٬۳۴۵٫۶", "\u061c۲۳٪", "۳ سپتامبر ۲۰۲۶"),
        ("ru", "12\u00a0345,6", "23\u00a0%", "3 сент. 2026\u202fг."),
    ],
)
def test_numbers_and_dates_follow_cldr(code: str, number: str, percent: str, day: str, tmp_path: Path) -> None:
    language = Language(code, study_of(tmp_path))
    assert language.number(12345.6, 1) == number
    assert language.percent(0.234) == percent
    assert language.day(date(2026, 9, 3)) == day


def test_small_shares_keep_a_decimal(tmp_path: Path) -> None:
    english = Language("en", study_of(tmp_path))
    assert (english.percent(0.004), english.percent(0), english.percent(0.014)) == ("0.4%", "0%", "1%")
    assert english.span(0.004, 0.02) == "0.4–2%"


def test_lists_join_as_the_language_does(language: Language) -> None:
    assert language.listing([]) == ""
    assert language.listing(["a"]).striptags() == "a"
    assert language.listing(["<", "b"]).count("&lt;") == 1


def test_names_come_in_the_reports_language(tmp_path: Path) -> None:
    assert Language("ar", study_of(tmp_path)).city("alfa") == "ألفا"
    assert Language("ru", study_of(tmp_path)).city("alfa") == "Alfa"
