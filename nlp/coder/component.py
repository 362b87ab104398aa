"""A coder as a spaCy component: `doc._.statements` holds what the post says, none where it says nothing.

Adverts (`doc._.advert`, set by an earlier component) say nothing of a need and are not shown to the coder.
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
from nlp.coder.interface import Coder, Passage

BATCH = 256

if not Doc.has_extension("statements"):
    Doc.set_extension("statements", default=())


@Language.factory("citystudy_coder", default_config={"own_themes": {}}, requires=["doc.spans"])
def make_coder(nlp: Language, name: str, coder: Coder, own_themes: dict[str, list[str]]) -> CoderComponent:  # noqa: ARG001  spaCy's manner
    """Return the component around `coder`; `own_themes` maps a study's themes to their words."""
    return CoderComponent(coder, nlp.lang or "", own_themes=own_themes)


class CoderComponent:
    """Sets `doc._.statements` from the clauses of a doc."""

    def __init__(self, coder: Coder, lang: str, *, own_themes: Mapping[str, Sequence[str]]) -> None:
        self.coder = coder
        self._lang = lang
        self._own = [(theme, _any_of(words, lang)) for theme, words in own_themes.items() if words]

    def __call__(self, doc: Doc) -> Doc:
        """Code one doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = BATCH) -> Iterator[Doc]:
        """Code docs in batches; the order stays."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            self._code([doc for doc in batch if not doc._.advert])
            yield from batch

    def _code(self, docs: Sequence[Doc]) -> None:
        passages = [
            Passage(doc.text, tuple((span.start_char, span.end_char) for span in doc.spans["clauses"])) for doc in docs
        ]
        for doc, passage, found in zip(docs, passages, self.coder.code(passages), strict=True):
            doc._.statements = tuple(self._with_own_themes(passage.text, found))

    def _with_own_themes(self, text: str, found: Sequence[Statement]) -> Iterator[Statement]:
        """Yield the statements, with the study's own theme where its words stand in the clause; no pair twice."""
        seen = set()
        for statement in found:
            clause = normalise(text[statement.start : statement.end], self._lang)
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
