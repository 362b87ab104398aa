"""Train the coder's models from the coded posts: `python -m nlp.training.build [LANG ...]`.

Whole posts and their clauses both train one linear model a language, so that the same weights judge a post and find
the clause that carries a code. Scores are measured and calibrated out of fold, near-duplicates kept in one fold.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from citystudy.codeframe import CODED_LANGUAGES, KINDS, THEMES
from citystudy.store import Statement
from citystudy.text import normalise
from nlp.clauses import clause_offsets
from nlp.coder import features
from nlp.coder.decide import statements
from nlp.coder.model import Floats, LinearModel
from nlp.training.silver import silver_posts
from nlp.training.texts import CodedPost, coded_posts, written_posts

FOLDS = 5
INVERSE_REGULARISATION = 10.0
CLAUSE_WEIGHT = 0.5
SILVER_WEIGHT = 0.3
CERTAIN = 10.0  # log-odds
LEAST_POSTS = 5  # a column is kept only where at least so many training texts have it
MODELS = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class Example:
    """A text to learn from; a None label says nothing of that question."""

    text: str
    kinds: frozenset[str] | None
    themes: frozenset[str] | None
    weight: float
    wish_known: bool = True


def main(languages: Sequence[str]) -> None:
    """Train, measure and write the models of `languages`."""
    for lang in languages:
        posts = list(coded_posts(lang))
        model = train(posts, lang, calibration=calibrate(out_of_fold(posts, lang).raw, posts))
        model.save(MODELS / f"{lang}.npz")
        print(lang, len(posts), "posts", f"{(MODELS / f'{lang}.npz').stat().st_size / 1e6:.1f} MB")


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Uncalibrated kind scores (log-odds) of each post, from models that did not see it, and those models."""

    raw: Floats
    models: list[LinearModel]
    folds: npt.NDArray[np.int_]


def out_of_fold(posts: Sequence[CodedPost], lang: str) -> OutOfFold:
    """Score each post by a model trained on the other folds."""
    folds = np.array([fold_of(post.text, lang) for post in posts])
    raw = np.zeros((len(posts), len(KINDS)), np.float32)
    models = []
    for fold in range(FOLDS):
        model = train([p for p, f in zip(posts, folds, strict=True) if f != fold], lang)
        models.append(model)
        held = np.flatnonzero(folds == fold).tolist()
        probabilities = model.probabilities([posts[i].text for i in held]).kinds
        raw[held] = np.log(probabilities / (1 - probabilities))
    return OutOfFold(raw, models, folds)


def fold_of(text: str, lang: str) -> int:
    """Return a text's fold by the hash of its first words as normalised: copies and near-copies share a fold."""
    words = [word for word in normalise(text, lang).split() if word.isalpha()]
    return int(hashlib.sha256(" ".join(words[:8]).encode()).hexdigest(), 16) % FOLDS


def train(posts: Sequence[CodedPost], lang: str, *, calibration: Floats | None = None) -> LinearModel:
    """Return a model of `posts`, the posts written for training, and (at a lower weight) silver posts."""
    examples = [*_examples([*posts, *written_posts(lang)]), *_silver(lang)]
    matrix = features.counts([example.text for example in examples], lang)
    idf = features.inverse_frequencies(matrix)
    columns = np.flatnonzero(np.bincount(matrix.indices, minlength=features.WIDTH) >= LEAST_POSTS).astype(np.int32)
    vectors = features.weighted(matrix, idf)[:, columns]
    weights, intercepts = zip(*_fits(examples, vectors), strict=True)
    return LinearModel(
        lang=lang,
        idf=idf,
        columns=columns,
        weights=np.stack(weights, 1).astype(np.float32),
        intercepts=np.array(intercepts, np.float32),
        calibration=calibration if calibration is not None else np.array([[1.0] * 3, [0.0] * 3], np.float32),
        card={"posts": len(posts), "examples": len(examples)},
    )


