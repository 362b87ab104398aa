"""A model's answer, checked: what it may not say is dropped and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, FiniteFloat, ValidationError

from citystudy.codeframe import KINDS, MOST_CODES
from citystudy.store import Statement
from nlp.coder.decide import surest_first
from nlp.coder.llm.shown import Shown


class UnusableAnswerError(Exception):
    """An answer that is not in the form asked for."""


class _Code(BaseModel):
    kind: str
    theme: str
    clauses: list[int]
    confidence: FiniteFloat


class _Passage(BaseModel):
    number: int
    codes: list[_Code]


class _Answer(BaseModel):
    passages: list[_Passage]


@dataclass(frozen=True, slots=True)
class Checked:
    """The statements of each passage that was answered, by its place from 0; what was dropped, by reason."""

    statements: dict[int, tuple[Statement, ...]]
    dropped: Counter[str]


def check_answer(content: str, passages: Sequence[Shown], themes: Sequence[str]) -> Checked:
    """Return what an answer says of the passages it was asked about: at most three statements each, the surest first.

    A statement's score is the model's confidence, brought into [0, 1]. Raises UnusableAnswerError.
    """
    try:
        # Models without structured output like to wrap JSON into a fence or a sentence.
        answer = _Answer.model_validate_json(content[content.find("{") : content.rfind("}") + 1])
    except ValidationError:
        raise UnusableAnswerError from None
    dropped: Counter[str] = Counter()
    found: dict[int, list[Statement]] = {}
    for entry in answer.passages:
        place = entry.number - 1
        if not 0 <= place < len(passages):
            dropped["passage"] += 1
            continue
        found.setdefault(place, []).extend(_statements(entry.codes, passages[place], themes, dropped))
    return Checked({place: _clearest(statements, dropped) for place, statements in found.items()}, dropped)


def _statements(
    codes: Iterable[_Code], passage: Shown, themes: Sequence[str], dropped: Counter[str]
) -> Iterable[Statement]:
    for code in codes:
        clauses = {number - 1 for number in code.clauses if 1 <= number <= len(passage.clauses)}
        dropped["clause"] += len(set(code.clauses)) - len(clauses)
        if code.kind not in KINDS:
            dropped["kind"] += 1
        elif code.theme not in themes:
            dropped["theme"] += 1
        elif not clauses:
            dropped["code without a clause"] += 1
        else:
            first = last = min(clauses)
            while last + 1 in clauses:
                last += 1
            score = round(min(max(code.confidence, 0.0), 1.0), 4)
            yield Statement(code.kind, code.theme, passage.spans[first][0], passage.spans[last][1], score)


def _clearest(statements: Iterable[Statement], dropped: Counter[str]) -> tuple[Statement, ...]:
    pairs: dict[tuple[str, str], Statement] = {}
    for statement in surest_first(statements):
        pairs.setdefault((statement.kind, statement.theme), statement)
    dropped["code too many"] += max(0, len(pairs) - MOST_CODES)
    return tuple(pairs.values())[:MOST_CODES]
