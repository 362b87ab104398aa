"""The statements behind a finding, and the few that are quoted.

A quote is the statement widened to the sentence it stands in, or to its clause where the sentence is longer than 240
code points, or as it stands where the clause is. Of these, the five with the highest coder's score are chosen, no
two from one voice or of the same words. What still looks like a link, number or handle is not quoted at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from citystudy.privacy import redact
from reports.corpus import StatementRow
from reports.findings.model import Evidence, Verbatim
from reports.findings.voices import Speech

LONGEST: Final = 240
MOST_VERBATIMS: Final = 5

_SENTENCE = re.compile(r"[.!?؟۔…]+(?=\s|$)|\n+")
_CLAUSE = re.compile(r"[.!?؟۔…]+(?=\s|$)|\n+|[,;:،؛](?=\s)|\s[-–—](?=\s)")
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def shown(text: str) -> str:
    """Return text as it may stand on a page: without controls or marks that turn the direction of what follows."""
    return _UNSEEN.sub("", text)


def quote(text: str, start: int, end: int) -> tuple[str, str, str] | None:
    """Return the words before, of and after the statement at text[start:end]; None where even it is too long."""
    for boundary in (_SENTENCE, _CLAUSE, None):
        left, right = _around(boundary, text, start, end) if boundary else (start, end)
        words = (shown(text[left:start]).lstrip(), shown(text[start:end]), shown(text[end:right]).rstrip())
        if sum(map(len, words)) <= LONGEST:
            return words if words[1].strip() else None
    return None


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the sentence (or sentences) that text[start:end] stands in."""
    return _around(_SENTENCE, text, start, end)


def collect(
    spoken: Iterable[tuple[Speech, StatementRow]], texts: Mapping[str, str], *, quotes: bool
) -> tuple[Evidence, ...]:
    """Return the evidence for what was spoken, the highest score first, then by id."""
    rows = sorted(spoken, key=lambda pair: (-pair[1].score, pair[1].evidence))
    return tuple(
        Evidence(
            id=statement.evidence,
            day=speech.post.day,
            source=speech.post.source,
            target_kind=speech.post.target_kind,
            lang=speech.post.lang or "",
            score=round(statement.score, 2),
            topic=statement.topic,
            quote=_verbatim(speech, statement, texts) if quotes else None,
        )
        for speech, statement in rows
    )


def choose(spoken: Iterable[tuple[Speech, StatementRow]], evidence: Iterable[Evidence]) -> tuple[Verbatim, ...]:
    """Return up to five verbatims by the stated rule; `evidence` is what `collect` made of `spoken`."""
    speakers = {
        statement.evidence: {("voice", speech.voice), ("group", speech.post.group)} for speech, statement in spoken
    }
    chosen: list[Verbatim] = []
    taken: set[tuple[str, str]] = set()
    for row in evidence:
        if row.quote is None or len(chosen) == MOST_VERBATIMS:
            continue
        marks = speakers[row.id] | {("words", " ".join(row.quote.marked.casefold().split()))}
        if not marks & taken:
            taken |= marks
            chosen.append(row.quote)
    return tuple(chosen)


def _verbatim(speech: Speech, statement: StatementRow, texts: Mapping[str, str]) -> Verbatim | None:
    words = quote(texts[statement.post], statement.start, statement.end)
    if words is None or redact("".join(words)) != "".join(words):
        return None
    return Verbatim(statement.evidence, speech.post.lang or "", *words)


def _around(boundary: re.Pattern[str], text: str, start: int, end: int) -> tuple[int, int]:
    """Return the unit that text[start:end] stands in; its own last mark may close it."""
    left, right = 0, len(text)
    for match in boundary.finditer(text):
        if match.end() <= start:
            left = match.end()
        elif match.end() >= end:
            right = match.end()
            break
    return left, right
