from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.markup import html_to_text, looks_like_html, plain


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<p>Hi <a class="mention">#<span>riyadh</span></a></p><p>two<br>lines</p>', "Hi #riyadh\n\ntwo\nlines"),
        ("<script>alert(1)</script>seen<style>p{}</style><!-- not -->", "seen"),
        ("می\u200cخواهم <b>نان</b>", "می\u200cخواهم نان"),
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("one\ntwo <i>three</i>", "one\ntwo three"),
        ("👩\u200d👧 <b>дом</b>", "👩\u200d👧 дом"),
        ("<p>a\x00b\ud800</p>", "ab\ufffd"),
        ("", ""),
    ],
)
def test_visible_text_with_its_code_points(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_markup_nested_too_deep_keeps_its_text() -> None:
    assert html_to_text("<div>" * 3000 + "deep" + "</div>" * 3000) == "deep"


@pytest.mark.parametrize("text", ["a < b and c > d", "I <3 Kazan", "x<y", "<user@example.org>", "no markup"])
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert not looks_like_html(text)
    assert plain(text) == text


@given(st.text())
def test_never_raises_and_no_script_survives(text: str) -> None:
    assert "alert(" not in html_to_text(f"<p>{text.replace('alert(', '')}</p><script>alert(1)</script>")


@given(st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_the_short_way_for_one_paragraph_gives_what_the_parser_gives(text: str) -> None:
    assert html_to_text(f"<p>{text}</p>").split() == html_to_text(f"<div><p>{text}</p></div>").split()
