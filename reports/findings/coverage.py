"""What was read of each city: posts by source, kind and language, what is known of them, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reports.corpus import Corpus, PostRow
from reports.findings.model import Coverage, CoverageRow
from reports.findings.voices import LEFT_OUT_REASONS, Heard


def coverage(cities: Sequence[str], corpus: Corpus, heard: Heard, k: int) -> tuple[Coverage, ...]:
    """Return the coverage of each city, in the order given."""
    voices = {(panel.city, panel.authors_known): len(panel.voices) for panel in heard.panels}
    posts: dict[str, list[PostRow]] = {city: [] for city in cities}
    for post in corpus.posts:
        posts.setdefault(post.city, []).append(post)
    result = []
    for city in cities:
        own = posts[city]
        days = [post.day for post in own if post.day is not None]
        left_out = heard.left_out.get(city, {})
        result.append(
            Coverage(
                city=city,
                posts=len(own),
                with_author=sum(post.author is not None for post in own),
                dated=len(days),
                first=min(days, default=None),
                last=max(days, default=None),
                rows=_rows(own, k),
                voices_known=_open(voices.get((city, True), 0), k),
                voices_unknown=_open(voices.get((city, False), 0), k),
                left_out=tuple((reason, left_out[reason]) for reason in LEFT_OUT_REASONS if reason in left_out),
                dropped=ordered(corpus.dropped.get(city, {})),
            )
        )
    return tuple(result)


def ordered(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return reasons and counts, the largest first."""
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _open(voices: int, k: int) -> int | None:
    return voices if voices == 0 or voices >= k else None


def _rows(posts: Sequence[PostRow], k: int) -> tuple[CoverageRow, ...]:
    """Count posts by source, kind and language; rows under k are joined into one, which takes the next if need be."""
    counts = Counter((post.source, post.target_kind, post.lang) for post in posts)
    by_size = sorted(counts.items(), key=lambda row: (-row[1], row[0][0], row[0][1], row[0][2] or ""))
    small = 0
    while by_size and (by_size[-1][1] < k or 0 < small < k):
        small += by_size.pop()[1]
    rows = [CoverageRow(source, kind, lang, n) for (source, kind, lang), n in by_size]
    if small >= k:
        rows.append(CoverageRow("", "", "", small))
    return tuple(rows)
