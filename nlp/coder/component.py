"""The coder as a spaCy component: `doc._.statements` holds what the post says, none where it says nothing.

Adverts (`doc._.advert`, set by an earlier component) say nothing of a need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from spacy.language import Language
from spacy.tokens import Doc

from citystudy.store import Statement
from citystudy.text import normalise
from nlp.coder.decide import statements
from nlp.coder.model import LinearModel, shipped

BATCH = 256

if not Doc.has_extension("statements"):
    Doc.set_extension("statements", default=())


@Language.factory("citystudy_coder", default_config={"cut": 0.5, "own_themes": {}}, requires=["doc.spans"])
def make_coder(nlp: Language, name: str, cut: float, own_themes: dict[str, list[str]]) -> Coder:  # noqa: ARG001  spaCy's manner
    """Return the coder of the pipeline's language; `own_themes` maps a study's themes to their words."""
    return Coder(shipped(nlp.lang), cut=cut, own_themes=own_themes)


class Coder:
    """Sets `doc._.statements` from the clauses of a doc."""

    def __init__(self, model: LinearModel, *, cut: float, own_themes: Mapping[str, Sequence[str]]) -> None:
        self._model = model
        self._cut = cut
        self._own = [(theme, _any_of(words, model.lang)) for theme, words in own_themes.items() if words]

    def __call__(self, doc: Doc) -> Doc:
        """Code one doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = BATCH) -> Iterator[Doc]:
        """Code docs in batches; the order stays."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            self._code(batch)
            yield from batch

    def _code(self, docs: Sequence[Doc]) -> None:
        texts = [doc.text for doc in docs]
        posts = self._model.probabilities(texts)
        coded = [i for i, kinds in enumerate(posts.kinds) if kinds.max() >= self._cut and not docs[i]._.advert]
        offsets = {i: [(span.start_char, span.end_char) for span in docs[i].spans["clauses"]] for i in coded}
        clauses = self._model.probabilities([texts[i][start:end] for i in coded for start, end in offsets[i]])
        at = 0
        for i in coded:
            here = slice(at, at + len(offsets[i]))
            at = here.stop
            if here.start == here.stop:
                continue
            found = statements(
                offsets[i], posts.kinds[i], posts.themes[i], clauses.kinds[here], clauses.themes[here], cut=self._cut
            )
            docs[i]._.statements = tuple(self._with_own_themes(texts[i], found))

    def _with_own_themes(self, text: str, found: Sequence[Statement]) -> Iterator[Statement]:
        """Yield the statements, with the study's own theme where its words stand in the clause; no pair twice."""
        seen = set()
        for statement in found:
            clause = normalise(text[statement.start : statement.end], self._model.lang)
            own = next((theme for theme, words in self._own if words.search(clause)), None)
            themed = replace(statement, theme=own) if own else statement
            if (themed.kind, themed.theme) not in seen:
                seen.add((themed.kind, themed.theme))
                yield themed


def _any_of(words: Sequence[str], lang: str) -> re.Pattern[str]:
    """Return a pattern that finds any of the words, a trailing * standing for any ending."""
    parts = [
        rf"\b{re.escape(normalise(word.rstrip('*'), lang))}" + (r"\w*" if word.endswith("*") else r"\b")
        for word in words
    ]
    return re.compile("|".join(parts))
