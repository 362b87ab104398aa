"""How well a coding agrees with posts coded by hand: precision, recall, F1 with bootstrap intervals, confusion.

Scores are micro-averages over posts on the set of a post's codes, as the codebook has them: kind over post × kind, code
over post × (kind, theme). Intervals are percentile bootstraps over posts (Efron 1979), from a fixed seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from citystudy.codeframe import CODED_LANGUAGES, KINDS, Kind
from citystudy.store import Statement
from nlp.code import TextCoder
from nlp.coder.model import shipped
from nlp.json_lines import BadRow, parsed
from nlp.training.examples import opening_digest

RESAMPLES = 1000
SEED = 20
BATCH = 500
EXPECTED = '{"id": …, "text": …, "codes": […]}'
NOTHING = "none"

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class GoldPost:
    """A post coded by hand; `spans` holds the code-point span of those codes for which one was marked."""

    id: str
    text: str
    lang: str | None
    source: str
    codes: frozenset[Pair]
    spans: Mapping[Pair, tuple[int, int]] = field(default_factory=dict)


class _Code(BaseModel):
    kind: Kind
    theme: str = Field(min_length=1)
    span: tuple[int, int] | None = None


class _Row(BaseModel):
    text: str
    codes: list[_Code]
    id: str | int | None = None
    lang: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1 with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """`n` codes stand in the gold, `found` were found."""

    precision: Share
    recall: Share
    f1: Share
    n: int
    found: int


def read_gold(lines: Iterable[bytes]) -> Iterator[GoldPost | BadRow]:
    """Yield for each line that is not blank the coded post, or what is wrong with it."""
    return (row if isinstance(row, BadRow) else _gold_post(*row) for row in parsed(lines, expected=EXPECTED))


def _gold_post(number: int, row: Any) -> GoldPost | BadRow:
    try:
        coded = _Row.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        return BadRow(number, f"{where}: found {str(first['input'])[:60]!r}, expected: {first['msg']}")
    for code in coded.codes:
        if code.span and not 0 <= code.span[0] < code.span[1] <= len(coded.text):
            return BadRow(number, f"span: found {list(code.span)}, expected [start, end] within the text")
    return GoldPost(
        id=str(coded.id or number),
        text=coded.text,
        lang=coded.lang,
        source=coded.source or "",
        codes=frozenset((code.kind, code.theme) for code in coded.codes),
        spans={(code.kind, code.theme): code.span for code in coded.codes if code.span},
    )


def kinds(codes: Iterable[Pair]) -> frozenset[str]:
    """Return the kinds among codes."""
    return frozenset(kind for kind, _ in codes)


def score(truth: Sequence[frozenset[Any]], found: Sequence[frozenset[Any]]) -> Score:
    """Return the agreement of what was found with the truth, post by post."""
    counts = np.array([(len(t & f), len(f), len(t)) for t, f in zip(truth, found, strict=True)], float).reshape(-1, 3)
    rng = np.random.default_rng(SEED)
    share = np.full(len(counts), 1 / len(counts)) if len(counts) else np.zeros(0)
    weights = rng.multinomial(len(counts), share, size=RESAMPLES) if len(counts) else np.zeros((RESAMPLES, 0))
    drawn = _ratios(weights @ counts)
    [whole] = _ratios(counts.sum(0, keepdims=True))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    precision, recall, f1 = (
        Share(float(value), float(least), float(most)) for value, least, most in zip(whole, low, high, strict=True)
    )
    return Score(precision, recall, f1, n=int(counts[:, 2].sum()), found=int(counts[:, 1].sum()))


def _ratios(sums: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return precision, recall and F1 of rows of (right, found, true); 1 where there was nothing to find or claim."""
    right, found, true = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.stack([right / found, right / true, 2 * right / (found + true)], axis=1)
    return np.where(np.isnan(ratios), 1.0, ratios)


def span_f1(truth: tuple[int, int], found: tuple[int, int], text: str) -> float:
    """Return the F1 of the words that two spans cover; a word that a span cuts counts as covered."""
    words = [_words(text, *span) for span in (truth, found)]
    common = len(words[0] & words[1])
    both = len(words[0]) + len(words[1])
    return 2 * common / both if both else 0.0


def _words(text: str, start: int, end: int) -> frozenset[int]:
    """Return the starts of the words that touch text[start:end]."""
    covered, at = set(), 0
    for word in text.split():
        at = text.index(word, at)
        if at < end and at + len(word) > start:
            covered.add(at)
        at += len(word)
    return frozenset(covered)


