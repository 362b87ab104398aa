"""Topics: finer themes, learned over a study's statements of one kind and language with BERTopic's stages.

Embedding: nlp.topics.embedding. Clusters: nlp.topics.clusters. Words: BERTopic's class-based TF-IDF (Grootendorst
2022). Nothing is random but the seeds: the same statements give the same topics, in any order and any process.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from citystudy.store import Topic
from nlp.topics.clusters import NO_TOPIC, ClustersWithinThemes
from nlp.topics.embedding import embed, weigh_words
from nlp.topics.labels import topic_label
from nlp.topics.words import SurfaceForms, Term, terms

FEWEST_VOICES = 50
FEWEST_VOICES_IN_TOPIC = 5
TOP_WORDS = 10
_FEWEST_SAYING_A_WORD = 2
_WEIGHED_WORDS = 100


@dataclass(frozen=True, slots=True)
class TopicInput:
    """A statement to learn topics from: its id, its theme, its clause, and whoever says it."""

    statement: int
    theme: str
    text: str
    voice: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A statement with its content words."""

    row: TopicInput
    terms: Sequence[Term]

    @property
    def keys(self) -> list[str]:
        return [term.key for term in self.terms]


def learn_topics(
    statements: Sequence[TopicInput], *, lang: str, kind: str, seed: int, names: Collection[str] = ()
) -> list[Topic]:
    """Return the topics of statements of one kind and language, by theme, the largest first; none under 50 voices.

    A topic lies within one theme, has at least 5 voices, and each of its statements shares a word with others of it.
    Statements that share none, and those of themes with fewer than 5 voices, are in none. `names` (of the studied
    cities) make no topic: everybody there says them.
    """
    read = [_Read(row, terms(row.text, lang, names)) for row in sorted(statements, key=lambda row: row.statement)]
    if len({one.row.voice for one in read}) < FEWEST_VOICES or not any(one.terms for one in read):
        return []
    surfaces = SurfaceForms((one.row.text, one.terms) for one in read)
    with threadpool_limits(1):  # sums in one order, whatever the number of cores; and faster on input of this size
        groups = list(_group(read, seed=seed))
    topics = [_describe(members, weights, surfaces, kind=kind, lang=lang) for members, weights in groups]
    return sorted(topics, key=lambda topic: (topic.theme, -len(topic.statements), topic.id))


def _group(read: Sequence[_Read], *, seed: int) -> Iterable[tuple[list[_Read], dict[str, float]]]:
    """Yield the statements of each topic with its words, weighed by BERTopic's c-TF-IDF."""
    keys = [one.keys for one in read]
    words = weigh_words(keys)
    embeddings = embed(keys, words, seed=seed)
    clusters = ClustersWithinThemes(
        [one.row.theme for one in read],
        [one.row.voice for one in read],
        words,
        min_voices=FEWEST_VOICES_IN_TOPIC,
        seed=seed,
    ).fit(embeddings)
    clustered = [at for at, label in enumerate(clusters.labels_) if label != NO_TOPIC]
    if not clustered:
        return
    model = _bertopic()
    documents = [" ".join(keys[at]) for at in clustered]
    numbers, _ = model.fit_transform(documents, embeddings[clustered], y=clusters.labels_[clustered])
    members: dict[int, list[_Read]] = {}
    for at, number in zip(clustered, numbers, strict=True):
        members.setdefault(int(number), []).append(read[at])
    for number, of_topic in members.items():
        yield of_topic, {word: float(weight) for word, weight in model.get_topic(number)}


def _describe(
    members: Sequence[_Read], weights: Mapping[str, float], surfaces: SurfaceForms, *, kind: str, lang: str
) -> Topic:
    said_by = Counter(key for _, key in {(one.row.voice, key) for one in members for key in one.keys})
    shared = {word: weight for word, weight in weights.items() if said_by[word] >= _FEWEST_SAYING_A_WORD}
    words = sorted(shared, key=lambda word: (-shared[word], word))[:TOP_WORDS]
    theme = members[0].row.theme
    label = topic_label(
        [one.row.text for one in members],
        [one.terms for one in members],
        [one.row.voice for one in members],
        {word: shared[word] for word in words},
        surfaces,
        lang,
    )
    return Topic(
        id=_topic_id(kind, lang, theme, words),
        kind=kind,
        lang=lang,
        theme=theme,
        label=label,
        words=[surfaces.most_common(word) for word in words],
        statements=[one.row.statement for one in members],
    )


def _topic_id(kind: str, lang: str, theme: str, words: Sequence[str]) -> str:
    return "t" + hashlib.sha256("\0".join((kind, lang, theme, *words)).encode()).hexdigest()[:11]


def _bertopic() -> Any:
    # bertopic takes seconds to import (numba), so only studies that have topics pay for it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # umap, which bertopic imports, says that it has no TensorFlow
        from bertopic import BERTopic
        from bertopic.backend import BaseEmbedder
        from bertopic.cluster import BaseCluster
        from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    return BERTopic(
        language="multilingual",  # else it strips every letter that is not Latin
        top_n_words=_WEIGHED_WORDS,
        embedding_model=BaseEmbedder(),  # the embeddings are given; without a backend it would look for one online
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),  # the clusters are given as y
        vectorizer_model=CountVectorizer(analyzer=str.split),
    )
