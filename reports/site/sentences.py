"""What the report says about findings, in whole sentences that never go beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from reports.findings.comparison import FALSE_DISCOVERY_RATE
from reports.findings.model import Comparison, Finding, Need, Results, SegmentNeed
from reports.site.words import Language

MOST_NAMED: Final = 3
ALIKE: Final = 100


def need_name(language: Language, need: Need, label: str = "") -> Markup:
    """Return a need in words: its theme (and topic) with its kind."""
    return language.html(f"need.{need.kind}", theme=subject(language, need, label))


def subject(language: Language, need: Need, label: str = "") -> Markup:
    """Return what a need is about: its theme, and its topic where it has one."""
    theme = language.theme(need.theme)
    return language.html("need.topic", theme=theme, topic=label) if need.topic else language.mark(theme)


def claim(language: Language, finding: Finding) -> Markup:
    """Return the finding as one sentence."""
    authors = "known" if finding.authors_known else "unknown"
    return language.html(
        f"claim.{authors}.{finding.need.kind}",
        share=language.percent(finding.share.estimate),
        n=finding.base,
        theme=subject(language, finding.need, finding.label),
    )


def against_others(language: Language, finding: Finding) -> Markup:
    """Return how the city compares with the others, or why it is not compared."""
    comparison = finding.comparison
    if comparison.reason:
        return language.html(f"reason.{comparison.reason}")
    if comparison.index is None:
        low = language.number(comparison.low or 0)
        if comparison.verdict == "niche":
            return language.html(f"index.{comparison.bound}", low=low)
        return language.html("index.no_difference_lower")
    return language.html(
        f"index.{_sentence(comparison)}",
        ratio=language.number(comparison.index / 100, 1),
        index=language.number(comparison.index),
        low=language.number(comparison.low or 0),
        high=language.number(comparison.high or 0),
        q=language.number(comparison.q or 0, 2 if (comparison.q or 0) >= FALSE_DISCOVERY_RATE else 3),
    )


def counted(language: Language, finding: Finding) -> Markup:
    """Return how many of how many say it."""
    authors = "known" if finding.authors_known else "unknown"
    return language.html(f"counted.{authors}", voices=finding.voices, n=finding.base)


def index_badge(language: Language, row: Finding | SegmentNeed) -> Markup:
    """Return the index in two words, or nothing where there is none."""
    comparison = row.comparison
    if comparison.index is not None:
        return language.html("index.label", index=language.number(comparison.index))
    if comparison.bound != "point" and comparison.verdict == "niche":
        return language.html("index.at_least", low=language.number(comparison.low or 0))
    return Markup()


def three_sentences(language: Language, city: str, results: Results) -> list[Markup]:
    """Return what a city says most, what stands out there, and what changes; each only from its findings."""
    own = sorted((f for f in results.findings if f.city == city), key=lambda finding: finding.rank)
    themes = [finding for finding in own if not finding.is_topic]
    if not themes:
        return [language.html("summary.nothing", city=language.city(city))]
    return [_most(language, city, themes), _niche(language, city, themes, own, results), _change(language, themes)]


def _sentence(comparison: Comparison) -> str:
    """Return which sentence tells a comparison that has an index."""
    if comparison.verdict != "no_difference":
        return comparison.verdict
    if (comparison.q or 0) <= FALSE_DISCOVERY_RATE:
        return "small"
    low, high = comparison.low or 0, comparison.high or 0
    return "no_difference" if low <= ALIKE <= high else "no_difference_corrected"


def _most(language: Language, city: str, themes: Sequence[Finding]) -> Markup:
    known = max(themes, key=lambda finding: (finding.base, finding.authors_known)).authors_known
    same = (finding for finding in themes if finding.authors_known == known)
    widest = sorted(same, key=lambda finding: (finding.need.theme == "other", -finding.share.low, finding.id))
    needs = [
        language.html(
            f"need_share.{finding.need.kind}",
            theme=subject(language, finding.need),
            share=language.percent(finding.share.estimate),
        )
        for finding in widest[:MOST_NAMED]
    ]
    return language.html(
        "summary.top" if known else "summary.top_unknown", city=language.city(city), needs=language.listing(needs)
    )


def _niche(
    language: Language, city: str, themes: Sequence[Finding], own: Sequence[Finding], results: Results
) -> Markup:
    niche = [finding for finding in themes if finding.comparison.verdict == "niche"]
    told = {(finding.authors_known, finding.need.kind, finding.need.theme) for finding in niche}
    niche += [
        finding
        for finding in own
        if finding.is_topic
        and finding.comparison.verdict == "niche"
        and (finding.authors_known, finding.need.kind, finding.need.theme) not in told
    ]
    if niche:
        return language.html("summary.niche", needs=_named(language, niche))
    alone = {known: reason for name, known, reason in results.not_compared if name == city}
    if all(finding.authors_known in alone for finding in themes):
        return language.html(f"reason.{alone[themes[0].authors_known]}")
    return language.html("summary.no_niche")


def _change(language: Language, themes: Sequence[Finding]) -> Markup:
    rising = [finding for finding in themes if finding.trend.direction == "rising"]
    falling = [finding for finding in themes if finding.trend.direction == "falling"]
    if rising and falling:
        return language.html(
            "summary.rising_falling", rising=_named(language, rising), falling=_named(language, falling)
        )
    if rising or falling:
        return language.html(f"summary.{'rising' if rising else 'falling'}", needs=_named(language, rising or falling))
    if any(finding.trend.direction == "steady" for finding in themes):
        return language.html("summary.steady")
    return language.html("summary.no_dates")


def _named(language: Language, findings: Sequence[Finding]) -> Markup:
    names = dict.fromkeys(need_name(language, finding.need, finding.label) for finding in findings)
    return language.listing(list(names)[:MOST_NAMED])
