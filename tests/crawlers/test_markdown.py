from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.markdown import markdown_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Автобус **10** _опять_ `не пришёл`", "Автобус 10 опять не пришёл"),
        ("ایستگاه [آسانسور](https://example.org/x) ندارد\nو نمی‌شود رفت", "ایستگاه آسانسور ندارد\nو نمی‌شود رفت"),
        ("الزحمة ![صورة](https://example.org/x.png) لا تطاق 😤", "الزحمة لا تطاق 😤"),
        ("AT&amp;T &lt;3 5 * 3 < 20 & snake_case_name", "AT&T <3 5 * 3 < 20 & snake_case_name"),
        ("a <b>bold</b> claim <script>x</script>", "a <b>bold</b> claim <script>x</script>"),
        ("~~closed~~ open", "closed open"),
        ("::: spoiler Подробно\nтам лужа\n:::\nконец", "Подробно\nтам лужа\n\nконец"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_reader_sees_is_kept(source: str, text: str) -> None:
    assert markdown_to_text(source) == text


@given(st.text(max_size=300))
def test_any_text_is_survived(source: str) -> None:
    assert isinstance(markdown_to_text(source), str)


def test_hostile_nesting_takes_no_time() -> None:
    assert len(markdown_to_text("> " * 5_000 + "[" * 5_000 + "*a " * 5_000)) < 100_000
