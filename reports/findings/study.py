"""From a corpus to everything a report says about it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from citystudy.config import Study
from reports.corpus import Corpus, MentionRow
from reports.findings.brands import brand_findings
from reports.findings.comparison import Contest, judge, not_compared
from reports.findings.coverage import coverage, ordered
from reports.findings.disclosure import is_open, open_parts
from reports.findings.evidence import choose, collect
from reports.findings.model import Comparison, Finding, Need, Part, Results, SegmentFinding, Share, StratumNote, Trend
from reports.findings.ranking import answered, ranked
from reports.findings.ratio import wilson
from reports.findings.segments import SegmentKey, members, segment_contests, segment_findings
from reports.findings.strata import Stratum, shared_strata, tables_for, why_alone
from reports.findings.trend import judge_trends, timeline
from reports.findings.voices import Panel, hear

Progress = Callable[[str, int, int], None]


class CityKey(NamedTuple):
    """A need in a panel."""

    city: str
    authors_known: bool
    need: Need


_Key = CityKey | SegmentKey


def analyse(study: Study, corpus: Corpus, on_progress: Progress | None = None) -> Results:
    """Return the findings of a study, its segments, brands, offers and coverage."""
    tell = on_progress or (lambda *_: None)
    k = study.privacy.k
    heard = hear(corpus, k)
    strata = shared_strata(heard.panels)
    mentions = _by_post(corpus.mentions)
    segments = [members(panel, _names(mentions["segment"]), k) for panel in heard.panels]
    open_needs = [_open_needs(panel, k) for panel in heard.panels]

    tell("comparisons", 0, 1)
    contests: dict[_Key, Contest] = {}
    contests.update(_city_contests(heard.panels, strata).items())
    for panel, inside in zip(heard.panels, segments, strict=True):
        contests.update(segment_contests(panel, inside).items())
    verdicts = judge(contests, k)
    tell("comparisons", 1, 1)

    lines = [timeline(panel) for panel in heard.panels]
    trends = judge_trends(
        {
            CityKey(panel.city, panel.authors_known, need): (line, need)
            for panel, line, needs in zip(heard.panels, lines, open_needs, strict=True)
            for need in needs
        },
        {
            CityKey(panel.city, panel.authors_known, need): len(panel.said[need])
            for panel, needs in zip(heard.panels, open_needs, strict=True)
            for need in needs
        },
        k,
    )

    findings: list[Finding] = []
    segment_rows: list[SegmentFinding] = []
    brands = []
    for number, (panel, inside, needs) in enumerate(zip(heard.panels, segments, open_needs, strict=True)):
        tell("findings", number, len(heard.panels))
        findings.extend(_findings(study, corpus, panel, needs, verdicts, trends, _names(mentions["district"]), strata))
        own = {key: verdict for key, verdict in verdicts.items() if isinstance(key, SegmentKey)}
        segment_rows.extend(segment_findings(panel, inside, own, [need for need in needs if not need.topic], k))
        brands.extend(brand_findings(panel, mentions["brand"], corpus.texts, k))
    tell("findings", len(heard.panels), len(heard.panels))

    cities = [city.id for city in study.cities]
    in_order = ranked(findings)
    return Results(
        as_of=corpus.as_of,
        k=k,
        findings=in_order,
        segments=tuple(segment_rows),
        brands=tuple(brands),
        offers=tuple(answer for city in cities for answer in answered(city, in_order, study.offers)),
        coverage=coverage(cities, corpus, heard, k),
        strata=tuple(_note(stratum) for stratum in strata),
        not_compared=tuple(
            (panel.city, panel.authors_known, why_alone(panel)) for panel in heard.panels if _alone(panel, strata)
        ),
        dropped_elsewhere=ordered(corpus.dropped.get("", {})),
        comparisons_made=sum(contest.said >= k for contest in contests.values()),
        trends_tested=sum(trend.p is not None for trend in trends.values()),
    )


def _open_needs(panel: Panel, k: int) -> tuple[Need, ...]:
    """Return the needs whose figures may be shown: themes, and topics that neither theme nor language gives away."""
    themes = [
        need for need, voices in panel.said.items() if not need.topic and is_open(len(voices), len(panel.voices), k)
    ]
    needs: list[Need] = []
    for theme in themes:
        needs.append(theme)
        topics = {
            need.topic: need
            for need in panel.said
            if need.topic
            and (need.kind, need.theme) == (theme.kind, theme.theme)
            and _is_open_base(len(panel.base(need)), len(panel.voices), k)
            and is_open(len(panel.said[need]), len(panel.base(need)), k)
        }
        parts = {topic: panel.said[need] for topic, need in topics.items()}
        needs.extend(topics[topic] for topic in open_parts(parts, panel.said[theme], k))
    return tuple(needs)


def _is_open_base(base: int, total: int, k: int) -> bool:
    return base == total or total - base >= k


def _city_contests(panels: Sequence[Panel], strata: Sequence[Stratum]) -> dict[CityKey, Contest]:
    """Return a contest for each city and need wherever a shared stratum lets it be compared."""
    contests = {}
    for known in (True, False):
        own = [stratum for stratum in strata if stratum.place.authors_known == known]
        needs = sorted({need for stratum in own for group in stratum.cities.values() for need in group.said})
        for panel in panels:
            if panel.authors_known != known or _alone(panel, own):
                continue
            for need in needs:
                tables = tables_for(own, panel.city, need)
                names = tuple(
                    stratum.place.name
                    for stratum in own
                    if panel.city in stratum.cities and (not need.lang or need.lang == stratum.place.lang)
                )
                if tables:
                    contests[CityKey(panel.city, known, need)] = Contest(tables, names, (known, need))
    return contests


def _findings(
    study: Study,
    corpus: Corpus,
    panel: Panel,
    needs: Iterable[Need],
    verdicts: Mapping[_Key, Comparison],
    trends: Mapping[CityKey, Trend],
    districts: Mapping[str, Iterable[str]],
    strata: Sequence[Stratum],
) -> Iterable[Finding]:
    reason = why_alone(panel) if _alone(panel, strata) else None
    for need in needs:
        key = CityKey(panel.city, panel.authors_known, need)
        voices, base = len(panel.said[need]), len(panel.base(need))
        evidence = collect(panel.spoken[need], corpus.texts, quotes=study.privacy.exact_quotes)
        yield Finding(
            id=_finding_id(key),
            city=panel.city,
            need=need,
            label=corpus.topics[need.topic].label if need.topic else "",
            authors_known=panel.authors_known,
            voices=voices,
            base=base,
            share=Share(voices / base, *wilson(voices, base)),
            comparison=not_compared(reason) if reason else verdicts.get(key, not_compared("no_shared_stratum")),
            trend=trends[key],
            rank=0,
            districts=_districts(panel, need, districts, study.privacy.k),
            evidence=evidence,
            verbatims=choose(panel.spoken[need], evidence),
        )


def _districts(panel: Panel, need: Need, named: Mapping[str, Iterable[str]], k: int) -> tuple[Part, ...]:
    voices: dict[str, set[str]] = defaultdict(set)
    for speech, _ in panel.spoken[need]:
        for district in named.get(speech.post.key, ()):
            voices[district].add(speech.voice)
    return tuple(Part(district, len(voices[district])) for district in open_parts(voices, panel.said[need], k))


def _alone(panel: Panel, strata: Iterable[Stratum]) -> bool:
    return not any(
        panel.city in stratum.cities and stratum.place.authors_known == panel.authors_known for stratum in strata
    )


def _note(stratum: Stratum) -> StratumNote:
    place = stratum.place
    return StratumNote(
        place.name,
        place.source,
        place.target_kind,
        place.lang,
        place.authors_known,
        stratum.first,
        stratum.last,
        tuple(stratum.cities),
    )


def _finding_id(key: CityKey) -> str:
    parts = (key.city, "known" if key.authors_known else "unknown", key.need.kind, key.need.theme, key.need.topic)
    return "f" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:11]


def _by_post(mentions: Iterable[MentionRow]) -> dict[str, dict[str, list[MentionRow]]]:
    """Return mentions by sort and post."""
    result: dict[str, dict[str, list[MentionRow]]] = {"segment": {}, "brand": {}, "district": {}}
    for mention in mentions:
        result[mention.sort].setdefault(mention.post, []).append(mention)
    return result


def _names(mentions: Mapping[str, Iterable[MentionRow]]) -> dict[str, list[str]]:
    return {post: sorted({mention.name for mention in own}) for post, own in mentions.items()}
