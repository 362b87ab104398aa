"""Code any rows of text, outside a study: {"id", "text", "lang"?} in, {"id", "lang", "codes"} out, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from spacy.language import Language

from citystudy.codeframe import CODED_LANGUAGES
from citystudy.store import Statement
from nlp.json_lines import BadRow, parsed
from nlp.language import LanguageDetector
from nlp.pipeline import coding_pipeline

BATCH = 500
MAX_TEXT = 100_000
EXPECTED = '{"id": …, "text": …}'


def code_lines(lines: Iterable[bytes], *, cut: float = 0.5) -> Iterator[dict[str, Any] | BadRow]:
    """Yield for each line of JSON Lines its coded row, or what is wrong with it; memory stays bounded.

    A row's `lang` is kept where it is a coded language, else told from the text; a text in no coded language gets no
    codes. Spans are code-point offsets into `text` as given.
    """
    coder = TextCoder(cut=cut)
    rows = (row if isinstance(row, BadRow) else _row(*row) for row in parsed(lines, expected=EXPECTED))
    while batch := list(islice(rows, BATCH)):
        coded = iter(coder.code([(row.text, row.lang) for row in batch if isinstance(row, _Row)]))
        for row in batch:
            yield row if isinstance(row, BadRow) else _written(row, next(coded))


def _written(row: _Row, coded: Coded) -> dict[str, Any]:
    codes = [
        {
            "kind": s.kind,
            "theme": s.theme,
            "span": [s.start, s.end],
            "score": s.score,
            "severity": s.severity,
            "intensity": s.intensity,
        }
        for s in coded.statements
    ]
    return {"id": row.id, "lang": coded.lang, "codes": codes}


@dataclass(frozen=True, slots=True)
class _Row:
    id: Any
    text: str
    lang: str | None


def _row(number: int, row: Any) -> _Row | BadRow:
    if not isinstance(row, dict):
        return BadRow(number, f"found {type(row).__name__}, expected an object with id and text")
    if "id" not in row:
        return BadRow(number, "key id is missing")
    text, lang = row.get("text"), row.get("lang")
    if not isinstance(text, str):
        return BadRow(number, f"key text: found {type(text).__name__}, expected a string")
    return _Row(row["id"], text, lang if isinstance(lang, str) else None)


@dataclass(frozen=True, slots=True)
class Coded:
    """A text's language, None where it can't be told, and its statements; none in a language that is not coded."""

    lang: str | None
    statements: tuple[Statement, ...] = ()


class TextCoder:
    """Codes texts by the shipped coders, each in its own language."""

    def __init__(self, *, cut: float) -> None:
        self._cut = cut
        self._detector = LanguageDetector(CODED_LANGUAGES)
        self._pipelines: dict[str, Language] = {}

    def code(self, texts: Sequence[tuple[str, str | None]]) -> list[Coded]:
        """Code texts, each with its declared language; one that is not coded is told from the text."""
        languages = [
            declared if declared in CODED_LANGUAGES else self._detector.detect(text, declared)
            for text, declared in texts
        ]
        coded = [Coded(lang) for lang in languages]
        for lang in CODED_LANGUAGES:
            numbers = [number for number, of_text in enumerate(languages) if of_text == lang]
            if numbers:
                docs = self._pipeline(lang).pipe([texts[number][0][:MAX_TEXT] for number in numbers])
                for number, doc in zip(numbers, docs, strict=True):
                    coded[number] = Coded(lang, doc._.statements)
        return coded

    def _pipeline(self, lang: str) -> Language:
        if lang not in self._pipelines:
            self._pipelines[lang] = coding_pipeline(lang, cut=self._cut)
        return self._pipelines[lang]
