"""Train the coder's models from the coded posts: `python -m nlp.training.build [LANG ...]`.

Whole posts and their clauses both train one linear model a language, so that the same weights judge a post and find
the clause that carries a code. Scores are calibrated out of fold, near-duplicates kept in one fold.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from citystudy.codeframe import CODED_LANGUAGES, KINDS, THEMES
from citystudy.store import Statement
from citystudy.text import normalise
from nlp.clauses import clause_offsets
from nlp.coder import features
from nlp.coder.decide import PLAIN, statements
from nlp.coder.model import Floats, LinearModel
from nlp.training.examples import FOLDS, Example, fold_of, of_coded, of_silver, opening_digest
from nlp.training.silver import SilverPost, silver_posts
from nlp.training.texts import CodedPost, coded_posts, written_posts

INVERSE_REGULARISATION = 5.0
CERTAIN = 10.0  # log-odds
TINY = 1e-6
LIKELY = 0.25  # the cut of the statements by which scores are scaled
UNSCALED = np.array([[1.0] * len(KINDS), [0.0] * len(KINDS)], np.float32)
LEAST_POSTS = 5  # a column is kept only where at least so many training posts have it
MODELS = Path(__file__).parent.parent / "models"
Offsets = list[tuple[int, int]]


def main(languages: Sequence[str]) -> None:
    """Train, measure and write the models of `languages`."""
    for lang in languages:
        posts = list(coded_posts(lang))
        silver = uncoded(silver_posts(lang), posts, lang)
        scaled = scales(posts, judge_out_of_fold(fold_models(posts, silver, lang), [post.text for post in posts], lang))
        model = train(posts, silver, lang, calibration=scaled.calibration, certainty=scaled.certainty)
        model.save(MODELS / f"{lang}.npz")
        print(lang, len(posts), "posts", f"{(MODELS / f'{lang}.npz').stat().st_size / 1e6:.1f} MB", flush=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """A post by a model that did not see it: log-odds of kinds, shape (3,), themes (18,), and those of its clauses."""

    kinds: Floats
    themes: Floats
    clauses: Offsets
    clause_kinds: Floats
    clause_themes: Floats


def judge_out_of_fold(models: Iterable[LinearModel], texts: Sequence[str], lang: str) -> list[Judged]:
    """Judge each text by the model, of those of `fold_models`, that saw nothing of its fold."""
    folds = [fold_of(text, lang) for text in texts]
    judged: dict[int, Judged] = {}
    for fold, model in enumerate(models):
        numbers = [number for number, of_text in enumerate(folds) if of_text == fold]
        judged.update(zip(numbers, judge(model, [texts[number] for number in numbers]), strict=True))
    return [judged[number] for number in range(len(texts))]


@dataclass(frozen=True, slots=True)
class Scales:
    """What judging out of fold tells: slope and offset of each kind, shape (2, 3), and of statements' scores."""

    calibration: Floats
    certainty: tuple[float, float] = PLAIN

    def kinds(self, judged: Sequence[Judged]) -> Floats:
        """Return the probabilities of kinds, shape (posts, 3)."""
        odds = np.stack([one.kinds for one in judged])
        return np.asarray(expit(odds * self.calibration[0] + self.calibration[1]), np.float32)

    def code(self, judged: Sequence[Judged], *, cut: float) -> list[list[Statement]]:
        """Return the statements of each judged post."""
        return [
            statements(
                one.clauses, kinds, one.themes, one.clause_kinds, one.clause_themes, cut=cut, certainty=self.certainty
            )
            for one, kinds in zip(judged, self.kinds(judged) if judged else (), strict=True)
        ]


def scales(posts: Sequence[CodedPost], judged: Sequence[Judged]) -> Scales:
    """Return how out-of-fold judgements of `posts`, in order, become probabilities."""
    calibration = calibrate(np.stack([one.kinds for one in judged]), posts)
    likely = Scales(calibration).code(judged, cut=LIKELY)
    scores = np.array([[logit(s.score)] for found in likely for s in found])
    right = [
        (s.kind, s.theme) in {(c.kind, c.theme) for c in post.codes}
        for post, found in zip(posts, likely, strict=True)
        for s in found
    ]
    fit = LogisticRegression(C=1e6).fit(scores, right)
    return Scales(calibration, (float(fit.coef_[0, 0]), float(fit.intercept_[0])))


