"""Code any rows of text, outside a study: {"id", "text", "lang"?} in, {"id", "lang", "codes"} out, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from spacy.language import Language

from citystudy.codeframe import CODED_LANGUAGES
from nlp.language import LanguageDetector
from nlp.pipeline import coding_pipeline

BATCH = 500
MAX_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that could not be coded: its number, from 1, and what was expected."""

    line: int
    reason: str


def code_lines(lines: Iterable[bytes], *, cut: float = 0.5) -> Iterator[dict[str, Any] | BadRow]:
    """Yield for each line of JSON Lines its coded row, or what is wrong with it; memory stays bounded.

    A row's `lang` is kept where it is a coded language, else told from the text; a text in no coded language gets no
    codes. Spans are code-point offsets into `text` as given.
    """
    coder = _Coder(cut)
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, BATCH)):
        yield from coder.code([_parse(number, line) for number, line in batch])


@dataclass(frozen=True, slots=True)
class _Row:
    id: Any
    text: str
    lang: str | None


def _parse(number: int, line: bytes) -> _Row | BadRow:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return BadRow(number, "found bytes that are not UTF-8; save the file as UTF-8")
    except (ValueError, RecursionError):
        return BadRow(number, 'not valid JSON; expected one object a line: {"id": …, "text": …}')
    if not isinstance(row, dict):
        return BadRow(number, f"found {type(row).__name__}, expected an object with id and text")
    if "id" not in row:
        return BadRow(number, "key id is missing")
    text, lang = row.get("text"), row.get("lang")
    if not isinstance(text, str):
        return BadRow(number, f"key text: found {type(text).__name__}, expected a string")
    return _Row(row["id"], text, lang if isinstance(lang, str) else None)


class _Coder:
    def __init__(self, cut: float) -> None:
        self._cut = cut
        self._detector = LanguageDetector(CODED_LANGUAGES)
        self._pipelines: dict[str, Language] = {}

    def code(self, rows: list[_Row | BadRow]) -> Iterator[dict[str, Any] | BadRow]:
        results: list[dict[str, Any] | BadRow] = []
        of_language: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            if isinstance(row, BadRow):
                results.append(row)
                continue
            lang = row.lang if row.lang in CODED_LANGUAGES else self._detector.detect(row.text, row.lang)
            results.append({"id": row.id, "lang": lang, "codes": []})
            if lang in CODED_LANGUAGES:
                of_language.setdefault(lang, []).append(number)
        for lang, numbers in of_language.items():
            texts = [row.text[:MAX_TEXT] for n in numbers if isinstance(row := rows[n], _Row)]
            for number, doc in zip(numbers, self._pipeline(lang).pipe(texts), strict=True):
                result = results[number]
                assert isinstance(result, dict)  # a bad row is in no language
                result["codes"] = [
                    {"kind": s.kind, "theme": s.theme, "span": [s.start, s.end], "score": s.score}
                    for s in doc._.statements
                ]
        return iter(results)

    def _pipeline(self, lang: str) -> Language:
        if lang not in self._pipelines:
            self._pipelines[lang] = coding_pipeline(lang, cut=self._cut)
        return self._pipelines[lang]
