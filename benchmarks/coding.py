"""How well the coder codes: cross-validated on the coded posts, and the shipped models on the demonstration's posts.

    python -m benchmarks.coding [LANG ...]      writes docs/quality.md when run for all languages

The coded posts are scored by models that did not see them (five folds by hash of the text, copies in one fold). The
demonstration's posts never train it: the first were written and coded before it was made, the plain ones later, by
writers who had not seen it. Kind precision, recall and F1 are micro-averages over post × kind, code F1 over post × (kind, theme); spans are compared by code points.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.demo.server import demo_posts
from citystudy.store import Statement
from citystudy.text import full_text
from nlp.pipeline import coding_pipeline
from nlp.training.build import statements_out_of_fold
from nlp.training.texts import CodedPost, coded_posts, shared_folder

CUT = 0.5
QUALITY = Path(__file__).parent.parent / "docs" / "quality.md"
GOALS = "Goals, on posts kept apart: kind F1 and precision .85, each kind .75, code F1 .75, span overlap .70."


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1; `n` is what should have been found."""

    precision: float
    recall: float
    n: int

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(truth: Sequence[set[object]], found: Sequence[set[object]]) -> Score:
    right = sum(len(t & f) for t, f in zip(truth, found, strict=True))
    n, claimed = sum(map(len, truth)), sum(map(len, found))
    return Score(right / claimed if claimed else 1.0, right / n if n else 1.0, n)


def kinds_of(codes: Iterable[tuple[str, str]]) -> set[object]:
    return {kind for kind, _ in codes}


def main(languages: Sequence[str]) -> None:
    lines = []
    if shared_folder() is None:
        print("skipped: the coded posts' texts are absent; set CITYSTUDY_SHARED to the shared folder")
        return
    for lang in languages:
        posts = list(coded_posts(lang))
        found = statements_out_of_fold(posts, lang, cut=CUT)
        lines += report(f"{lang}, cross-validated", [_pairs(post) for post in posts], found, _overlaps(posts, found))
    by_language: dict[str, list[tuple[set[tuple[str, str]], str]]] = {}
    for post in demo_posts():
        by_language.setdefault(post.lang, []).append((set(post.codes), full_text(post.title, post.text)))
    for lang in languages:
        nlp = coding_pipeline(lang, cut=CUT)
        rows = by_language[lang]
        statements = [doc._.statements for doc in nlp.pipe([text for _, text in rows])]
        lines += report(f"{lang}, demonstration posts", [codes for codes, _ in rows], statements, [])
    print("\n".join(lines))
    if tuple(languages) == CODED_LANGUAGES:
        QUALITY.write_text(_page(lines), encoding="utf-8")


def report(
    name: str, truth: list[set[tuple[str, str]]], found: Sequence[Sequence[Statement]], overlaps: list[float]
) -> list[str]:
    codes = [{(s.kind, s.theme) for s in statements} for statements in found]
    kinds = score([kinds_of(t) for t in truth], [kinds_of(c) for c in codes])
    whole = score([set(t) for t in truth], [set(c) for c in codes])
    empty = score([{"-"} if not t else set() for t in truth], [{"-"} if not c else set() for c in codes])
    each = []
    for kind in KINDS:
        one = score([kinds_of(t) & {kind} for t in truth], [kinds_of(c) & {kind} for c in codes])
        each.append(f"{one.f1:.2f} ({one.n})")
    span = f"{sum(overlaps) / len(overlaps):.2f}" if overlaps else ""
    return [
        f"| {name} | {len(truth):,} | {kinds.precision:.3f} | {kinds.recall:.3f} | {kinds.f1:.3f} | "
        + " | ".join(each)
        + f" | {whole.precision:.3f} | {whole.f1:.3f} | {empty.precision:.2f} / {empty.recall:.2f} | {span} |"
    ]


def _pairs(post: CodedPost) -> set[tuple[str, str]]:
    return {(code.kind, code.theme) for code in post.codes}


def _overlaps(posts: Sequence[CodedPost], found: Sequence[Sequence[Statement]]) -> list[float]:
    """Return the F1 of code points of each rightly coded statement against its coded span."""
    overlaps = []
    for post, statements in zip(posts, found, strict=True):
        spans = {(code.kind, code.theme): code.span for code in post.codes if code.span}
        for statement in statements:
            span = spans.get((statement.kind, statement.theme))
            if span:
                common = max(0, min(span[1], statement.end) - max(span[0], statement.start))
                overlaps.append(2 * common / (span[1] - span[0] + statement.end - statement.start))
    return overlaps


def _page(lines: Sequence[str]) -> str:
    head = "posts | kind P | kind R | kind F1 | " + " | ".join(f"{kind} F1 (n)" for kind in KINDS)
    head += " | code P | code F1 | empty P / R | span overlap"
    columns = head.count("|") + 2
    return "\n".join(
        [
            "# How well the coder codes",
            "",
            f"Written by `python -m benchmarks.coding` on {datetime.now(UTC):%Y-%m-%d}, at cut {CUT}.",
            "",
            "Cross-validated rows: posts scored by models that did not see them (five folds by hash of the text). The",
            "demonstration's posts never train it: the first were written and coded before it was made, the plain ones",
            "later, by writers who had not seen it. Kind figures are micro-averages over post × kind, code figures over",
            "post × (kind, theme); span overlap is the F1 of code points of rightly coded statements.",
            "",
            f"{GOALS} Misses stand here as plainly as hits.",
            "",
            f"| set | {head} |",
            "|---" * columns + "|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:] or CODED_LANGUAGES)