def confusion(truth: Sequence[frozenset[str]], found: Sequence[frozenset[str]]) -> Counter[tuple[str, str]]:
    """Return how often each true label met each found one, post by post.

    Labels that agree meet themselves; what is left of a post is paired in alphabetical order, and what then is left
    over meets NOTHING.
    """
    met: Counter[tuple[str, str]] = Counter()
    for true, claimed in zip(truth, found, strict=True):
        met.update((label, label) for label in true & claimed)
        missed, extra = sorted(true - claimed), sorted(claimed - true)
        met.update(zip(missed, extra, strict=False))
        met.update((label, NOTHING) for label in missed[len(extra) :])
        met.update((NOTHING, label) for label in extra[len(missed) :])
        if not true and not claimed:
            met[NOTHING, NOTHING] += 1
    return met


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a group of posts was coded; `each` holds a score a kind, `empty` that of posts without codes.

    `span` is the mean word F1 of rightly coded statements with a coded span, None where there is none.
    """

    group: str
    posts: int
    kind: Score
    code: Score
    each: dict[str, Score]
    empty: Score
    span: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A post coded by hand, the language it was coded in, and what was found in it."""

    gold: GoldPost
    lang: str | None
    statements: Sequence[Statement]

    @property
    def codes(self) -> frozenset[Pair]:
        """The pairs of kind and theme that were found."""
        return frozenset((statement.kind, statement.theme) for statement in self.statements)


def agreement(group: str, compared: Sequence[Compared]) -> Agreement:
    """Return how what was found agrees with what was coded by hand."""
    truth, found = [one.gold.codes for one in compared], [one.codes for one in compared]
    overlaps = [
        span_f1(one.gold.spans[statement.kind, statement.theme], (statement.start, statement.end), one.gold.text)
        for one in compared
        for statement in one.statements
        if (statement.kind, statement.theme) in one.gold.spans
    ]
    return Agreement(
        group=group,
        posts=len(compared),
        kind=score([kinds(codes) for codes in truth], [kinds(codes) for codes in found]),
        code=score(truth, found),
        each={
            kind: score([kinds(codes) & {kind} for codes in truth], [kinds(codes) & {kind} for codes in found])
            for kind in KINDS
        },
        empty=score([_emptiness(codes) for codes in truth], [_emptiness(codes) for codes in found]),
        span=sum(overlaps) / len(overlaps) if overlaps else None,
    )


def _emptiness(codes: frozenset[Pair]) -> frozenset[str]:
    return frozenset() if codes else frozenset({NOTHING})


def by_theme(compared: Sequence[Compared]) -> dict[str, Score]:
    """Return for each theme that was coded or found the agreement of its codes."""
    themes = sorted({theme for one in compared for _, theme in one.gold.codes | one.codes})
    return {
        theme: score(
            [frozenset(code for code in one.gold.codes if code[1] == theme) for one in compared],
            [frozenset(code for code in one.codes if code[1] == theme) for one in compared],
        )
        for theme in themes
    }


def was_trained_on(text: str, lang: str) -> bool:
    """Tell whether the shipped coder learned from a text with the same opening."""
    digest = int(opening_digest(text, lang)[:16], 16)
    trained = shipped(lang).trained
    at = int(np.searchsorted(trained, np.uint64(digest)))
    return at < len(trained) and int(trained[at]) == digest


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Agreements of all posts and of each group; `confusion` counts kinds coded by hand against kinds found.

    `trained_on` posts begin like one that the coder learned from; `other_languages` were left out.
    """

    groups: list[Agreement]
    themes: dict[str, Score]
    confusion: dict[str, dict[str, int]]
    trained_on: int
    other_languages: int


def code_gold(
    lines: Iterable[bytes], *, cut: float, on_progress: Callable[[int], None]
) -> tuple[list[Compared], list[BadRow]]:
    """Code the texts of posts coded by hand; return both codings side by side, and the lines that were no such post."""
    coder = TextCoder(cut=cut)
    compared: list[Compared] = []
    bad: list[BadRow] = []
    rows = read_gold(lines)
    while batch := list(islice(rows, BATCH)):
        posts = [row for row in batch if isinstance(row, GoldPost)]
        bad += [row for row in batch if isinstance(row, BadRow)]
        coded = coder.code([(post.text, post.lang) for post in posts])
        compared += [Compared(post, one.lang, one.statements) for post, one in zip(posts, coded, strict=True)]
        on_progress(len(compared))
    return compared, bad


def evaluation(compared: Sequence[Compared], *, by: Sequence[str] = (), unseen: bool = False) -> Evaluation:
    """Return the agreement over posts in coded languages, and over the groups of `by`: "lang", "source", "theme".

    With `unseen`, posts that the coder has learned from are left out. No group at all: no post was left.
    """
    own = [one for one in compared if one.lang in CODED_LANGUAGES]
    fresh = [one for one in own if not was_trained_on(one.gold.text, one.lang or "")]
    measured = fresh if unseen else own
    groups: dict[str, list[Compared]] = {}
    for one in measured:
        if "lang" in by:
            groups.setdefault(one.lang or "", []).append(one)
        if "source" in by:
            groups.setdefault(f"source {one.gold.source or NOTHING}", []).append(one)
    named = [("all", measured), *sorted(groups.items())] if measured else []
    met = confusion([kinds(one.gold.codes) for one in measured], [kinds(one.codes) for one in measured])
    table: dict[str, dict[str, int]] = {}
    for (coded, found), n in sorted(met.items()):
        table.setdefault(coded, {})[found] = n
    return Evaluation(
        groups=[agreement(name, members) for name, members in named],
        themes=by_theme(measured) if "theme" in by else {},
        confusion=table,
        trained_on=len(own) - len(fresh),
        other_languages=len(compared) - len(own),
    )
