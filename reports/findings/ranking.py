"""The order in which findings are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from citystudy.config import Offer
from reports.findings.model import Finding, OfferAnswer


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by city with their ranks, themes and topics counted apart.

    What stands out comes first, by the lower bound of its index; then the widest spread, by the lower bound of its
    share; what has no theme ('other') comes last.
    """
    groups: dict[tuple[str, bool], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.city, finding.is_topic].append(finding)
    return tuple(
        replace(finding, rank=place)
        for key in sorted(groups)
        for place, finding in enumerate(sorted(groups[key], key=_order), start=1)
    )


def strongest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the niche needs of all cities, the strongest first; a topic only where its theme does not stand out."""
    niche = [finding for finding in findings if finding.comparison.verdict == "niche"]
    themes = {_theme(finding) for finding in niche if not finding.is_topic}
    kept = [finding for finding in niche if not finding.is_topic or _theme(finding) not in themes]
    return tuple(sorted(kept, key=lambda finding: (-(finding.comparison.low or 0), finding.city, finding.id)))


def answered(city: str, findings: Sequence[Finding], offers: Iterable[Offer]) -> list[OfferAnswer]:
    """Return, for each offer, the city's findings of its themes and kinds by rank."""
    own = sorted((f for f in findings if f.city == city and not f.is_topic), key=lambda finding: finding.rank)
    return [
        OfferAnswer(
            city,
            offer.name,
            tuple(f.id for f in own if f.need.theme in offer.themes and f.need.kind in offer.kinds),
        )
        for offer in offers
    ]


def _order(finding: Finding) -> tuple[bool, float, bool, float, str]:
    niche = finding.comparison.verdict == "niche"
    bound = float(finding.comparison.low or 0) if niche else 0.0
    return (not niche, -bound, finding.need.theme == "other", -finding.share.low, finding.id)


def _theme(finding: Finding) -> tuple[str, bool, str, str]:
    return finding.city, finding.authors_known, finding.need.kind, finding.need.theme
