"""The default embedding of statements: TF-IDF over words and characters, then truncated SVD (LSA).

Fitted on the statements themselves; nothing is downloaded. Deerwester et al. 1990.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

DIMENSIONS = 50
_CHARACTERS_WEIGHT = 0.4
_CHARACTER_RUN = (3, 4)


def weigh_words(term_lists: Sequence[Sequence[str]]) -> csr_array:
    """Return the TF-IDF of each statement's terms, rows of length 1; raises ValueError when none has a term."""
    words = TfidfVectorizer(analyzer=str.split, sublinear_tf=True, dtype=np.float64)
    return csr_array(words.fit_transform([" ".join(terms) for terms in term_lists]))


def embed(term_lists: Sequence[Sequence[str]], words: csr_array, *, seed: int) -> NDArray[np.float64]:
    """Return one row of length 1 a statement, given its terms and their weights; one without terms gets zeros."""
    texts = [" ".join(terms) for terms in term_lists]
    parts = [words]
    if any(len(text) >= min(_CHARACTER_RUN) for text in texts):
        characters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=_CHARACTER_RUN, sublinear_tf=True, dtype=np.float64
        )
        parts.append(csr_array(characters.fit_transform(texts)) * _CHARACTERS_WEIGHT)
    matrix = hstack(parts, format="csr")
    dimensions = min(DIMENSIONS, matrix.shape[0] - 1, matrix.shape[1] - 1)
    if dimensions < 1:
        return np.asarray(normalize(matrix.toarray()))
    reduced = TruncatedSVD(n_components=dimensions, random_state=seed).fit_transform(matrix)
    return np.asarray(normalize(reduced))
