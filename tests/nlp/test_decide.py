from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from citystudy.codeframe import KINDS, THEMES
from citystudy.store import Statement
from nlp.coder.decide import POST_WEIGHT, SECOND_THEME, statements

CUT = 0.5


def row(names: tuple[str, ...], **probabilities: float) -> list[float]:
    return [probabilities.get(name, 0.01) for name in names]


def kinds(**probabilities: float) -> list[float]:
    return row(KINDS, **probabilities)


def themes(**probabilities: float) -> list[float]:
    return row(THEMES, **probabilities)


ARRAYS = tuple(
    np.array(values, np.float32)
    for values in (
        kinds(problem=0.8),
        themes(food=0.8),
        [kinds(problem=0.8)],
        [themes(food=0.8)],
    )
)


def decide(
    post: tuple[list[float], list[float]], *clauses: tuple[list[float], list[float]], cut: float = CUT
) -> list[Statement]:
    """Decide over clauses of ten code points each."""
    return statements(
        [(10 * number, 10 * number + 9) for number in range(len(clauses))],
        np.array(post[0], np.float32),
        np.array(post[1], np.float32),
        np.array([clause[0] for clause in clauses], np.float32).reshape(-1, len(KINDS)),
        np.array([clause[1] for clause in clauses], np.float32).reshape(-1, len(THEMES)),
        cut=cut,
    )


def test_no_kind_past_the_cut_is_no_statement() -> None:
    clause = (kinds(problem=0.99), themes(transport=0.99))
    assert decide((kinds(problem=0.49, wish=0.3), themes(transport=0.99)), clause, clause) == []


def test_no_clause_is_no_statement() -> None:
    assert decide((kinds(problem=0.9), themes(transport=0.9))) == []


def test_a_kind_at_the_cut_is_told_by_the_clause_most_like_it() -> None:
    [found] = decide(
        (kinds(problem=0.5), themes(transport=0.8)),
        (kinds(problem=0.2), themes(food=0.9)),
        (kinds(problem=0.4), themes(transport=0.8)),
        (kinds(problem=0.3), themes(money=0.9)),
    )
    share = 0.8 / (0.8 + 17 * 0.01)  # of the likeliest among eighteen themes
    assert found == Statement("problem", "transport", 10, 19, round(0.5 * share, 4))


def test_of_clauses_alike_the_first_is_taken() -> None:
    clause = (kinds(problem=0.4), themes(transport=0.8))
    [found] = decide((kinds(problem=0.5), themes(transport=0.8)), clause, clause)
    assert found.start == 0


def test_the_theme_is_the_likeliest_by_post_and_clause_together() -> None:
    post = (kinds(problem=0.8), themes(transport=0.2, money=0.5))
    [by_post] = decide(post, (kinds(problem=0.8), themes(transport=0.6, money=0.4)))
    [by_clause] = decide(post, (kinds(problem=0.8), themes(transport=0.99, money=0.01)))
    assert by_post.theme == "money"
    assert by_clause.theme == "transport"
    transport = POST_WEIGHT * 0.2 + (1 - POST_WEIGHT) * 0.99
    money = POST_WEIGHT * 0.5 + (1 - POST_WEIGHT) * 0.01
    assert by_clause.score == pytest.approx(0.8 * transport / (transport + money + 16 * 0.01), abs=1e-4)


def test_each_kind_has_its_own_clause_and_the_surest_comes_first() -> None:
    found = decide(
        (kinds(problem=0.6, wish=0.9), themes(transport=0.5, leisure=0.5)),
        (kinds(problem=0.9, wish=0.1), themes(transport=0.9)),
        (kinds(problem=0.1, wish=0.9), themes(leisure=0.9)),
    )
    assert [(s.kind, s.theme, s.start) for s in found] == [("wish", "leisure", 10), ("problem", "transport", 0)]


def test_one_clause_may_carry_several_kinds() -> None:
    found = decide(
        (kinds(problem=0.9, wish=0.8, preference=0.7), themes(food=0.9)),
        (kinds(problem=0.9, wish=0.9, preference=0.9), themes(food=0.9)),
    )
    assert [(s.kind, s.theme) for s in found] == [("problem", "food"), ("wish", "food"), ("preference", "food")]


def test_a_second_theme_is_told_where_it_is_likely_too() -> None:
    post, clause = (kinds(problem=0.9), themes(food=0.9, money=0.5)), (kinds(problem=0.9), themes(food=0.9, money=0.5))
    assert [s.theme for s in decide(post, clause)] == ["food", "money"]
    first, second = decide(post, clause)
    assert first.score / second.score == pytest.approx(0.9 / 0.5, abs=0.01)
    unlikely = (kinds(problem=0.9), themes(food=0.9, money=SECOND_THEME - 0.05))
    assert [s.theme for s in decide(unlikely, unlikely)] == ["food"]


def test_no_kind_gives_way_to_the_second_theme_of_another() -> None:
    both = (kinds(problem=0.9, wish=0.9, preference=0.5), themes(food=0.9, money=0.8))
    found = decide(both, both)
    assert [(s.kind, s.theme) for s in found] == [("problem", "food"), ("wish", "food"), ("preference", "food")]


def test_certainty_scales_the_odds_of_a_score() -> None:
    one = statements([(0, 5)], *ARRAYS, cut=CUT)
    [scaled] = statements([(0, 5)], *ARRAYS, cut=CUT, certainty=(0.5, 1.0))
    assert logit(scaled.score) == pytest.approx(0.5 * logit(one[0].score) + 1.0, abs=0.01)


probability = st.floats(0, 1, width=32)


@given(st.data(), st.integers(0, 6), st.floats(0.05, 0.95))
def test_at_most_three_of_distinct_pairs_none_under_the_cut(data: st.DataObject, n: int, cut: float) -> None:
    def draw(length: int) -> list[float]:
        return data.draw(st.lists(probability, min_size=length, max_size=length))

    post = (draw(len(KINDS)), draw(len(THEMES)))
    clauses = [(draw(len(KINDS)), draw(len(THEMES))) for _ in range(n)]
    found = decide(post, *clauses, cut=cut)
    assert len(found) <= 3
    assert len({(s.kind, s.theme) for s in found}) == len(found)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    likely = dict(zip(KINDS, np.float32(post[0]), strict=True))
    assert {s.kind for s in found} == {kind for kind in KINDS if likely[kind] >= cut and n}
    for s in found:
        assert s.score <= round(float(likely[s.kind]), 4) + 1e-4
        assert (s.start, s.end) in {(10 * number, 10 * number + 9) for number in range(n)}
    assert found == decide(post, *clauses, cut=cut)
