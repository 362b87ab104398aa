"""Two groups compared within strata: pooled risk ratio, its interval, and tests of difference and likeness.

A stratum is a row (a, n, b, m): a of n voices here say it, b of m elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

Z95: Final = float(stats.norm.ppf(0.975))
EQUIVALENCE_RATIO: Final = 1.5
MANTEL_FLEISS: Final = 5.0
ZERO_CORRECTION: Final = 0.5

Tables = Sequence[tuple[int, int, int, int]]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A pooled risk ratio; `log_se` is the standard error of its logarithm."""

    estimate: float
    low: float
    high: float
    log_se: float


def wilson(voices: int, base: int) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share (Wilson 1927), as fractions."""
    low, high = proportion_confint(voices, base, alpha=0.05, method="wilson")
    share = voices / base
    return min(max(0.0, float(low)), share), max(min(1.0, float(high)), share)


def pooled_ratio(tables: Tables) -> Ratio | None:
    """Return the Mantel-Haenszel risk ratio with its Greenland-Robins 95 % interval (Greenland & Robins 1985).

    Where nobody says it on one side, 0.5 is added to the cells of each stratum with a zero on that side, so the
    estimate is not meaningful there but the bounds are. None where nobody says it at all.
    """
    rows = np.asarray(tables, dtype=np.float64).reshape(-1, 4)
    if not rows[:, 0].sum() + rows[:, 2].sum():
        return None
    for side in (0, 2):
        if not rows[:, side].sum():
            zero = rows[:, side] == 0
            rows[zero] += np.array([1, 2, 1, 2]) * ZERO_CORRECTION
    a, n, b, m = rows.T
    total = n + m
    here, elsewhere = float((a * m / total).sum()), float((b * n / total).sum())
    spread = float((((a + b) * n * m - a * b * total) / total**2).sum())
    log_se = math.sqrt(max(spread, 0.0) / (here * elsewhere))
    estimate = here / elsewhere
    return Ratio(estimate, estimate * math.exp(-Z95 * log_se), estimate * math.exp(Z95 * log_se), log_se)


def difference_p(tables: Tables) -> float:
    """Return the two-sided p of 'no difference in any stratum'.

    Mantel-Haenszel with continuity correction where the Mantel-Fleiss criterion (Mantel & Fleiss 1980) allows it,
    else the exact conditional test, which is Fisher's for one stratum.
    """
    rows = np.asarray(tables, dtype=np.int64).reshape(-1, 4)
    rows = rows[(rows[:, 1] > 0) & (rows[:, 3] > 0)]
    said = rows[:, 0] + rows[:, 2]
    rows = rows[(said > 0) & (said < rows[:, 1] + rows[:, 3])]
    if not len(rows):
        return 1.0
    a, n, b, m = rows.T
    expected = float((n * (a + b) / (n + m)).sum())
    lowest, highest = float(np.maximum(0, a + b - m).sum()), float(np.minimum(a + b, n).sum())
    if min(expected - lowest, highest - expected) < MANTEL_FLEISS:
        return _exact_p(rows)
    table = StratifiedTable([np.array([[r[0], r[1] - r[0]], [r[2], r[3] - r[2]]]) for r in rows])
    return float(table.test_null_odds(correction=True).pvalue)


def alike_p(ratio: Ratio) -> float:
    """Return the p of 'not alike' by two one-sided tests (Schuirmann 1987) of the log ratio within ±ln 1.5."""
    if ratio.log_se == 0:
        return 0.0 if 1 / EQUIVALENCE_RATIO < ratio.estimate < EQUIVALENCE_RATIO else 1.0
    margin, log_ratio = math.log(EQUIVALENCE_RATIO), math.log(ratio.estimate)
    return float(stats.norm.sf((margin - abs(log_ratio)) / ratio.log_se))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini-Hochberg q values (Benjamini & Hochberg 1995) in the order given."""
    if not p_values:
        return []
    return [float(q) for q in multipletests(p_values, method="fdr_bh")[1]]


def _exact_p(rows: npt.NDArray[np.int64]) -> float:
    """Sum the probabilities, given the margins, of all outcomes no likelier than the one seen."""
    probability: _Floats = np.ones(1)
    lowest = 0
    for a, n, b, m in rows:
        least, most = max(0, a + b - m), min(a + b, n)
        probability = np.convolve(probability, stats.hypergeom.pmf(np.arange(least, most + 1), n + m, a + b, n))
        lowest += least
    seen = probability[int(rows[:, 0].sum()) - lowest]
    return min(1.0, float(probability[probability <= seen * (1 + 1e-7)].sum()))
