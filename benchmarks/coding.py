"""How well the coder codes, measured on posts that it did not learn from; writes docs/quality.md.

    python -m benchmarks.coding            all of it (about 15 minutes)
    python -m benchmarks.coding --check    the cross-validated figures alone, against the stored ones; ends with 1 where
                                           one has fallen

The coded posts, and the rows of public sets, are judged by models that saw nothing of their fold (five folds by the hash
of a text's opening, so that copies share one). The demonstration's posts never train a model. Figures are those of
`nlp.evaluation`; the figures of the last full run are kept in benchmarks/coding.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import numpy as np

from benchmarks.public_sets import PublicRow, public_rows, public_scores
from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.demo.server import demo_posts
from citystudy.store import Statement
from citystudy.text import full_text
from nlp.adverts import is_advert
from nlp.code import TextCoder
from nlp.evaluation import Agreement, Compared, GoldPost, agreement, by_theme, score
from nlp.training.build import (
    Judged,
    Scales,
    fold_models,
    judge_out_of_fold,
    scales,
    uncoded,
)
from nlp.training.examples import FOLDS
from nlp.training.silver import silver_posts
from nlp.training.texts import CodedPost, coded_posts, second_codings, shared_folder

STORED = Path(__file__).with_name("coding.json")
QUALITY = Path(__file__).parent.parent / "docs" / "quality.md"
CUT = 0.5
TOLERANCE = 0.01
BINS = 10
SPEED_POSTS = 3000
FIRST_TEXTS = """
import time
from nlp.code import TextCoder
start = time.perf_counter()
coder = TextCoder(cut=0.5)
coder.code([("the bus is late", "en"), ("الباص متأخر", "ar"), ("اتوبوس دیر کرد", "fa"), ("автобус опоздал", "ru")])
print(time.perf_counter() - start)
"""
SHORT = 200  # characters


@dataclass(frozen=True, slots=True)
class Run:
    """A language judged out of fold: its posts, what was found in them, and in the rows of public sets."""

    lang: str
    posts: list[CodedPost]
    judged: list[Judged]
    scales: Scales
    found: list[list[Statement]]
    public: list[tuple[PublicRow, Sequence[Statement]]]

    @property
    def compared(self) -> list[Compared]:
        """Both codings of each post, adverts left uncoded as the pipeline leaves them."""
        return [
            Compared(_gold(post), self.lang, [] if is_advert(post.text, self.lang) else found)
            for post, found in zip(self.posts, self.found, strict=True)
        ]


def run(lang: str, *, public: bool) -> Run:
    posts = list(coded_posts(lang))
    silver = uncoded(silver_posts(lang), posts, lang)
    others = list(public_rows(lang)) if public else []
    models = list(fold_models(posts, silver, lang))
    judged = judge_out_of_fold(models, [post.text for post in posts], lang)
    scaled = scales(posts, judged)
    found = scaled.code(judge_out_of_fold(models, [row.text for row in others], lang), cut=CUT)
    rows = [
        (row, [] if is_advert(row.text, lang) else statements) for row, statements in zip(others, found, strict=True)
    ]
    return Run(lang, posts, judged, scaled, scaled.code(judged, cut=CUT), rows)


def _gold(post: CodedPost) -> GoldPost:
    return GoldPost(
        id=post.id,
        text=post.text,
        lang=post.lang,
        source=post.set,
        codes=frozenset((code.kind, code.theme) for code in post.codes),
        spans={(code.kind, code.theme): code.span for code in post.codes if code.span},
    )


def curve(whole: Run) -> list[tuple[int, float]]:
    """Return (training posts, kind F1) with a quarter, half and all of the training posts of each fold."""
    lang, posts = whole.lang, whole.posts
    silver = uncoded(silver_posts(lang), posts, lang)
    drawn = np.random.default_rng(0).random(len(posts))
    points = []
    for share in (0.25, 0.5):
        taught = [post for post, at in zip(posts, drawn, strict=True) if at < share]
        judged = judge_out_of_fold(fold_models(taught, silver, lang), [post.text for post in posts], lang)
        found = scales(posts, judged).code(judged, cut=CUT)
        compared = [Compared(_gold(p), lang, one) for p, one in zip(posts, found, strict=True)]
        points.append((_in_training(taught), agreement("", compared).kind.f1.value))
    return [*points, (_in_training(posts), agreement("", whole.compared).kind.f1.value)]


def _in_training(posts: Sequence[CodedPost]) -> int:
    """Return how many of the posts train a model, over the folds."""
    return round(len(posts) * (FOLDS - 1) / FOLDS)


def free_spans(whole: Run) -> list[Compared]:
    """Return the codings of the posts whose spans were marked freely, not by choosing among clauses."""
    chosen = []
    for one, judged in zip(whole.compared, whole.judged, strict=True):
        starts, ends = {start for start, _ in judged.clauses}, {end for _, end in judged.clauses}
        if any(start not in starts or end not in ends for start, end in one.gold.spans.values()):
            chosen.append(one)
    return chosen


def reliability(probabilities: np.ndarray, right: np.ndarray) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error over BINS bins of equal mass, and (mean, share right, n) of each bin."""
    bins = [part for part in np.array_split(np.argsort(probabilities, kind="stable"), BINS) if len(part)]
    rows = [(float(probabilities[part].mean()), float(right[part].mean()), len(part)) for part in bins]
    return sum(n * abs(p - r) for p, r, n in rows) / len(probabilities), rows


