"""A sentence-embedding model and its head: probabilities of kinds and themes as `LinearModel` gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from citystudy.errors import InputError
from nlp.coder.decide import PLAIN
from nlp.coder.head import PROBES, Head, training_command
from nlp.coder.model import Floats, Probabilities

TINY = 1e-9
_HUB_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")


class Embedding(Protocol):
    """What turns texts into vectors: a SentenceTransformer is one."""

    def encode(self, texts: list[str], /) -> npt.NDArray[np.floating[Any]]:
        """Return a vector for each text, shape (texts, width), in order."""


class EmbeddingModel:
    """Judges texts by a head over their embeddings; the language of a text is not asked for."""

    def __init__(self, embedding: Embedding, head: Head) -> None:
        self._embedding = embedding
        self._head = head

    @property
    def digest(self) -> str:
        """Return 16 hex digits that change with the model and with any weight of the head."""
        return self._head.digest

    @property
    def certainty(self) -> tuple[float, float]:
        """A head scales no scores of statements."""
        return PLAIN

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities of kinds and themes of `texts`."""
        vectors = unit_vectors(self._embedding, texts) if texts else np.zeros((0, self._head.width), np.float32)
        return self._head.probabilities(vectors)


@lru_cache(maxsize=1)  # one model serves all languages of a study
def embedding_model(model: str, head: str, folder: Path) -> EmbeddingModel:
    """Return the model that a study names, with its head; relative paths start at `folder`.

    Raises InputError where one of them can't be read, or where the head was trained for another model.
    """
    path = folder / head
    read = Head.load(path)
    embedding = load_embedding(model, folder)
    probes = unit_vectors(embedding, PROBES)
    if not read.fits(probes):
        raise InputError(
            f"analysis.transformers.head: {path} was trained for the model '{read.card['model']}' ({read.width} "
            f"numbers a text), expected a head for '{model}' ({probes.shape[1]} numbers a text), which is another "
            f"model; train one with: {training_command(model, path)}"
        )
    return EmbeddingModel(embedding, read)


def load_embedding(model: str, folder: Path) -> Embedding:
    """Return a sentence-embedding model by its folder (relative to `folder`) or by a name of the model hub.

    What stands in a folder is read from there alone. A text that is no name of the hub (NAME or OWNER/NAME), or whose
    first part stands in `folder`, is a path and never looked up. No code that comes with a model is run. Raises
    InputError where the model can't be read or the extra `transformers` is not installed.
    """
    path = folder / Path(model).expanduser()
    local = path.is_dir()
    if not local and (not _HUB_NAME.fullmatch(model) or (folder / Path(model).parts[0]).exists()):
        raise InputError(
            f"analysis.transformers.model: found '{model}', and no folder {path}; expected the folder of a "
            "sentence-embedding model (relative to the study file), or a name such as OWNER/NAME that "
            "sentence-transformers resolves"
        )
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise InputError(
            f"analysis.coder: 'transformers' needs the extra transformers, which can't be imported ({error}); install "
            "it with: pip install 'citystudy[transformers]'"
        ) from None
    try:
        loaded = SentenceTransformer(str(path) if local else model, local_files_only=local)
    except Exception as error:  # what the library and those under it raise has no common class
        reason = next(iter(str(error).splitlines()), "")
        place = f"the folder {path}" if local else f"'{model}' (no folder {path}; taken for a name of the model hub)"
        raise InputError(
            f"analysis.transformers.model: {place} can't be read by sentence-transformers "
            f"({type(error).__name__}: {reason}); expected a model saved by it"
        ) from error
    return cast("Embedding", loaded)


def unit_vectors(embedding: Embedding, texts: Sequence[str]) -> Floats:
    """Return the embeddings of `texts` scaled to unit length, shape (texts, width)."""
    vectors = np.asarray(embedding.encode(list(texts)), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, TINY)).astype(np.float32)
    return unit
