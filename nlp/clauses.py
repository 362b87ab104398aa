"""Clauses: the pieces of a post that can each carry a statement of its own.

A spaCy component; it sets `doc.spans["clauses"]`. Sentences end at terminal punctuation of four scripts and at line
breaks; a long sentence is cut further at a comma or dash followed by an adversative ("but", "но", "لكن", "ولی") and at
semicolons.
"""

from __future__ import annotations

import re
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc, Span

_TERMINAL = re.compile(r"[.!?؟۔…]+[\"'»”)\]]*(?=\s|$|[^\w\s])|\n+|(?<=[^\W\d_])\.(?=[^\W\d_a-zа-яё][^\W\d_])|[;؛]\s")
_TURN = re.compile(
    r"(?<![,،\s—–-])[,،\s—–-]+(?=(?:but|however|although|though|yet|except|но|однако|зато|хотя|لكن|ولكن|بس|الا ان|إلا أن|ولی|اما|ولي|فقط)\b)",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    r"(?:^|[\W\d])(?:ул|д|г|гг|кв|пр|пер|стр|руб|тыс|млн|т|им|мкр|корп|обл|р|с|п|ж|Mr|Mrs|Ms|Dr|St|(?-i:No)|vs|approx|e\.g|i\.e|etc|د)\.$",
    re.IGNORECASE,
)
_OPENING = "\"'«“„‘(#@["
LONG_CLAUSE = 60
SHORT_CLAUSE = 12


# A doc puts its text together anew each time it is asked.
if not Doc.has_extension("text"):
    Doc.set_extension("text", default="")


@Language.component("citystudy_clauses")
def mark_clauses(doc: Doc) -> Doc:
    """Set `doc.spans["clauses"]` to the doc's clauses, whole tokens each, in order, and `doc._.text` to its text.

    Blank clauses are left out.
    """
    doc._.text = doc.text
    spans: list[Span] = []
    for start, end in clause_offsets(doc._.text):
        # A token that reaches over a clause's end belongs to that clause, and to none after it.
        span = doc.char_span(max(start, spans[-1].end_char if spans else 0), end, alignment_mode="expand")
        if span is not None and (not spans or span.end > spans[-1].end):
            spans.append(span)
    doc.spans["clauses"] = spans
    return doc


def clause_offsets(text: str) -> list[tuple[int, int]]:
    """Return (start, end) code-point offsets of the clauses of `text`, trimmed, in order, without overlap."""
    ends = (match.end() for match in _TERMINAL.finditer(text))
    cuts = sorted({0, len(text), *(end for end in ends if not _ABBREVIATION.search(text, max(0, end - 8), end))})
    pieces = (piece for start, end in pairwise(cuts) for piece in _turns(text, start, end))
    return _join_short(text, [trimmed for piece in pieces if (trimmed := _trim(text, *piece)) is not None])


def _turns(text: str, start: int, end: int) -> list[tuple[int, int]]:
    if end - start < LONG_CLAUSE:
        return [(start, end)]
    cuts = [start, *(match.start() for match in _TURN.finditer(text, start + SHORT_CLAUSE, end)), end]
    return list(pairwise(cuts))


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and not (text[start].isalnum() or text[start] in _OPENING):
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if any(c.isalnum() for c in text[start:end]) else None


def _join_short(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join a clause of a word or so ("Ok.", "№4.") to the one before it on the same line."""
    joined: list[tuple[int, int]] = []
    for start, end in offsets:
        if joined and end - start < SHORT_CLAUSE and "\n" not in text[joined[-1][1] : start]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
