"""From probabilities to statements: which codes a post carries, and which clause carries each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from citystudy.codeframe import KINDS, THEMES
from citystudy.store import Statement
from nlp.coder.model import Floats

TINY = 1e-9
POST_WEIGHT = 0.7  # of the post against the clause in telling the theme; by cross-validation


def statements(
    clauses: Sequence[tuple[int, int]],
    post_kinds: Floats,
    post_themes: Floats,
    clause_kinds: Floats,
    clause_themes: Floats,
    *,
    cut: float,
) -> list[Statement]:
    """Return at most one statement a kind, the surest first; none where no kind reaches `cut` or there is no clause.

    A kind is told of the whole post; its clause is the one most like that kind; its theme is the likeliest by post and
    clause together. The score is the probability that kind and theme are both right.
    """
    found = []
    for k in np.flatnonzero(post_kinds >= cut) if clauses else ():
        clause = int(np.argmax(clause_kinds[:, k]))
        themes = POST_WEIGHT * post_themes + (1 - POST_WEIGHT) * clause_themes[clause]
        theme = int(np.argmax(themes))
        start, end = clauses[clause]
        share = themes[theme] / max(themes.sum(), TINY)  # a statement has one theme: together they are 1
        score = round(float(post_kinds[k] * share), 4)
        found.append(Statement(KINDS[k], THEMES[theme], start, end, score))
    return sorted(found, key=lambda s: (-s.score, s.start, s.kind))