def two_coders(lang: str) -> list[str]:
    """Return rows of agreement: of a second coder with the first, and with the gold."""
    first = {(post.set, post.id): frozenset((c.kind, c.theme) for c in post.codes) for post in coded_posts(lang)}
    second = second_codings(lang)
    lines = []
    for name, keys in (
        ("a second coder with the first", [key for key in second if key[0] != "gold"]),
        ("a coder of this project with the gold", [key for key in second if key[0] == "gold"]),
    ):
        truth, found = [first[key] for key in keys], [second[key] for key in keys]
        kinds = score(
            [frozenset(k for k, _ in codes) for codes in truth], [frozenset(k for k, _ in codes) for codes in found]
        )
        lines.append(f"| {lang} | {name} | {len(keys)} | {kinds.f1.value:.2f} | {score(truth, found).f1.value:.2f} |")
    return lines


def speed() -> list[str]:
    """Return rows of the time to load all models and to code short and other demonstration posts on one core."""
    fresh_process = [sys.executable, "-c", FIRST_TEXTS]
    loaded = float(subprocess.run(fresh_process, capture_output=True, text=True, check=True).stdout)
    lines = [f"| seconds to load all models and code a first text in each language | {loaded:.2f} | < 2 |"]
    coder = TextCoder(cut=CUT)
    texts = [full_text(post.title, post.text) for post in demo_posts()]
    coder.code([(text, None) for text in texts])  # loaded is measured above
    for name, chosen, goal in (
        (f"posts a second, {SHORT} characters or fewer", [text for text in texts if len(text) <= SHORT], "≥ 1,500"),
        ("posts a second, all", texts, "none set"),
    ):
        rounds = (chosen * (SPEED_POSTS // len(chosen) + 1))[:SPEED_POSTS]
        fresh = [(f"{text} {number}", None) for number, text in enumerate(rounds)]
        start = time.perf_counter()
        for at in range(0, len(fresh), 500):
            coder.code(fresh[at : at + 500])
        mean = sum(len(text) for text, _ in fresh) / len(fresh)
        lines.append(f"| {name} (mean {mean:.0f}) | {len(fresh) / (time.perf_counter() - start):,.0f} | {goal} |")
    sizes = [file.stat().st_size for file in Path(str(resources.files("nlp.models"))).glob("*.npz")]
    lines.append(f"| megabytes of models | {sum(sizes) / 1e6:.1f} | ≤ 40 |")
    return lines


def figures(one: Agreement) -> dict[str, float]:
    """Return the figures that may not fall."""
    return {
        "kind F1": round(one.kind.f1.value, 4),
        "kind precision": round(one.kind.precision.value, 4),
        "code F1": round(one.code.f1.value, 4),
        **{f"{kind} F1": round(each.f1.value, 4) for kind, each in one.each.items()},
    }


def check() -> int:
    """Compare the cross-validated figures with the stored ones; return 1 where one has fallen."""
    fallen = 0
    for lang, stored in json.loads(STORED.read_text(encoding="utf-8")).items():
        now = figures(agreement(lang, run(lang, public=False).compared))
        for name, before in stored.items():
            worse = now[name] < before - TOLERANCE
            fallen += worse
            print(f"{lang} {name}: {before:.3f} before, {now[name]:.3f} now{': FALLEN' if worse else ''}", flush=True)
    return int(fallen > 0)


def _row(name: str, one: Agreement) -> str:
    each = " | ".join(f"{score.f1.value:.2f} ({score.n})" for score in one.each.values())
    kind, code, empty = one.kind, one.code, one.empty
    span = "" if one.span is None else f"{one.span:.2f}"
    return (
        f"| {name} | {one.posts:,} | {kind.precision.value:.3f} | {kind.recall.value:.3f} | {kind.f1.value:.3f} "
        f"[{kind.f1.low:.2f}, {kind.f1.high:.2f}] | {each} | {code.precision.value:.3f} | {code.f1.value:.3f} | "
        f"{empty.precision.value:.2f} / {empty.recall.value:.2f} | {span} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if shared_folder() is None:
        print("skipped: the coded posts' texts are absent; set CITYSTUDY_SHARED to the shared folder")
        return 0
    if parser.parse_args().check:
        return check()
    sections: dict[str, list[str]] = {
        name: [] for name in ("agreement", "themes", "public", "scores", "bins", "curve", "coders")
    }
    stored = {}
    for lang in CODED_LANGUAGES:
        judged = run(lang, public=True)
        whole = agreement(lang, judged.compared)
        stored[lang] = figures(whole)
        gold = [one for one in judged.compared if one.gold.source == "gold"]
        sections["agreement"] += [
            _row(f"{lang}, all coded posts", whole),
            _row(f"{lang}, the gold among them", agreement(lang, gold)),
            _row(f"{lang}, those with freely marked spans", agreement(lang, free_spans(judged))),
        ]
        sections["themes"] += [
            f"| {lang} | {theme} | {one.n} | {one.found} | {one.precision.value:.2f} | {one.recall.value:.2f} | {one.f1.value:.2f} |"
            for theme, one in by_theme(judged.compared).items()
        ]
        sections["public"] += [
            f"| {name} | {what} | {value:.3f} | {goal} |" for name, what, value, goal in public_scores(judged.public)
        ]
        sections["scores"] += scores(judged, sections["bins"])
        points = curve(judged)
        gain = (points[-1][1] - points[-2][1]) / (points[-1][0] - points[-2][0]) * 500
        sections["curve"].append(
            f"| {lang} | " + " | ".join(f"{f1:.3f} ({n:,})" for n, f1 in points) + f" | {100 * gain:+.1f} |"
        )
        sections["coders"] += two_coders(lang)
        print(*sections["agreement"][-3:], sections["curve"][-1], sep="\n", flush=True)
    sections["agreement"] += demonstration()
    STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    QUALITY.write_text(page(sections, speed()), encoding="utf-8")
    return 0


def scores(judged: Run, bins: list[str]) -> list[str]:
    """Return a row of calibration errors, and add the reliability of statements' scores to `bins`."""
    kinds = judged.scales.kinds(judged.judged)
    coded = np.array([[any(c.kind == kind for c in post.codes) for kind in KINDS] for post in judged.posts])
    kind_error, _ = reliability(kinds.ravel(), coded.ravel())
    found = [(s, one.gold.codes) for one in judged.compared for s in one.statements]
    error, rows = reliability(
        np.array([s.score for s, _ in found]), np.array([(s.kind, s.theme) in c for s, c in found])
    )
    bins += [f"| {judged.lang} | {mean:.2f} | {right:.2f} | {n} |" for mean, right, n in rows]
    return [f"| {judged.lang} | {len(judged.posts):,} | {kind_error:.3f} | {len(found):,} | {error:.3f} |"]


def demonstration() -> list[str]:
    """Return rows of the shipped coder on the demonstration's posts."""
    coder = TextCoder(cut=CUT)
    posts = list(demo_posts())
    coded = coder.code([(full_text(post.title, post.text), post.lang) for post in posts])
    lines = []
    for lang in CODED_LANGUAGES:
        compared = [
            Compared(GoldPost("", full_text(p.title, p.text), lang, "demo", frozenset(p.codes)), lang, one.statements)
            for p, one in zip(posts, coded, strict=True)
            if p.lang == lang
        ]
        lines.append(_row(f"{lang}, demonstration posts", agreement(lang, compared)))
    return lines


def page(sections: dict[str, list[str]], fast: list[str]) -> str:
    kinds = " | ".join(f"{kind} F1 (n)" for kind in KINDS)
    tables = (
        (
            "Agreement with posts coded by hand",
            (
                f"Cut {CUT}. Goals, on posts kept apart: kind F1 and precision .85, each kind .75, code F1 .75, span .70. "
                "The demonstration's first posts were written before the coder was made, the plain ones by writers who had "
                "not seen it. Square brackets: 95 % interval (bootstrap over posts). Spans are compared by words."
            ),
            f"posts | n | kind P | kind R | kind F1 | {kinds} | code P | code F1 | empty P / R | span F1",
            sections["agreement"],
        ),
        (
            "Public sets",
            "Rows judged by models that saw nothing of their fold.",
            "set | measure | figure | goal",
            sections["public"],
        ),
        (
            "Two coders",
            "Each read the posts alone. The second row compares coders of this project with the gold, whose labels they had not seen.",
            "language | who | posts | kind F1 | code F1",
            sections["coders"],
        ),
        (
            "Learning curve",
            "Kind F1 with a quarter, half and all of the training posts (their number), and the gain in points for another 500.",
            "language | quarter | half | all | gain for 500 more",
            sections["curve"],
        ),
        (
            "Scores as probabilities",
            f"Expected calibration error over {BINS} bins of equal mass: of each kind over all posts, and of found statements' scores. Goal: ≤ .05.",
            "language | posts | error of kinds | statements | error of statements",
            sections["scores"],
        ),
        (
            "Reliability of statements' scores",
            "Each bin's mean score and the share that was right.",
            "language | score | right | n",
            sections["bins"],
        ),
        ("Size and speed", "On one core; the machine was shared.", "measure | figure | goal", fast),
        ("Codes of each theme", "", "language | theme | coded | found | P | R | F1", sections["themes"]),
    )
    lines = [
        "# How well the coder codes",
        "",
        f"Written by `python -m benchmarks.coding` on {datetime.now(UTC):%Y-%m-%d}. Cross-validated: every post is judged by a model",
        "that saw nothing of its fold (five folds by hash of the opening, so that copies share one). Misses stand here as",
        "plainly as hits. The cue lists were written while looking at part of the coded posts, so these figures flatter a little.",
    ]
    for title, about, head, rows in tables:
        lines += [
            "",
            f"## {title}",
            "",
            *([about, ""] if about else []),
            f"| {head} |",
            "|---" * (head.count("|") + 1) + "|",
            *rows,
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
