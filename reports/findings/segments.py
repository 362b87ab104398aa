"""What people who say they belong to a segment ask for, against the other voices of their city."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reports.findings.comparison import Contest
from reports.findings.disclosure import is_open, open_parts
from reports.findings.model import Comparison, Need, SegmentFinding, SegmentNeed, Share
from reports.findings.ratio import wilson
from reports.findings.strata import by_home, group_of
from reports.findings.voices import Panel


class SegmentKey(NamedTuple):
    """A need of a segment in a panel."""

    city: str
    authors_known: bool
    segment: str
    need: Need


def members(panel: Panel, mentioned: Mapping[str, Iterable[str]], k: int) -> dict[str, frozenset[str]]:
    """Return the voices of each open segment; `mentioned` gives the segments named in a post."""
    voices: dict[str, set[str]] = defaultdict(set)
    for speech in panel.speeches:
        for segment in mentioned.get(speech.post.key, ()):
            voices[segment].add(speech.voice)
    return {
        segment: frozenset(inside)
        for segment, inside in sorted(voices.items())
        if is_open(len(inside), len(panel.voices), k)
    }


def segment_contests(panel: Panel, segments: Mapping[str, frozenset[str]]) -> dict[SegmentKey, Contest]:
    """Return a contest for each segment and theme: within source, target kind and language, in the one city."""
    needs = [need for need in panel.said if not need.topic]
    nobody: frozenset[str] = frozenset()
    homes = {place: group_of(speeches) for place, speeches in sorted(by_home(panel.speeches).items())}
    contests = {}
    for segment, inside in segments.items():
        shared = {
            place: (group, group.voices & inside, group.voices - inside)
            for place, group in homes.items()
            if group.voices & inside and group.voices - inside
        }
        for need in needs:
            tables = [
                (
                    len(group.said.get(need, nobody) & inside),
                    len(here),
                    len(group.said.get(need, nobody) - inside),
                    len(elsewhere),
                )
                for group, here, elsewhere in shared.values()
            ]
            key = SegmentKey(panel.city, panel.authors_known, segment, need)
            contests[key] = Contest(tables, tuple(place.name for place in shared))
    return contests


def segment_findings(
    panel: Panel,
    segments: Mapping[str, frozenset[str]],
    verdicts: Mapping[SegmentKey, Comparison],
    open_needs: Iterable[Need],
    k: int,
) -> list[SegmentFinding]:
    """Return what each segment says; a figure that the city's own would give away is left out."""
    shown: dict[str, list[SegmentNeed]] = {segment: [] for segment in segments}
    for need in open_needs:
        said = panel.said[need]
        for segment in open_parts({name: said & inside for name, inside in segments.items()}, said, k):
            inside = segments[segment]
            voices, base = len(said & inside), len(inside)
            others, others_base = len(said) - voices, len(panel.voices) - base
            if is_open(voices, base, k) and (others == 0 or is_open(others, others_base, k)):
                comparison = verdicts[SegmentKey(panel.city, panel.authors_known, segment, need)]
                share = Share(voices / base, *wilson(voices, base))
                shown[segment].append(SegmentNeed(need, voices, share, comparison))
    return [
        SegmentFinding(
            panel.city,
            segment,
            panel.authors_known,
            len(segments[segment]),
            tuple(sorted(needs, key=lambda row: (-row.share.low, row.need))),
        )
        for segment, needs in shown.items()
    ]
