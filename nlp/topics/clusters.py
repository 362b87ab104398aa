"""The cluster stage, whose labels BERTopic is given: topics within each theme, held together by words that several voices share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

NO_TOPIC = -1
_MOST_IN_A_THEME = 30
_STARTS = 5
_ROUNDS = 10
_FEWEST_SHARING = 2
_SMALLEST_SHARE = 0.02


class ClustersWithinThemes:
    """k-means on the embedding (Lloyd 1982), then a few rounds of spherical k-means on shared words (Dhillon 2001).

    A theme with n voices gets about half the square root of n clusters. In the second part a cluster's centre holds
    only words that several of its voices say, so each statement of a topic shares a word with others of it. Statements
    that share none, themes with fewer than `min_voices` voices and clusters that shrink below that get no topic (-1):
    read by eye, statements joined by the embedding alone were mostly strangers.
    """

    def __init__(
        self, themes: Sequence[str], voices: Sequence[str], words: csr_array, *, min_voices: int, seed: int
    ) -> None:
        """Take each row's theme, voice and word weights."""
        self.themes = np.asarray(themes)
        self.voices = np.unique(np.asarray(voices), return_inverse=True)[1]
        self.words = words
        self.min_voices = min_voices
        self.seed = seed
        self.labels_: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fit(self, rows: NDArray[np.float64]) -> Self:
        """Set `labels_`: a number a row, -1 for none."""
        labels = np.full(len(rows), NO_TOPIC, dtype=np.int64)
        for theme in sorted(set(self.themes.tolist())):
            members = np.flatnonzero((self.themes == theme) & rows.any(axis=1))
            if self._count_voices(members) >= self.min_voices:
                found = self._settle(members, self._start(rows[members], members))
                labels[members] = np.where(found == NO_TOPIC, NO_TOPIC, found + labels.max() + 1)
        self.labels_ = labels
        return self

    def _count_voices(self, members: NDArray[np.int64]) -> int:
        return len(np.unique(self.voices[members]))

    def _start(self, rows: NDArray[np.float64], members: NDArray[np.int64]) -> NDArray[np.int64]:
        wanted = round(self._count_voices(members) ** 0.5 / 2)
        wanted = max(1, min(wanted, _MOST_IN_A_THEME, len(np.unique(rows, axis=0))))
        return np.asarray(KMeans(wanted, n_init=_STARTS, random_state=self.seed).fit(rows).labels_, dtype=np.int64)

    def _settle(self, members: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return labels from 0 without gaps, or -1, after moving each row to the cluster whose words it shares most."""
        words = self.words[members]
        for _ in range(_ROUNDS):
            centres = [
                centre
                for c in range(labels.max() + 1)
                if (centre := self._centre(members, words, labels == c)) is not None
            ]
            if not centres:
                return np.full(len(members), NO_TOPIC, dtype=np.int64)
            shared = words @ np.stack(centres, axis=1)
            moved = np.where(shared.max(axis=1) > 0, shared.argmax(axis=1), NO_TOPIC)
            if np.array_equal(moved, labels):
                break
            labels = moved
        return self._without_small(members, labels)

    def _centre(
        self, members: NDArray[np.int64], words: csr_array, inside: NDArray[np.bool_]
    ) -> NDArray[np.float64] | None:
        """Return a cluster's direction over the words that several of its voices say; None where it is too small."""
        voices = self._count_voices(members[inside])
        if voices < self.min_voices:
            return None
        own = words[np.flatnonzero(inside)]
        said_by = _voices_by_word(own, self.voices[members[inside]])
        centre = np.asarray(own.sum(axis=0)).ravel()
        centre[said_by < max(_FEWEST_SHARING, _SMALLEST_SHARE * voices)] = 0
        length = np.linalg.norm(centre)
        return centre / length if length else None

    def _without_small(self, members: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        kept = [c for c in range(labels.max() + 1) if self._count_voices(members[labels == c]) >= self.min_voices]
        number = {cluster: n for n, cluster in enumerate(kept)}
        return np.asarray([number.get(int(label), NO_TOPIC) for label in labels], dtype=np.int64)


def _voices_by_word(words: csr_array, voices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many voices say each word."""
    rows, columns = words.nonzero()
    pairs = np.unique(np.stack([columns, voices[rows]]), axis=1)
    return np.bincount(pairs[0], minlength=words.shape[1])
