"""The linear head that reads sentence embeddings: a logistic score for each kind and theme, in one .npz file."""

from __future__ import annotations

import json
import shlex
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from citystudy.codeframe import KINDS, THEMES
from citystudy.errors import InputError
from nlp.coder.model import Floats, Probabilities, digest_of

QUESTIONS = len(KINDS) + len(THEMES)

# What a head's model makes of these texts is kept in the head, so that another model is told from it, wherever the
# files have moved to.
PROBES = (
    "The night bus to the harbour was cancelled again.",
    "ألغيت حافلة الليل إلى الميناء مرة أخرى.",
    "اتوبوس شب به بندر دوباره لغو شد.",
    "Ночной автобус до порта снова отменили.",
)
ALIKE = 0.999  # cosine; other hardware or half precision stays above it


@dataclass(frozen=True)
class Head:
    """Weights over unit-length embeddings, shape (width, 21), and intercepts, shape (21,): kinds first, then themes.

    `calibration` holds slope and offset for each kind, shape (2, 3) (Platt 1999); `probes` the unit-length embeddings
    of PROBES by the model the head was trained for, shape (4, width). `card` tells that model's name, what the head
    was trained on and how well it did out of fold.
    """

    weights: Floats
    intercepts: Floats
    calibration: Floats
    probes: Floats
    card: dict[str, Any]

    @property
    def width(self) -> int:
        """How many numbers an embedding has."""
        return len(self.weights)

    @cached_property
    def digest(self) -> str:
        """Return 16 hex digits that change with any weight and with the model."""
        return digest_of(self.weights, self.intercepts, self.calibration, self.probes)

    def fits(self, probes: Floats) -> bool:
        """Whether `probes`, a model's unit-length embeddings of PROBES, are those of the model it was trained for."""
        return probes.shape == self.probes.shape and bool(((probes * self.probes).sum(1) >= ALIKE).all())

    def probabilities(self, vectors: Floats) -> Probabilities:
        """Return the probabilities of kinds and themes of texts by their unit-length embeddings."""
        return Probabilities.of(vectors @ self.weights + self.intercepts, self.calibration)

    def save(self, path: Path) -> None:
        """Write the head to one .npz file; the same head gives the same bytes."""
        card = json.dumps(self.card, ensure_ascii=False, sort_keys=True)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                weights=self.weights,
                intercepts=self.intercepts,
                calibration=self.calibration,
                probes=self.probes,
                card=np.array(card),
            )

    @classmethod
    def load(cls, path: Path) -> Head:
        """Read a head written by `save`; raises InputError where it is missing or is no such file."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                floats = [data[name] for name in ("weights", "intercepts", "calibration", "probes")]
                card = json.loads(str(data["card"]))
        except FileNotFoundError:
            raise InputError(
                f"analysis.transformers.head: found no file {path}; train a head with: {training_command('MODEL', path)}"
            ) from None
        # TypeError: a lone array; EOFError: an empty file.
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _unreadable(path, str(error)) from None
        weights, intercepts, calibration, probes = floats
        width = len(weights) if weights.ndim else 0
        shapes = [(width, QUESTIONS), (QUESTIONS,), (2, len(KINDS)), (len(PROBES), width)]
        if [part.shape for part in floats] != shapes or any(part.dtype != np.float32 for part in floats):
            raise _unreadable(path, "its arrays have other shapes or types")
        if not all(np.isfinite(part).all() for part in floats):
            raise _unreadable(path, "its numbers are not all finite")
        if not isinstance(card, dict) or not isinstance(card.get("model"), str):
            raise _unreadable(path, "its card names no model")
        return cls(weights, intercepts, calibration, probes, card)


def training_command(model: str, path: Path) -> str:
    """Return the command that trains a head for `model` and writes it to `path`."""
    return shlex.join(["python", "-m", "nlp.training.head", model, str(path)])


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        f"analysis.transformers.head: {path} can't be read as a head ({found}); expected a file written by: "
        + training_command("MODEL", path)
    )
