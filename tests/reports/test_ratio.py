"""Against published worked examples, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.findings.ratio import EQUIVALENCE_RATIO, adjusted, alike_p, difference_p, pooled_ratio, wilson

# University Group Diabetes Program, deaths by age (Rothman and Greenland, Modern Epidemiology, table 15-1).
UGDP = [(8, 106, 5, 120), (22, 98, 16, 85)]
# Admissions at Berkeley by department, men against women (Bickel, Hammel and O'Connell 1975).
BERKELEY = [
    (512, 825, 89, 108),
    (353, 560, 17, 25),
    (120, 325, 202, 593),
    (138, 417, 131, 375),
    (53, 191, 94, 393),
    (22, 373, 24, 341),
]


@pytest.mark.parametrize(
    ("voices", "base", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombe_1998(voices: int, base: int, low: float, high: float) -> None:
    assert wilson(voices, base) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))))
def test_a_share_lies_within_its_interval(cell: tuple[int, int]) -> None:
    low, high = wilson(*cell)
    assert 0 <= low <= cell[0] / cell[1] <= high <= 1


def test_the_pooled_risk_ratio_of_the_diabetes_program() -> None:
    ratio = pooled_ratio(UGDP)
    assert ratio is not None
    assert ratio.estimate == pytest.approx(1.33, abs=0.005)
    assert ratio.low < 1 < ratio.high


def test_one_stratum_gives_the_plain_risk_ratio_and_its_textbook_error() -> None:
    ratio = pooled_ratio([(30, 100, 20, 200)])
    assert ratio is not None
    assert ratio.estimate == pytest.approx(3)
    assert ratio.log_se == pytest.approx(math.sqrt(1 / 30 - 1 / 100 + 1 / 20 - 1 / 200))


def test_a_confounded_difference_vanishes_when_pooled() -> None:
    strata = [(80, 100, 8, 10), (1, 10, 10, 100)]
    ratio = pooled_ratio(strata)
    assert ratio is not None
    assert ratio.estimate == pytest.approx(1)
    assert difference_p(strata) > 0.9


def test_nobody_elsewhere_leaves_a_finite_lower_bound() -> None:
    ratio = pooled_ratio([(20, 100, 0, 100), (10, 50, 0, 60)])
    assert ratio is not None
    assert 1 < ratio.low < math.inf
    assert pooled_ratio([(0, 100, 0, 100)]) is None


def test_the_mantel_haenszel_test_of_the_berkeley_admissions() -> None:
    assert difference_p(BERKELEY) == pytest.approx(0.2323, abs=5e-4)


def test_a_small_stratum_gets_fishers_exact_test() -> None:
    assert difference_p([(3, 4, 1, 4)]) == pytest.approx(0.4857, abs=5e-5)


def test_small_strata_together_are_exact_too() -> None:
    strata = [(3, 6, 1, 6), (2, 5, 0, 7)]
    assert difference_p(strata) == pytest.approx(_by_counting(strata))


def test_empty_strata_tell_nothing() -> None:
    assert difference_p([(0, 10, 0, 20)]) == 1.0
    assert difference_p([]) == 1.0


def test_benjamini_and_hochbergs_own_example_rejects_four() -> None:
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert sum(q <= 0.05 for q in adjusted(p)) == 4
    assert adjusted([]) == []


def test_alike_needs_a_tight_interval_around_one() -> None:
    wide, tight = pooled_ratio([(10, 100, 10, 100)]), pooled_ratio([(400, 1000, 400, 1000)])
    assert wide is not None
    assert tight is not None
    assert alike_p(tight) < 0.001
    assert alike_p(wide) > 0.05
    assert alike_p(tight) == pytest.approx(stats.norm.sf(math.log(EQUIVALENCE_RATIO) / tight.log_se))


tables = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
        lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
    ),
    min_size=1,
    max_size=4,
)


@given(tables, st.randoms())
def test_the_order_of_strata_does_not_matter(rows: list[tuple[int, int, int, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert difference_p(rows) == pytest.approx(difference_p(shuffled))
    first, second = pooled_ratio(rows), pooled_ratio(shuffled)
    assert (first is None) == (second is None)
    if first and second:
        assert first.low == pytest.approx(second.low)


@given(tables)
def test_the_other_side_sees_the_inverse(rows: list[tuple[int, int, int, int]]) -> None:
    there = [(b, m, a, n) for a, n, b, m in rows]
    assert difference_p(rows) == pytest.approx(difference_p(there))
    here, back = pooled_ratio(rows), pooled_ratio(there)
    if here and back and sum(r[0] for r in rows) and sum(r[2] for r in rows):
        assert here.estimate == pytest.approx(1 / back.estimate)


def test_the_interval_covers_the_true_ratio() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        rows = [
            (random.binomial(n, 2 * p), n, random.binomial(m, p), m) for n, m, p in ((60, 200, 0.1), (120, 90, 0.2))
        ]
        ratio = pooled_ratio([tuple(map(int, row)) for row in rows])  # type: ignore[misc]
        covered += ratio is not None and ratio.low <= 2 <= ratio.high
    assert 0.92 <= covered / 400 <= 0.985


def test_wilson_covers_small_and_large_shares() -> None:
    for n, share in ((20, 0.05), (60, 0.3), (400, 0.02)):
        chances = stats.binom.pmf(np.arange(n + 1), n, share)
        inside = [low <= share <= high for low, high in (wilson(x, n) for x in range(n + 1))]
        assert 0.92 <= float(chances[inside].sum()) <= 0.99


def _by_counting(strata: list[tuple[int, int, int, int]]) -> float:
    """Sum over every pair of outcomes with the margins kept."""
    outcomes: dict[int, float] = {}
    first, second = (
        {x: float(stats.hypergeom.pmf(x, n + m, a + b, n)) for x in range(a + b + 1)} for a, n, b, m in strata
    )
    for x, p in first.items():
        for y, q in second.items():
            outcomes[x + y] = outcomes.get(x + y, 0) + p * q
    seen = outcomes[strata[0][0] + strata[1][0]]
    return sum(p for p in outcomes.values() if p <= seen * (1 + 1e-7))
