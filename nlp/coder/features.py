"""Texts as hashed n-gram vectors: no vocabulary is kept, so no text can be read back from a model.

Columns are CRC-32 of an n-gram modulo the width of its block: words and pairs of words in one, the 2-5-grams of each
word's characters in the other, then the lists of the lexicon. What a word adds is worked out once and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.preprocessing import normalize

from citystudy.text import tokens
from nlp.lexicon.matcher import NAMES, lexicon

DIMENSIONS = 2**17  # of each of the two hashed blocks
HASHED = 2 * DIMENSIONS
WIDTH = HASHED + len(NAMES)
SHORTEST, LONGEST = 2, 5  # characters in an n-gram, the spaces around a word counted
KEPT_WORDS = 50_000


def counts(texts: Sequence[str], lang: str) -> csr_matrix:
    """Return log-damped counts, shape (texts, WIDTH): word 1-2-grams, character 2-5-grams, lexicon lists."""
    written = [tokens(text, lang) for text in texts]
    rows = [_columns(words) for words in written]
    ends = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    hashed = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(texts), HASHED))
    hashed.sum_duplicates()
    matrix = hstack([hashed, csr_matrix(lexicon(lang).counts(written))], format="csr")
    matrix.data = np.log1p(matrix.data)
    return matrix


def _columns(words: Sequence[str]) -> npt.NDArray[np.int32]:
    parts = [_word_columns(word) for word in words]
    parts.append(np.array([_pair_column(first, second) for first, second in pairwise(words)], np.int32))
    return np.concatenate(parts)


@lru_cache(KEPT_WORDS)
def _word_columns(word: str) -> npt.NDArray[np.int32]:
    padded = f" {word} "
    runs = {
        padded[start : start + length]
        for length in range(SHORTEST, LONGEST + 1)
        for start in range(len(padded) - length + 1)
    }
    characters = (DIMENSIONS + crc32(run.encode()) % DIMENSIONS for run in sorted(runs))
    return np.array([crc32(word.encode()) % DIMENSIONS, *characters], np.int32)


@lru_cache(KEPT_WORDS)
def _pair_column(first: str, second: str) -> int:
    return crc32(f"{first} {second}".encode()) % DIMENSIONS


def inverse_frequencies(matrix: csr_matrix) -> npt.NDArray[np.float32]:
    """Return the smoothed inverse document frequency of each column of `counts`, shape (WIDTH,)."""
    frequencies = np.bincount(matrix.indices, minlength=WIDTH)
    idf: npt.NDArray[np.float32] = (np.log((1 + matrix.shape[0]) / (1 + frequencies)) + 1).astype(np.float32)
    return idf


def weighted(matrix: csr_matrix, idf: npt.NDArray[np.float32]) -> csr_matrix:
    """Return `counts` with each hashed block weighted by `idf` and scaled to unit length, the lexicon's as it is."""
    scaled = matrix[:, :HASHED]
    scaled.data = scaled.data * idf[scaled.indices]
    words, characters = normalize(scaled[:, :DIMENSIONS]), normalize(scaled[:, DIMENSIONS:])
    return hstack([words, characters, matrix[:, HASHED:]], format="csr")
