"""Texts as hashed n-gram vectors: no vocabulary is kept, so no text can be read back from a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from citystudy.text import normalise
from nlp.lexicon.matcher import NAMES, lexicon

DIMENSIONS = 2**17  # of each of the two hashed blocks: words, characters
HASHED = 2 * DIMENSIONS
WIDTH = HASHED + len(NAMES)
LEXICON_SCALE = 1.0

_WORD = r"\w+|[?!]"
_WORDS = HashingVectorizer(
    ngram_range=(1, 2), n_features=DIMENSIONS, token_pattern=_WORD, alternate_sign=False, norm=None, lowercase=False
)
_CHARACTERS = HashingVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), n_features=DIMENSIONS, alternate_sign=False, norm=None, lowercase=False
)


def counts(texts: Sequence[str], lang: str) -> csr_matrix:
    """Return log-damped counts, shape (texts, WIDTH): word 1-2-grams, character 2-5-grams, lexicon lists."""
    folded = [normalise(text, lang).replace("؟", "?") for text in texts]
    blocks = [_WORDS.transform(folded), _CHARACTERS.transform(folded), csr_matrix(lexicon(lang).counts(folded))]
    matrix = hstack(blocks, format="csr").astype(np.float32)
    matrix.data = np.log1p(matrix.data)
    return matrix


def inverse_frequencies(matrix: csr_matrix) -> npt.NDArray[np.float32]:
    """Return the smoothed inverse document frequency of each column of `counts`, shape (WIDTH,)."""
    frequencies = np.bincount(matrix.indices, minlength=WIDTH)
    idf: npt.NDArray[np.float32] = (np.log((1 + matrix.shape[0]) / (1 + frequencies)) + 1).astype(np.float32)
    return idf


def weighted(matrix: csr_matrix, idf: npt.NDArray[np.float32]) -> csr_matrix:
    """Return `counts` with each hashed block weighted by `idf` and scaled to unit length, the lexicon's merely scaled."""
    scaled = matrix[:, :HASHED]
    scaled.data = scaled.data * idf[scaled.indices]
    words, characters = normalize(scaled[:, :DIMENSIONS]), normalize(scaled[:, DIMENSIONS:])
    return hstack([words, characters, matrix[:, HASHED:] * LEXICON_SCALE], format="csr")
