"""Findings grouped as the pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from citystudy.codeframe import KINDS
from citystudy.config import Study
from reports.findings.model import (
    BrandFinding,
    Coverage,
    Finding,
    Need,
    OfferAnswer,
    Reason,
    Results,
    SegmentFinding,
    SegmentNeed,
)
from reports.findings.ranking import strongest

MOST_HEADLINES: Final = 5


@dataclass(frozen=True, slots=True)
class KindView:
    """One kind's theme findings in a panel: by share for the plot, by rank for the cards."""

    kind: str
    by_share: tuple[Finding, ...]
    by_rank: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PanelView:
    """A city's findings with known authors, or without."""

    authors_known: bool
    base: int
    kinds: tuple[KindView, ...]


@dataclass(frozen=True, slots=True)
class CityView:
    """All that a city's page shows; `notes` are the study's own words on a source of the city."""

    id: str
    panels: tuple[PanelView, ...]
    headline: tuple[Finding, ...]
    topics: Mapping[str, tuple[Finding, ...]]
    segment_notes: Mapping[str, tuple[tuple[str, SegmentNeed], ...]]
    segments: tuple[SegmentFinding, ...]
    brands: tuple[BrandFinding, ...]
    offers: tuple[tuple[OfferAnswer, tuple[Finding, ...]], ...]
    coverage: Coverage
    notes: tuple[tuple[str, str], ...]
    alone: tuple[tuple[bool, Reason], ...]

    @property
    def href(self) -> str:
        """The address of the city's page from its neighbours."""
        return quote(city_file(self.id))

    @property
    def evidence_href(self) -> str:
        """The address of the city's evidence from its neighbours."""
        return quote(evidence_file(self.id))

    @property
    def highest(self) -> float:
        """The highest bound on the page's plots."""
        return max((f.share.high for p in self.panels for kind in p.kinds for f in kind.by_share), default=1.0)

    def findings(self) -> Iterable[Finding]:
        """Yield the theme findings as the page orders them."""
        for panel in self.panels:
            for kind in panel.kinds:
                yield from kind.by_rank


@dataclass(frozen=True, slots=True)
class Column:
    """A city's panel in the table of cities and themes."""

    city: str
    href: str
    authors_known: bool
    cells: Mapping[Need, Finding]


def city_file(city: str) -> str:
    """Return the file name of a city's page."""
    return f"city-{city}.html"


def evidence_file(city: str) -> str:
    """Return the file name of a city's evidence."""
    return f"evidence-{city}.html"


def city_views(study: Study, results: Results) -> tuple[CityView, ...]:
    """Return a view of each city, in the study's order."""
    by_id = {finding.id: finding for finding in results.findings}
    coverage = {row.city: row for row in results.coverage}
    views = []
    for city in study.cities:
        own = [finding for finding in results.findings if finding.city == city.id]
        themes = [finding for finding in own if not finding.is_topic]
        segments = tuple(row for row in results.segments if row.city == city.id)
        views.append(
            CityView(
                id=city.id,
                panels=tuple(panel for known in (True, False) if (panel := _panel(themes, known)) is not None),
                headline=_headline(themes),
                topics={finding.id: _topics(finding, own) for finding in themes},
                segment_notes={finding.id: _notes(finding, segments) for finding in themes},
                segments=segments,
                brands=tuple(row for row in results.brands if row.city == city.id),
                offers=tuple(
                    (answer, tuple(by_id[finding] for finding in answer.findings))
                    for answer in results.offers
                    if answer.city == city.id
                ),
                coverage=coverage[city.id],
                notes=tuple((target.post_source, target.note) for target in city.targets if target.note),
                alone=tuple((known, reason) for name, known, reason in results.not_compared if name == city.id),
            )
        )
    return tuple(views)


def columns(views: Sequence[CityView]) -> tuple[Column, ...]:
    """Return a column for each city and sort of author that has findings."""
    return tuple(
        Column(
            view.id,
            view.href,
            panel.authors_known,
            {finding.need: finding for kind in panel.kinds for finding in kind.by_share},
        )
        for view in views
        for panel in view.panels
    )


def common_needs(results: Results) -> tuple[tuple[Need, str, bool], ...]:
    """Return what is common to all compared cities: need, label and whether authors are known."""
    found = {
        (finding.need, finding.label, finding.authors_known)
        for finding in results.findings
        if finding.comparison.verdict == "common" and finding.need.theme != "other"
    }
    return tuple(sorted(found))


def different_needs(results: Results, city: str) -> tuple[Finding, ...]:
    """Return what stands out in one city, the strongest first."""
    return tuple(finding for finding in strongest(results.findings) if finding.city == city)


def _headline(themes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the first findings by rank: what stands out, then what the larger panel says."""
    larger = max(themes, key=lambda finding: (finding.base, finding.authors_known), default=None)
    return tuple(
        finding
        for finding in themes
        if finding.comparison.verdict == "niche"
        or (larger and finding.authors_known == larger.authors_known and finding.need.theme != "other")
    )[:MOST_HEADLINES]


def _panel(themes: Sequence[Finding], known: bool) -> PanelView | None:
    own = [finding for finding in themes if finding.authors_known == known]
    if not own:
        return None
    kinds = []
    for kind in KINDS:
        same = [finding for finding in own if finding.need.kind == kind]
        if same:
            by_share = sorted(same, key=lambda finding: (-finding.share.estimate, finding.id))
            kinds.append(KindView(kind, tuple(by_share), tuple(sorted(same, key=lambda finding: finding.rank))))
    return PanelView(known, own[0].base, tuple(kinds))


def _topics(theme: Finding, own: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(
        finding
        for finding in own
        if finding.is_topic
        and finding.authors_known == theme.authors_known
        and (finding.need.kind, finding.need.theme) == (theme.need.kind, theme.need.theme)
    )


def _notes(theme: Finding, segments: Sequence[SegmentFinding]) -> tuple[tuple[str, SegmentNeed], ...]:
    return tuple(
        (row.segment, need)
        for row in segments
        if row.authors_known == theme.authors_known
        for need in row.needs
        if need.need == theme.need and need.comparison.verdict in {"niche", "under"}
    )
