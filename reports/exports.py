"""The findings as tables for machines (CSV, JSON) and as Markdown for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from citystudy import __version__
from citystudy.codeframe import KINDS
from citystudy.config import Study
from reports.findings.model import Finding, Results
from reports.site import sentences
from reports.site.words import Language

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
UNITS: Final = {True: "voices", False: "posts, authors unknown"}
COLUMNS: Final = (
    "finding", "city", "rank", "kind", "theme", "topic", "topic_label", "language", "unit", "voices", "base", "share",
    "share_low", "share_high", "verdict", "not_compared_reason", "index_bound", "index", "index_low", "index_high",
    "p", "q", "share_in_shared_strata", "share_elsewhere_in_shared_strata", "strata", "trend", "trend_p", "trend_q",
    "districts", "statements", "evidence",
)  # fmt: skip


def findings_csv(results: Results) -> str:
    """Return one row a finding (shares as fractions of 1, index 100 = alike); no cell can act as a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for finding in results.findings:
        row = record(finding)
        cells = {
            **row,
            "strata": " ".join(row["strata"]),
            "districts": "; ".join(f"{part['name']}: {part['voices']}" for part in row["districts"]),
            "statements": len(row["evidence"]),
            "evidence": " ".join(row["evidence"]),
        }
        writer.writerow([harmless(cells[column]) for column in COLUMNS])
    return text.getvalue()


def harmless(cell: object) -> object:
    """Return a cell that a spreadsheet takes for text when it begins as a formula does; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return "'" + cell
    return "" if cell is None else cell


def findings_json(study: Study, results: Results, report_id: str) -> str:
    """Return the whole results; every figure has its unit, base, interval and the flags that limit it."""
    document = {
        "report": report_id,
        "made_by": f"citystudy {__version__}",
        "study": study.study.name,
        "question": study.study.question,
        "as_of": results.as_of,
        "k": results.k,
        "coder": study.analysis.coder,
        "coder_model": study.analysis.model or None,
        "units": {
            "share": "fraction of the base, Wilson 95% interval",
            "index": "100 x Mantel-Haenszel risk ratio against the other cities within shared strata, "
            "Greenland-Robins 95% interval",
            "index_bound": "point: all three hold; only_here: nobody elsewhere says it, only index_low is given; "
            "lower: fewer than k elsewhere do, only index_low is given, rounded down to tens",
            "q": "Benjamini-Hochberg over all comparisons of the report",
            "corrected_for_coder_error": False,
        },
        "comparisons_made": results.comparisons_made,
        "trends_tested": results.trends_tested,
        "cities": [asdict(row) for row in results.coverage],
        "strata": [asdict(row) for row in results.strata],
        "not_compared": [
            {"city": city, "unit": UNITS[known], "reason": reason} for city, known, reason in results.not_compared
        ],
        "dropped_from_files": dict(results.dropped_elsewhere),
        "findings": [record(finding) for finding in results.findings],
        "segments": [asdict(row) for row in results.segments],
        "brands": [asdict(row) for row in results.brands],
        "offers": [asdict(row) for row in results.offers],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def record(finding: Finding) -> dict[str, Any]:
    """Return a finding as flat, JSON-ready values."""
    comparison, trend = finding.comparison, finding.trend
    return {
        "finding": finding.id,
        "city": finding.city,
        "rank": finding.rank,
        "kind": finding.need.kind,
        "theme": finding.need.theme,
        "topic": finding.need.topic or None,
        "topic_label": finding.label or None,
        "language": finding.need.lang or None,
        "unit": UNITS[finding.authors_known],
        "voices": finding.voices,
        "base": finding.base,
        "share": round(finding.share.estimate, 4),
        "share_low": round(finding.share.low, 4),
        "share_high": round(finding.share.high, 4),
        "verdict": comparison.verdict,
        "not_compared_reason": comparison.reason,
        "index_bound": comparison.bound if comparison.reason is None else None,
        "index": comparison.index,
        "index_low": comparison.low,
        "index_high": comparison.high,
        "p": comparison.p,
        "q": comparison.q,
        "share_in_shared_strata": comparison.share_here,
        "share_elsewhere_in_shared_strata": comparison.share_elsewhere,
        "strata": list(comparison.strata),
        "trend": trend.direction,
        "trend_p": trend.p,
        "trend_q": trend.q,
        "trend_periods": [asdict(period) | {"start": period.start.isoformat()} for period in trend.periods],
        "districts": [asdict(part) for part in finding.districts],
        "evidence": [row.id for row in finding.evidence],
        "verbatims": [quote.evidence for quote in finding.verbatims],
    }


def summary_md(study: Study, results: Results, language: Language) -> str:
    """Return the report's answers in Markdown: three sentences a city and its findings as a table."""
    lines = [f"# {_md(language.text('overview.title'))}", "", _md(study.study.question), ""]
    for city in study.cities:
        own = [finding for finding in results.findings if finding.city == city.id and not finding.is_topic]
        lines += [f"## {_md(language.city(city.id))}", ""]
        lines += [_md(sentence.striptags()) for sentence in sentences.three_sentences(language, city.id, results)]
        lines.append("")
        if own:
            lines += _table(language, own)
    lines += [_md(language.text("footer.unit")), ""]
    return "\n".join(lines)


def _table(language: Language, findings: Sequence[Finding]) -> list[str]:
    heads = ("need", "share", "interval", "voices", "base", "index", "verdict")
    lines = [
        "| " + " | ".join(_md(language.text(f"column.{head}")) for head in heads) + " |",
        "|---" * len(heads) + "|",
    ]
    order = {kind: place for place, kind in enumerate(KINDS)}
    for finding in sorted(findings, key=lambda row: (order[row.need.kind], row.rank)):  # type: ignore[index]
        voices = language.text("n_voices" if finding.authors_known else "n_unknown", n=finding.voices)
        cells = (
            sentences.need_name(language, finding.need).striptags(),
            str(language.percent(finding.share.estimate)),
            str(language.span(finding.share.low, finding.share.high)),
            voices,
            str(language.number(finding.base)),
            sentences.index_badge(language, finding).striptags() or "–",
            language.text(f"verdict.{finding.comparison.verdict}"),
        )
        lines.append("| " + " | ".join(_md(cell) for cell in cells) + " |")
    return [*lines, ""]


_MARKDOWN: Final[Mapping[int, str]] = str.maketrans(
    {character: "\\" + character for character in "\\`*_{}[]<>#|"} | {"\n": " "}
)


def _md(text: str) -> str:
    """Return text that Markdown shows as it stands."""
    return text.translate(_MARKDOWN)