def _fits(examples: Sequence[Example], vectors: csr_matrix) -> Iterator[tuple[npt.NDArray[np.float64], float]]:
    weights = np.array([example.weight for example in examples])
    for kind in KINDS:
        known = np.array([e.kinds is not None and (kind != "wish" or e.wish_known) for e in examples])
        label = np.array([e.kinds is not None and kind in e.kinds for e in examples])
        yield _fit(vectors[known], label[known], weights[known], "balanced")
    known = np.array([bool(e.themes) for e in examples])
    for theme in THEMES:
        label = np.array([e.themes is not None and theme in e.themes for e in examples])
        yield _fit(vectors[known], label[known], weights[known], None)


def _fit(
    vectors: csr_matrix, label: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], balance: str | None
) -> tuple[npt.NDArray[np.float64], float]:
    if label.sum() < 2:  # noqa: PLR2004  nothing to learn from: never say it
        return np.zeros(vectors.shape[1]), -CERTAIN
    if label.all():
        return np.zeros(vectors.shape[1]), CERTAIN
    model = LogisticRegression(C=INVERSE_REGULARISATION, class_weight=balance, solver="liblinear", max_iter=300)
    model.fit(vectors, label, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _examples(posts: Sequence[CodedPost]) -> Iterator[Example]:
    for post in posts:
        yield Example(
            post.text, frozenset(c.kind for c in post.codes), frozenset(c.theme for c in post.codes), weight=1.0
        )
        if post.codes and all(code.span for code in post.codes):
            for start, end in clause_offsets(post.text):
                touched = [c for c in post.codes if c.span and _overlap((start, end), c.span)]
                yield Example(
                    post.text[start:end],
                    frozenset(c.kind for c in touched),
                    frozenset(c.theme for c in touched),
                    weight=CLAUSE_WEIGHT,
                )


def _overlap(clause: tuple[int, int], span: tuple[int, int]) -> bool:
    common = min(clause[1], span[1]) - max(clause[0], span[0])
    return common * 2 >= min(clause[1] - clause[0], span[1] - span[0])


def _silver(lang: str) -> Iterator[Example]:
    """Yield the silver posts that nobody coded by hand, so that none is in a fold that is held out."""
    texts = {normalise(post.text, lang) for post in coded_posts(lang)}
    for silver in silver_posts(lang):
        if normalise(silver.text, lang) not in texts:
            yield Example(silver.text, silver.kinds, silver.themes, weight=SILVER_WEIGHT, wish_known=False)


def statements_out_of_fold(posts: Sequence[CodedPost], lang: str, *, cut: float) -> list[list[Statement]]:
    """Return the statements each post gets from a model that did not see it."""
    result = out_of_fold(posts, lang)
    slopes, offsets = calibrate(result.raw, posts)
    found: list[list[Statement]] = []
    for post, fold, raw in zip(posts, result.folds, result.raw, strict=True):
        clauses = clause_offsets(post.text)
        if not clauses:
            found.append([])
            continue
        both = result.models[fold].probabilities([post.text, *(post.text[start:end] for start, end in clauses)])
        kinds = (1 / (1 + np.exp(-(raw * slopes + offsets)))).astype(np.float32)
        found.append(statements(clauses, kinds, both.themes[0], both.kinds[1:], both.themes[1:], cut=cut))
    return found


def calibrate(raw: Floats, posts: Sequence[CodedPost]) -> Floats:
    """Return slope and offset of each kind, shape (2, 3), by Platt scaling of out-of-fold scores."""
    fits = [
        LogisticRegression(C=1e6).fit(raw[:, k : k + 1], [any(c.kind == kind for c in p.codes) for p in posts])
        for k, kind in enumerate(KINDS)
    ]
    return np.array([[fit.coef_[0, 0] for fit in fits], [fit.intercept_[0] for fit in fits]], np.float32)


if __name__ == "__main__":
    main(sys.argv[1:] or CODED_LANGUAGES)
