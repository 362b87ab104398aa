"""The linear model of one language: probabilities of kinds and themes for posts and clauses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from citystudy.codeframe import KINDS, THEMES
from nlp.coder import features

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Of each text: kinds, shape (texts, 3), calibrated; themes given that something is coded, shape (texts, 18)."""

    kinds: Floats
    themes: Floats

    @classmethod
    def of(cls, scores: Floats, calibration: Floats) -> Probabilities:
        """Return the probabilities by scores, shape (texts, 21), kinds first; `calibration` is theirs, shape (2, 3)."""
        kinds = scores[:, : len(KINDS)] * calibration[0] + calibration[1]
        return cls(_logistic(kinds), _logistic(scores[:, len(KINDS) :]))

    def split(self, lengths: Sequence[int]) -> list[Probabilities]:
        """Return those of each run of texts, `lengths` long, in order."""
        ends = np.cumsum(lengths)[:-1]
        pairs = zip(np.split(self.kinds, ends), np.split(self.themes, ends), strict=True)
        return [Probabilities(kinds, themes) for kinds, themes in pairs] if lengths else []


@dataclass(frozen=True)
class LinearModel:
    """Weights over `features`: a logistic score for each kind and each theme.

    `trained` holds 64 bits of the digest of the opening of each text it learned from (nlp.training.examples), sorted.
    `certainty` holds slope and offset of a statement's score (nlp.coder.decide). `calibration` holds slope and offset for each kind (Platt 1999), fitted on out-of-fold scores of whole posts.
    """

    lang: str
    idf: Floats
    columns: npt.NDArray[np.int32]
    weights: Floats
    intercepts: Floats
    calibration: Floats
    certainty: tuple[float, float]
    trained: npt.NDArray[np.uint64]
    card: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        """Return 16 hex digits that change with any weight."""
        parts = (self.idf[self.columns], self.columns, self.weights, self.intercepts, self.calibration)
        return digest_of(*parts, np.array(self.certainty))

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities of kinds and themes of `texts`."""
        if not texts:
            return Probabilities(np.zeros((0, len(KINDS)), np.float32), np.zeros((0, len(THEMES)), np.float32))
        matrix = features.weighted(features.counts(texts, self.lang), self.idf)
        return self.from_vectors(matrix[:, self.columns])

    def from_vectors(self, matrix: Any) -> Probabilities:
        """Return the probabilities for vectors already weighted and cut to `columns`."""
        return Probabilities.of(matrix @ self.weights + self.intercepts, self.calibration)

    def save(self, path: Path) -> None:
        """Write the model as one .npz file; the same model gives the same bytes."""
        np.savez_compressed(
            path,
            idf=self.idf[self.columns].astype(np.float16),
            columns=self.columns,
            weights=self.weights.astype(np.float16),
            intercepts=self.intercepts,
            calibration=self.calibration,
            certainty=np.array(self.certainty),
            trained=self.trained,
            card=np.array(json.dumps({"lang": self.lang, **self.card}, ensure_ascii=False, sort_keys=True)),
        )

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Read a model written by `save`."""
        with np.load(path, allow_pickle=False) as data:
            card = json.loads(str(data["card"]))
            idf = np.zeros(features.WIDTH, np.float32)
            idf[data["columns"]] = data["idf"]
            return cls(
                lang=card.pop("lang"),
                idf=idf,
                columns=data["columns"],
                weights=data["weights"].astype(np.float32),
                intercepts=data["intercepts"],
                calibration=data["calibration"],
                certainty=(float(data["certainty"][0]), float(data["certainty"][1])),
                trained=data["trained"],
                card=card,
            )


@cache
def shipped(lang: str) -> LinearModel:
    """Return the model of `lang` that comes with the package."""
    with resources.as_file(resources.files("nlp.models").joinpath(f"{lang}.npz")) as path:
        return LinearModel.load(path)


def digest_of(*parts: npt.NDArray[Any]) -> str:
    """Return 16 hex digits of arrays."""
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def _logistic(scores: Floats) -> Floats:
    result: Floats = expit(scores).astype(np.float32)
    return result
