from __future__ import annotations

from itertools import pairwise

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from nlp.clauses import clause_offsets, mark_clauses

BLANK = {lang: spacy.blank(lang) for lang in ("en", "ar", "fa", "ru")}
PIECES = st.sampled_from(
    [
        "The bus is late", "but", "However", "вода", "но", "зато", "г.", "ул.", "لكن", "الباص", "ولی", "آب", "؟", "،", "؛ ",
        "...", "!!", "…", ".", ". ", ", ", " — ", "-", "\n", "\n\n", "😀", "»", ")", "№4", "e.g.", "booking.com", "Mr.", "12",
    ]
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=120),
    st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "  "])), max_size=30).map(
        lambda pairs: "".join(word + space for word, space in pairs)
    ),
)


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in clause_offsets(text)]


@given(texts)
def test_clauses_are_in_order_apart_and_trimmed(text: str) -> None:
    offsets = clause_offsets(text)
    flat = [offset for pair in offsets for offset in pair]
    assert flat == sorted(flat)
    assert not flat or (flat[0] >= 0 and flat[-1] <= len(text))
    for start, end in offsets:
        clause = text[start:end]
        assert clause == clause.strip()
        assert clause[0].isalnum() or clause[0] in "\"'«“„‘(#@["
        assert any(c.isalnum() for c in clause)


@given(texts)
def test_every_letter_and_digit_is_in_a_clause(text: str) -> None:
    covered = {at for start, end in clause_offsets(text) for at in range(start, end)}
    assert {at for at, c in enumerate(text) if c.isalnum()} <= covered


@given(texts, st.sampled_from(sorted(BLANK)))
def test_a_docs_clauses_are_whole_tokens_in_order_and_apart(text: str, lang: str) -> None:
    doc = mark_clauses(BLANK[lang].make_doc(text))
    spans = list(doc.spans["clauses"])
    ends = [(span.start, span.end) for span in spans]
    assert all(start < end for start, end in ends)
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    covered = {at for span in spans for at in range(span.start_char, span.end_char)}
    assert {at for at, c in enumerate(text) if c.isalnum()} <= covered


def test_a_token_across_two_clauses_is_in_the_first_alone() -> None:
    doc = mark_clauses(BLANK["en"].make_doc("see www.EXAMPLE.Org/now today"))
    assert [span.text for span in doc.spans["clauses"]] == ["see www.EXAMPLE.Org", "/now today"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bus is always late. Nobody cares about it!", ["The bus is always late.", "Nobody cares about it!"]),
        (
            "I love living in Leeds and its parks, but the bus never comes on time",
            ["I love living in Leeds and its parks", "but the bus never comes on time"],
        ),
        ("Good, but late", ["Good, but late"]),
        ("No bus at night; nobody told us about it", ["No bus at night;", "nobody told us about it"]),
        ("- broken lift\n- no heating at all\n\nwhen?", ["broken lift", "no heating at all", "when?"]),
        (
            "Mr. Smith waited e.g. two hours. The tram was full.",
            ["Mr. Smith waited e.g. two hours.", "The tram was full."],
        ),
        ("They all said no. The council did nothing.", ["They all said no.", "The council did nothing."]),
        ("booking.com is great for people like us", ["booking.com is great for people like us"]),
        ("The rent went up.Again nothing was mended", ["The rent went up.", "Again nothing was mended"]),
        ("Автобус 24 не ходит третий день. Жители жалуются.", ["Автобус 24 не ходит третий день.", "Жители жалуются."]),
        (
            "На ул. Ленина совсем темно по вечерам, зато на ул. Мира светло",
            ["На ул. Ленина совсем темно по вечерам", "зато на ул. Мира светло"],
        ),
        ("В 2024 г. обещали новый парк", ["В 2024 г. обещали новый парк"]),
        (
            "الشوارع مليانة حفر. متى يجي الحل؟ خلصنا صبر والله",
            ["الشوارع مليانة حفر.", "متى يجي الحل؟", "خلصنا صبر والله"],
        ),
        (
            "المطاعم هون كتير طيبة والناس لطيفين والجو حلو، لكن الباص ما بيجي",
            ["المطاعم هون كتير طيبة والناس لطيفين والجو حلو", "لكن الباص ما بيجي"],
        ),
        ("آب محله سه روزه قطعه؛ هیچکس جواب نمیده", ["آب محله سه روزه قطعه؛", "هیچکس جواب نمیده"]),
        (
            "شهر ما پارک‌های خیلی قشنگی داره و هواش هم خوبه، ولی اتوبوس همیشه دیر میاد",
            ["شهر ما پارک‌های خیلی قشنگی داره و هواش هم خوبه", "ولی اتوبوس همیشه دیر میاد"],
        ),
        ("The lift is broken. Ok.", ["The lift is broken. Ok."]),
        ("The lift is broken\nOk", ["The lift is broken", "Ok"]),
        ("😀 the new park is lovely 😀", ["the new park is lovely 😀"]),
        ("", []),
        (" \n …!? 😀 ", []),
    ],
)
def test_clauses_of_four_languages(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize(
    "text", ["-" * 20_000 + "x", "- " * 20_000, ", " * 20_000, "." * 50_000 + "x", "a." * 30_000, " but" * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    clause_offsets(text)  # a pattern that backtracks would take minutes


def test_it_is_a_component_by_name() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("citystudy_clauses")
    doc = nlp("No water. The taps are dry since Monday.")
    assert [span.text for span in doc.spans["clauses"]] == ["No water.", "The taps are dry since Monday."]
    assert list(nlp("").spans["clauses"]) == []
