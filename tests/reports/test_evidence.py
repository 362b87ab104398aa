from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from report_world import World

from reports.corpus import read_corpus
from reports.findings.evidence import LONGEST, choose, collect, quote, shown
from reports.findings.model import Need, Verbatim
from reports.findings.voices import hear

TRANSPORT = Need("problem", "transport")


def chosen(world: World) -> tuple[Verbatim, ...]:
    with world.store() as store:
        corpus = read_corpus(store)
    panel = hear(corpus, 5).panels[0]
    spoken = panel.spoken[TRANSPORT]
    return choose(spoken, collect(spoken, corpus.texts, quotes=True))


def test_a_statement_is_widened_to_its_sentence() -> None:
    text = "Good morning. The bus never came again! Off to work."
    start = text.index("bus")
    assert quote(text, start, start + len("bus never came")) == ("The ", "bus never came", " again!")


def test_a_statement_that_ends_with_its_mark_does_not_swallow_the_next_sentence() -> None:
    assert quote("No bus. No water.", 0, 7) == ("", "No bus.", "")


def test_a_long_sentence_gives_its_clause_and_a_long_clause_only_the_statement() -> None:
    text = "x" * 300 + ", the bus never came, " + "y" * 300
    start = text.index("bus")
    assert quote(text, start, start + 14) == ("the ", "bus never came", ",")
    plain = "x" * 300 + " the bus never came " + "y" * 300
    start = plain.index("bus")
    assert quote(plain, start, start + 14) == ("", "bus never came", "")
    assert quote("z" * 300, 0, 300) is None


def test_arabic_and_persian_sentence_marks_end_a_sentence() -> None:
    text = "وين الباص؟ المي مقطوعة من الصبح۔ صباح الخير"
    start = text.index("المي")
    assert quote(text, start, start + 10) == ("", "المي مقطوع", "ة من الصبح۔")


def test_bidi_overrides_and_controls_are_not_shown() -> None:
    assert shown("a\u202eb\u2066c\x00d\u200c\n") == "abcd\u200c\n"


@given(st.text(max_size=400), st.integers(0, 400), st.integers(1, 100))
def test_a_quote_holds_its_statement_and_is_short(text: str, start: int, length: int) -> None:
    found = quote(text, min(start, len(text)), min(start + length, len(text)))
    if found is not None:
        assert "".join(found) in shown(text)
        assert found[1] == shown(text[start : start + length])
        assert len("".join(found)) <= LONGEST


def test_five_of_the_highest_scores_no_voice_twice(world: World) -> None:
    world.crowd("alfa", 6)
    for number in range(9):
        world.post("alfa", f"a{number}", codes=[("problem", "transport")], score=0.5 + number / 100)
    world.post("alfa", "a8", codes=[("problem", "transport")], score=0.95, words="again")
    found = chosen(world)
    assert len(found) == 5
    assert "again" in found[0].marked
    assert sum("a8" in quoted.marked for quoted in found) == 0
    assert len({quoted.evidence for quoted in found}) == 5


def test_what_looks_like_a_contact_is_not_quoted(world: World) -> None:
    world.crowd("alfa", 6)
    world.post("alfa", "a", codes=[("problem", "transport")], words="call me at someone@example.org")
    assert chosen(world) == ()
