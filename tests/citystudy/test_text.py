from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.text import full_text, names_city, normalise, storable

LANGUAGES = ["en", "ar", "fa", "ru"]
# What posts are made of, beside plain words: letters with several spellings, digits of three scripts, joiners, emoji.
ODD = "aBzßéİاأإآٱبىيةهؤئکكیگپچڤـًَّٰۀеЕёЁйшщ0159٣٧۴۶ #@_-.,!?:/…؟،'\"\n\u0301\u200c\u200d\u200e😀👩🏽🚒🇷🇺❤\ufe0f\u20e3"
PIECES = [
    "https://x.example/y",
    "www.x.example",
    "[LINK]",
    "[HANDLE]",
    "#LeedsCity",
    "#عمّان",
    "&amp;",
    "سلاااام",
    "нееет",
]
posts = st.lists(st.one_of(st.text(ODD, max_size=6), st.sampled_from(PIECES)), max_size=8).map("".join)
any_text = st.text(st.characters(exclude_categories=[]), max_size=80)


@given(any_text)
def test_what_is_stored_has_nothing_that_a_database_or_a_page_would_choke_on(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in stored)
    assert not set(stored) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert "\n\n\n" not in stored
    assert stored == stored.strip()
    assert storable(stored) == stored


@given(any_text)
def test_letters_and_emoji_are_stored_as_they_were(text: str) -> None:
    kept = [c for c in text if unicodedata.category(c)[0] in "LNSP"]
    assert [c for c in storable(text) if unicodedata.category(c)[0] in "LNSP" and c != "\ufffd"] == [
        c for c in kept if c != "\ufffd"
    ]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a \t\u00a0 b", "a b"),
        ("a\n \n\n\n b", "a\n\nb"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("\ufeff x ", "x"),
        ("\x00 \n ", ""),
    ],
)
def test_storable(text: str, stored: str) -> None:
    assert storable(text) == stored


@given(posts, st.sampled_from(LANGUAGES))
def test_normalising_twice_is_normalising_once(text: str, lang: str) -> None:
    once = normalise(text, lang)
    assert normalise(once, lang) == once


@given(posts, st.sampled_from(LANGUAGES))
def test_what_is_normalised_is_lower_case_and_single_spaced(text: str, lang: str) -> None:
    folded = normalise(text, lang)
    assert folded == folded.lower() == " ".join(folded.split())


@given(posts, st.sampled_from(LANGUAGES))
def test_composed_and_decomposed_letters_fold_together(text: str, lang: str) -> None:
    assert normalise(unicodedata.normalize("NFD", text), lang) == normalise(unicodedata.normalize("NFC", text), lang)


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("ar", "أحمد إلى آخر ٱسم", "احمد الي اخر اسم"),
        ("ar", "مدرسة كبيرة", "مدرسه كبيره"),
        ("ar", "مستشفى", "مستشفي"),
        ("ar", "كتــــاب", "كتاب"),
        ("ar", "مُشْكِلَةٌ", "مشكله"),
        ("ar", "مسؤول شاطئ", "مسوول شاطي"),
        ("ar", "کیف", "كيف"),
        ("ar", "#عمّان", "عمان"),
        ("ar", "ﻻ ﷲ", "لا الله"),
        ("ar", "١٢٣", "123"),
        ("ar", "جداااااا", "جداا"),
        ("fa", "كتابي", "کتابی"),
        ("fa", "می‌خواهم", "می خواهم"),
        ("fa", "خانۀ", "خانه"),
        ("fa", "مسأله", "مساله"),
        ("fa", "مُشکل", "مشکل"),
        ("fa", "۱۲۳", "123"),
        ("fa", "#نگین_نت", "نگین نت"),
        ("ru", "Ёлка ещё", "елка еще"),
        ("ru", "ШКОЛА", "школа"),
        ("ru", "за\u0301мок", "замок"),
        ("ru", "нееееет", "неет"),
        ("ru", "#СтавропольЛучший", "ставрополь лучший"),
        ("ru", "и\u0306", "й"),
        ("en", "#LeedsCity2024 rocks", "leeds city 2024 rocks"),
        ("en", "ｆｕｌｌ ﬁne", "full fine"),
        ("en", "a &amp; b", "a & b"),
        ("en", "see https://x.example/y [LINK] @me now", "see now"),
        ("en", "İstanbul", "istanbul"),
        ("en", "soooo", "soo"),
    ],
)
def test_pairs_of_spellings_fold_together(lang: str, one: str, other: str) -> None:
    assert normalise(one, lang) == normalise(other, lang) == other


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("fa", "آب", "اب"),
        ("ru", "йод", "иод"),
        ("en", "100", "1000"),
        ("ar", "ازمه", "ازمات"),
    ],
)
def test_what_means_something_else_stays_apart(lang: str, one: str, other: str) -> None:
    assert normalise(one, lang) != normalise(other, lang)


def test_each_emoji_is_a_word() -> None:
    assert normalise("good😀❤\ufe0fday", "en").split() == ["good", "❤", "😀", "day"]


@pytest.mark.parametrize("text", ["#" * 50_000, "&" * 50_000, "[LINK" * 10_000, "😀" * 50_000, "w" * 50_000])
def test_no_text_takes_long(text: str) -> None:
    normalise(text, "en")
    storable(text)


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_offsets_of_the_full_text_count_title_and_newline(title: str, text: str) -> None:
    full = full_text(title, text)
    offset = len(title) + 1 if title else 0
    assert full[offset:] == text
    assert full[: len(title)] == title


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Приложение не работает в Казани", ["Казань"]),
        ("метро в Москве закрыто", ["Москва"]),
        ("التطبيق لا يعمل بالرياض", ["الرياض", "رياض"]),
        ("أسكن في عمان منذ سنة", ["عمان"]),
        ("در تهران پیک نمی‌آید", ["تهران"]),
        ("Leeds's drivers never come", ["Leeds"]),
        ("#Kazan is cold", ["Kazan"]),
    ],
)
def test_a_city_is_found_by_its_name(text: str, names: list[str]) -> None:
    assert names_city(text, names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The app does not open", ["Leeds"]),
        ("it misleeds people", ["Leeds"]),
        ("казанский суп", ["Казахстан"]),
        ("", ["Amman"]),
        ("anything", []),
        ("الأمان مهم", ["عمان"]),
    ],
)
def test_what_is_not_the_city_is_not_taken_for_it(text: str, names: list[str]) -> None:
    assert not names_city(text, names)
