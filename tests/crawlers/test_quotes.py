from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawlers.markup import html_to_text
from crawlers.quotes import without_quotes


def own(markup: str) -> str:
    return html_to_text(without_quotes(markup))


def test_what_others_wrote_is_left_out() -> None:
    assert own("<blockquote><p>Он ходит?</p></blockquote><p>Раз в час</p>") == "Раз в час"
    assert own('<aside class="quote" data-post="3"><blockquote>كيف؟</blockquote></aside><p>ببطء</p>') == "ببطء"
    assert own('<div class="bbcode_quote">پله خراب است</div>آسانسور هم خراب است') == "آسانسور هم خراب است"
    assert own('So<div class="quoteheader">Tom</div><div class="quote">What?</div>it is') == "So\n\nit is"


def test_signatures_and_notes_of_edits_are_left_out() -> None:
    assert own('<p>Full</p><div class="signature">Peace</div><small class="lastedit">Edited by Tom</small>') == "Full"


def test_a_post_that_its_forum_puts_into_a_blockquote_stays() -> None:
    assert own('<blockquote class="postcontent restore">الزحمة خانقة</blockquote>') == "الزحمة خانقة"


def test_own_words_stay_as_they_are() -> None:
    for markup in ("no markup & all", "<p>می‌شود 🚌</p>", "<pre><code>x</code></pre>", ""):
        assert own(markup) == html_to_text(markup)


@given(st.text(alphabet=st.sampled_from("<>/blockquote divp class=\"'&#;x1\n\0"), max_size=80))
def test_no_markup_crashes(markup: str) -> None:
    assert isinstance(without_quotes(markup), str)
