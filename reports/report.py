"""One report: read the database, find what holds, lay it out, store the findings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from citystudy import __version__
from citystudy.config import ReportLanguage, Study
from citystudy.errors import InputError
from citystudy.store import Store
from reports.corpus import Corpus, moment, read_corpus
from reports.exports import findings_csv, findings_json, record, summary_md
from reports.findings.model import Finding, Results
from reports.findings.ranking import strongest
from reports.findings.study import Progress, analyse
from reports.folder import point_to, publish
from reports.site import sentences
from reports.site.pages import redirect, render
from reports.site.words import Language

LANGUAGES: Final[tuple[str, ...]] = get_args(ReportLanguage)
LATEST: Final = "latest.html"
SHORT_ID: Final = 8


@dataclass(frozen=True, slots=True)
class Report:
    """A built report. `previous` is the id of the last report with another id; `headline` the strongest niche needs."""

    id: str
    folder: Path
    index: Path
    previous: str | None
    findings: tuple[Finding, ...]
    headline: tuple[Finding, ...]
    results: Results
    language: Language

    def claim(self, finding: Finding) -> str:
        """Return a finding as plain text in the report's first language: city, claim, and how it compares."""
        parts = (sentences.claim(self.language, finding), sentences.against_others(self.language, finding))
        return f"{self.language.city(finding.city)}: " + " ".join(part.striptags() for part in parts)


def build(
    study: Study,
    store: Store,
    *,
    languages: Sequence[str] | None = None,
    as_of: str | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Write the report of a study into `study.reports_path` and return it.

    `languages` (default: the study's) are report languages, several in a folder each. `as_of` leaves out what is
    newer; the default is everything. The same posts, settings and version give the same bytes. `on_progress` is told
    stage, steps done and steps in all. Raises InputError for an unknown language or date, ReportError when the
    folder can't be written.
    """
    chosen = _languages(languages or study.study.report_languages)
    corpus = read_corpus(store, moment(as_of) if as_of else None, claim_cut=study.analysis.claim_cut)
    report_id = _report_id(study, corpus)
    results = analyse(study, corpus, on_progress)
    day = results.as_of[:10] if results.as_of else "undated"
    folder = study.reports_path / f"{day}-{report_id[:SHORT_ID]}"
    publish(folder, _files(study, results, report_id, chosen, on_progress))
    point_to(study.reports_path / LATEST, redirect(f"{folder.name}/index.html", study.study.name))
    previous = store.save_report(report_id, results.as_of, [record(finding) for finding in results.findings])
    return Report(
        id=report_id,
        folder=folder,
        index=folder / "index.html",
        previous=previous,
        findings=results.findings,
        headline=strongest(results.findings),
        results=results,
        language=Language(chosen[0], study),
    )


def _languages(codes: Sequence[str]) -> tuple[str, ...]:
    for code in codes:
        if code not in LANGUAGES:
            raise InputError(f"report language: found '{code}', expected one of {', '.join(LANGUAGES)}")
    return tuple(dict.fromkeys(codes))


def _report_id(study: Study, corpus: Corpus) -> str:
    """Return a digest of all that a report's claims depend on; its languages and where it is kept don't."""
    settings = study.model_dump(
        mode="json",
        include={
            "study": {"name", "question"},
            "cities": True,
            "codeframe": True,
            "segments": True,
            "brands": True,
            "offers": True,
            "privacy": {"k", "exact_quotes"},
            "analysis": {"coder": True, "llm": {"model"}, "transformers": {"model"}},
        },
    )
    parts = {"settings": settings, "posts": corpus.digest, "as_of": corpus.as_of, "version": __version__}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _files(
    study: Study, results: Results, report_id: str, languages: Sequence[str], on_progress: Progress | None
) -> Iterator[tuple[str, str]]:
    total = len(languages) * (2 + 2 * len(study.cities)) + (len(languages) > 1)
    for pages, (name, text) in enumerate(render(study, results, report_id, languages), start=1):
        yield name, text
        if on_progress:
            on_progress("pages", pages, total)
    for code in languages:
        folder = f"{code}/" if len(languages) > 1 else ""
        yield f"{folder}summary.md", summary_md(study, results, Language(code, study))
    yield "findings.csv", findings_csv(results)
    yield "findings.json", findings_json(study, results, report_id)