def fold_models(posts: Sequence[CodedPost], silver: Sequence[SilverPost], lang: str) -> Iterator[LinearModel]:
    """Yield for each fold an uncalibrated model that saw nothing of it."""
    for fold in range(FOLDS):
        yield train(
            [post for post in posts if fold_of(post.text, lang) != fold],
            [post for post in silver if fold_of(post.text, lang) != fold],
            lang,
        )


def judge(model: LinearModel, texts: Sequence[str]) -> Iterator[Judged]:
    """Judge texts and their clauses by an uncalibrated model."""
    offsets = [clause_offsets(text) for text in texts]
    whole = model.probabilities(texts)
    parts = model.probabilities(
        [text[start:end] for text, clauses in zip(texts, offsets, strict=True) for start, end in clauses]
    )
    sure = np.clip(whole.kinds, TINY, 1 - TINY)
    odds = np.log(sure / (1 - sure))
    for kinds, themes, clauses, here in zip(
        odds, whole.themes, offsets, parts.split(list(map(len, offsets))), strict=True
    ):
        yield Judged(kinds, themes, clauses, here.kinds, here.themes)


def uncoded(silver: Iterable[SilverPost], posts: Sequence[CodedPost], lang: str) -> list[SilverPost]:
    """Return the silver posts that nobody coded by hand."""
    coded = {normalise(post.text, lang) for post in posts}
    return [post for post in silver if normalise(post.text, lang) not in coded]


def train(
    posts: Sequence[CodedPost],
    silver: Sequence[SilverPost],
    lang: str,
    *,
    calibration: Floats = UNSCALED,
    certainty: tuple[float, float] = PLAIN,
) -> LinearModel:
    """Return a model of `posts`, the posts written for training, and (at a lower weight) silver posts."""
    examples = [*of_coded([*posts, *written_posts(lang)]), *of_silver(silver)]
    matrix = features.counts([example.text for example in examples], lang)
    idf = features.inverse_frequencies(matrix)
    whole = matrix[np.array([example.whole for example in examples])]
    columns = np.flatnonzero(np.bincount(whole.indices, minlength=features.WIDTH) >= LEAST_POSTS).astype(np.int32)
    vectors = features.weighted(matrix, idf)[:, columns]
    weights, intercepts = zip(*fits(examples, vectors), strict=True)
    return LinearModel(
        lang=lang,
        idf=idf,
        columns=columns,
        weights=np.stack(weights, 1).astype(np.float32),
        intercepts=np.array(intercepts, np.float32),
        calibration=calibration,
        certainty=certainty,
        trained=np.unique(
            np.array([int(opening_digest(e.text, lang)[:16], 16) for e in examples if e.whole], np.uint64)
        ),
        card={"posts": len(posts), "examples": len(examples)},
    )


def fits(
    examples: Sequence[Example], vectors: csr_matrix | npt.NDArray[np.float32]
) -> Iterator[tuple[npt.NDArray[np.float64], float]]:
    """Yield weights and intercept of each kind, then of each theme, learned from rows of `vectors`."""
    weights = np.array([example.weight for example in examples])
    for kind in KINDS:
        known = np.array([kind in example.known for example in examples])
        label = np.array([kind in example.kinds for example in examples])
        yield _fit(vectors[known], label[known], weights[known], "balanced")
    known = np.array([bool(example.themes) for example in examples])
    for theme in THEMES:
        label = np.array([theme in example.themes for example in examples])
        yield _fit(vectors[known], label[known], weights[known], None)


def _fit(
    vectors: csr_matrix | npt.NDArray[np.float32],
    label: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    balance: str | None,
) -> tuple[npt.NDArray[np.float64], float]:
    if label.sum() < 2:  # noqa: PLR2004  nothing to learn from: never say it
        return np.zeros(vectors.shape[1]), -CERTAIN
    if label.all():
        return np.zeros(vectors.shape[1]), CERTAIN
    model = LogisticRegression(C=INVERSE_REGULARISATION, class_weight=balance, solver="liblinear", max_iter=300)
    model.fit(vectors, label, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def calibrate(raw: Floats, posts: Sequence[CodedPost]) -> Floats:
    """Return slope and offset of each kind, shape (2, 3), by Platt scaling of out-of-fold log-odds (posts, 3)."""
    fitted = [
        LogisticRegression(C=1e6).fit(raw[:, k : k + 1], [any(c.kind == kind for c in p.codes) for p in posts])
        for k, kind in enumerate(KINDS)
    ]
    return np.array([[fit.coef_[0, 0] for fit in fitted], [fit.intercept_[0] for fit in fitted]], np.float32)


if __name__ == "__main__":
    main(sys.argv[1:] or CODED_LANGUAGES)
