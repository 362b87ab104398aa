import json

import pytest

from nlp.code import code_lines
from nlp.json_lines import BadRow


def lines(*rows: object) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]


COMPLAINTS = {
    "en": "The bus never came again and I waited two hours in the rain, terrible service.",
    "ar": "المياه مقطوعة عن الحي من ثلاثة أيام ولا أحد يرد على الشكاوى",
    "fa": "کیفیت غذا افتضاح بود و پیک دو ساعت دیر رسید، اصلا راضی نبودم",
    "ru": "Во дворе огромная яма, дорога разбита, никто не ремонтирует уже второй год",
}


def test_rows_come_back_in_order_with_their_ids_and_languages() -> None:
    rows = [{"id": n, "text": text} for n, text in enumerate(COMPLAINTS.values())]
    coded = list(code_lines(lines(*rows)))
    assert [row["id"] for row in coded] == [0, 1, 2, 3]
    assert [row["lang"] for row in coded] == list(COMPLAINTS)


@pytest.mark.parametrize("lang", COMPLAINTS)
def test_a_plain_complaint_is_a_problem_whose_span_lies_in_the_text(lang: str) -> None:
    text = COMPLAINTS[lang]
    (row,) = code_lines(lines({"id": "x", "text": text, "lang": lang}))
    problem = next(code for code in row["codes"] if code["kind"] == "problem")
    start, end = problem["span"]
    assert 0 <= start < end <= len(text)
    assert text[start:end].strip() == text[start:end]
    assert 0 < problem["score"] <= 1


def test_small_talk_adverts_and_uncoded_languages_get_no_codes() -> None:
    rows = lines(
        {"id": 1, "text": "Good morning everyone 😊"},
        {"id": 2, "text": "Bugün hava çok güzel, herkese günaydın arkadaşlar, nasılsınız bakalım"},
        {"id": 3, "text": ""},
        {"id": 4, "text": "🎉🎉🎉"},
    )
    coded = list(code_lines(rows))
    assert [row["codes"] for row in coded] == [[], [], [], []]
    assert [row["lang"] for row in coded] == ["en", "tr", None, None]


def test_spans_count_code_points_of_the_text_as_given() -> None:
    text = "😀😀 " + COMPLAINTS["en"]
    (row,) = code_lines(lines({"id": 1, "text": text}))
    assert text[slice(*row["codes"][0]["span"])] in COMPLAINTS["en"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json\n", "not valid JSON"),
        (b'{"id": 1, "te\n', "not valid JSON"),
        (b"[1]\n", "expected an object"),
        (b'{"text": "x"}\n', "id is missing"),
        (b'{"id": 1, "text": 5}\n', "found int, expected a string"),
        (b'{"id": 1}\n', "found NoneType, expected a string"),
        (b'{"id": 1, "text": "\xff"}\n', "not UTF-8"),
        (b"[" * 100_000 + b"\n", "not valid JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(line: bytes, reason: str) -> None:
    first, bad, last = code_lines([*lines({"id": 1, "text": "hello"}), line, *lines({"id": 2, "text": "hello"})])
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert reason in bad.reason
    assert (first["id"], last["id"]) == (1, 2)


def test_a_byte_order_mark_and_blank_lines_do_no_harm() -> None:
    assert len(list(code_lines([b"\xef\xbb\xbf" + lines({"id": 1, "text": "hi"})[0], b"\n", b"  \n"]))) == 1


def test_a_higher_cut_never_finds_more() -> None:
    rows = lines(*({"id": lang, "text": text} for lang, text in COMPLAINTS.items()))
    few = sum(len(row["codes"]) for row in code_lines(rows, cut=0.95))
    many = sum(len(row["codes"]) for row in code_lines(rows, cut=0.2))
    assert few <= many
    assert many > 0
