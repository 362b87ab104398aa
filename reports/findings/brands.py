"""Brands of interest: how many voices name them, and in statements of which kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reports.corpus import MentionRow
from reports.findings.disclosure import is_open, open_parts
from reports.findings.evidence import sentence_around
from reports.findings.model import BrandFinding, Part, Share
from reports.findings.ratio import wilson
from reports.findings.voices import Panel


def brand_findings(
    panel: Panel, mentions: Mapping[str, Iterable[MentionRow]], texts: Mapping[str, str], k: int
) -> list[BrandFinding]:
    """Return the open brands, the most named first; `mentions` gives the brands named in a post.

    A voice counts under a kind where it names the brand in the sentence of a statement of that kind.
    """
    named: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for speech in panel.speeches:
        for mention in mentions.get(speech.post.key, ()):
            named[mention.name].add(speech.voice)
            for statement in speech.statements:
                start, end = sentence_around(texts[statement.post], statement.start, statement.end)
                if start <= mention.start < end:
                    kinds[mention.name][statement.kind].add(speech.voice)
    found = []
    for brand, voices in named.items():
        if is_open(len(voices), len(panel.voices), k):
            share = Share(len(voices) / len(panel.voices), *wilson(len(voices), len(panel.voices)))
            parts = tuple(Part(kind, len(kinds[brand][kind])) for kind in open_parts(kinds[brand], voices, k))
            found.append(BrandFinding(panel.city, brand, panel.authors_known, len(voices), share, parts))
    return sorted(found, key=lambda row: (-row.voices, row.brand))
