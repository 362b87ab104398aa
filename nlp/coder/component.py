"""A coder as a spaCy component: `doc._.statements` holds what the post says, none where it says nothing.

`doc._.coded` is False where the coder could not tell.
Adverts (`doc._.advert`, set by an earlier component) say nothing of a need and are not shown to the coder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from spacy.language import Language
from spacy.tokens import Doc

from citystudy.store import Statement
from citystudy.text import tokens
from nlp.coder.interface import Coder, Passage
from nlp.lexicon.matcher import Lexicon
from nlp.severity import intensity, severity

BATCH = 256

if not Doc.has_extension("statements"):
    Doc.set_extension("statements", default=())
    Doc.set_extension("coded", default=True)


@Language.factory("citystudy_coder", default_config={"own_themes": {}}, requires=["doc.spans"])
def make_coder(nlp: Language, name: str, coder: Coder, own_themes: dict[str, list[str]]) -> CoderComponent:  # noqa: ARG001  spaCy's manner
    """Return the component around `coder`; `own_themes` maps a study's themes to their words."""
    return CoderComponent(coder, nlp.lang or "", own_themes=own_themes)


class CoderComponent:
    """Sets `doc._.statements` from the clauses of a doc."""

    def __init__(self, coder: Coder, lang: str, *, own_themes: Mapping[str, Sequence[str]]) -> None:
        self._coder = coder
        self._lang = lang
        self._own_themes = tuple(own_themes)
        self._own = Lexicon(own_themes, lang)

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
            Passage(doc._.text, tuple((span.start_char, span.end_char) for span in doc.spans["clauses"]))
            for doc in docs
        ]
        for doc, passage, found in zip(docs, passages, self._coder.code(passages), strict=True):
            doc._.coded = found is not None
            doc._.statements = tuple(self._finished(passage.text, found or ()))

    def _finished(self, text: str, found: Sequence[Statement]) -> Iterator[Statement]:
        """Yield the statements with severity and intensity, and the study's own theme; no pair twice.

        A statement is of the study's own theme, the first in the study file, where a word of it stands in the clause.
        """
        seen = set()
        for statement in found:
            clause = text[statement.start : statement.end]
            theme = self._own_theme(clause) or statement.theme
            if (statement.kind, theme) not in seen:
                seen.add((statement.kind, theme))
                yield replace(
                    statement,
                    theme=theme,
                    severity=severity(clause, statement.kind, theme, self._lang),
                    intensity=intensity(clause, self._lang),
                )

    def _own_theme(self, clause: str) -> str | None:
        if not self._own_themes:
            return None
        [counts] = self._own.counts([tokens(clause, self._lang)])
        return next((theme for theme, n in zip(self._own_themes, counts, strict=True) if n), None)
