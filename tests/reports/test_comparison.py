from __future__ import annotations

import numpy as np
import pytest

from reports.findings.comparison import Contest, judge
from reports.findings.model import Comparison
from reports.findings.ratio import Tables

K = 5


def verdict(tables: Tables, *more: Tables) -> Comparison:
    contests = {number: Contest(rows, ("s",)) for number, rows in enumerate((tables, *more))}
    return judge(contests, K)[0]


def test_what_stands_out_is_a_niche() -> None:
    found = verdict([(40, 100, 30, 300)])
    assert (found.verdict, found.bound, found.index) == ("niche", "point", 400)
    assert found.low is not None
    assert 100 < found.low < 400


def test_nobody_elsewhere_is_only_here_with_a_lower_bound_alone() -> None:
    found = verdict([(30, 100, 0, 300)])
    assert (found.verdict, found.bound, found.index, found.high) == ("niche", "only_here", None, None)
    assert found.low is not None
    assert found.low > 100


def test_few_elsewhere_are_not_given_away() -> None:
    found = verdict([(30, 100, 3, 300)])
    assert (found.bound, found.index, found.share_elsewhere) == ("lower", None, None)
    assert found.low is not None
    assert found.low % 10 == 0


def test_a_niche_needs_k_voices_in_one_stratum() -> None:
    thin = [(4, 40, 1, 400)] * 6
    assert sum(row[0] for row in thin) == 24
    assert verdict(thin).verdict != "niche"


def test_fewer_than_elsewhere_is_under() -> None:
    assert verdict([(20, 400, 80, 400)]).verdict == "under"


def test_a_small_difference_is_none() -> None:
    assert verdict([(22, 100, 60, 300)]).verdict == "no_difference"


def test_too_few_in_all_are_not_compared() -> None:
    assert verdict([(2, 100, 2, 300)]).reason == "too_rare"
    assert verdict([(2, 100, 90, 300)]).reason == "too_rare", "a closed count gets no index"


def test_many_comparisons_raise_the_bar() -> None:
    edge = [(18, 100, 28, 300)]
    assert verdict(edge).verdict == "niche"
    noise = [[(10, 100, 30 + n % 3, 300)] for n in range(60)]
    assert verdict(edge, *noise).verdict == "no_difference"


def test_common_means_alike_in_every_compared_city() -> None:
    alike = {city: Contest([(400, 1000, 800, 2000)], ("s",), "theme") for city in "abc"}
    assert {row.verdict for row in judge(alike, K).values()} == {"common"}
    unsure = alike | {"d": Contest([(4, 10, 400, 1000)], ("s",), "theme")}
    assert {row.verdict for row in judge(unsure, K).values()} <= {"no_difference", "not_compared"}
    small = {city: Contest([(10, 100, 20, 200)], ("s",), "theme") for city in "abc"}
    assert {row.verdict for row in judge(small, K).values()} == {"no_difference"}


def test_what_stands_out_somewhere_is_common_nowhere() -> None:
    contests = {
        "a": Contest([(4900, 10000, 8000, 20000)], ("s",), "theme"),
        "b": Contest([(4000, 10000, 8900, 20000)], ("s",), "theme"),
    }
    found = judge(contests, K)
    assert found["a"].verdict == "niche"
    assert found["b"].verdict != "common"


def test_false_discoveries_stay_rare_when_cities_do_not_differ() -> None:
    random = np.random.default_rng(11)
    wrong = 0
    studies = 150
    for _ in range(studies):
        shares = random.uniform(0.01, 0.3, 24)
        contests = {
            number: Contest(
                [
                    (int(random.binomial(n, share)), n, int(random.binomial(m, share)), m)
                    for n, m in ((60, 180), (40, 160))
                ],
                ("s",),
            )
            for number, share in enumerate(shares)
        }
        wrong += any(row.verdict in {"niche", "under"} for row in judge(contests, K).values())
    assert wrong / studies <= 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5


@pytest.mark.parametrize("k", [5, 20])
def test_order_does_not_matter(k: int) -> None:
    contests = {n: Contest([(10 + n, 100, 20, 200)], ("s",), n % 2) for n in range(12)}
    backwards = dict(reversed(contests.items()))
    assert judge(contests, k) == judge(backwards, k)
