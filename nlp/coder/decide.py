"""From probabilities to statements: which codes a post carries, and which clause carries each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import expit, logit

from citystudy.codeframe import KINDS, MOST_CODES, THEMES
from citystudy.store import Statement
from nlp.coder.model import Floats

TINY = 1e-9
POST_WEIGHT = 0.7  # of the post against the clause in telling the theme; by cross-validation
SECOND_THEME = 0.4  # the least probability of a second theme of a kind; by cross-validation
PLAIN = (1.0, 0.0)


def statements(
    clauses: Sequence[tuple[int, int]],
    post_kinds: Floats,
    post_themes: Floats,
    clause_kinds: Floats,
    clause_themes: Floats,
    *,
    cut: float,
    certainty: tuple[float, float] = PLAIN,
) -> list[Statement]:
    """Return the statements of a post, at most MOST_CODES, the surest first; none where no kind reaches `cut`.

    A kind is told of the whole post; its clause is the one most like that kind; its theme is the likeliest by post and
    clause together, and a second theme where that is likely too. The score is the probability that kind and theme are
    both right: the kind's probability times the theme's share, scaled by `certainty`, slope and offset of its log-odds
    (Platt 1999).
    """
    found: list[Statement] = []
    seconds: list[Statement] = []
    for k in np.flatnonzero(post_kinds >= cut) if clauses else ():
        clause = int(np.argmax(clause_kinds[:, k]))
        themes = POST_WEIGHT * post_themes + (1 - POST_WEIGHT) * clause_themes[clause]
        likeliest, second = np.argsort(-themes, kind="stable")[:2]
        start, end = clauses[clause]
        for theme, chosen in ((likeliest, found), (second, seconds)):
            if chosen is found or themes[second] >= SECOND_THEME:
                share = themes[theme] / max(themes.sum(), TINY)  # of all that the statement may be about
                score = _scaled(float(post_kinds[k] * share), certainty)
                chosen.append(Statement(KINDS[k], THEMES[theme], start, end, score))
    return surest_first([*found, *surest_first(seconds)][:MOST_CODES])


def surest_first(found: Iterable[Statement]) -> list[Statement]:
    """Return statements by falling score; of one score by their place, then by their names."""
    return sorted(found, key=lambda s: (-s.score, s.start, s.kind, s.theme))


def _scaled(probability: float, certainty: tuple[float, float]) -> float:
    slope, offset = certainty
    inside = min(max(probability, TINY), 1 - TINY)
    return round(float(expit(slope * logit(inside) + offset)), 4)
