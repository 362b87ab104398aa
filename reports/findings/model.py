"""What a report claims, as small typed records. Shares are fractions of 1; an index is 100 where cities are alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Verdict = Literal["niche", "common", "under", "no_difference", "not_compared"]
Bound = Literal["point", "lower", "only_here"]
Reason = Literal["not_comparable", "no_dates", "too_few_voices", "no_shared_stratum", "too_rare"]
Direction = Literal["rising", "falling", "steady", "no_dates", "too_short", "too_few"]


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """What can be said: a kind and theme, or a topic within them (topics belong to one language)."""

    kind: str
    theme: str
    topic: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of voices with its Wilson 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A city (or segment) against the others within shared strata; `reason` says why there is no figure.

    `bound` is 'point' where index, low and high hold; 'only_here' where nobody elsewhere says it and 'lower' where
    fewer than k voices elsewhere do: then only `low` is given. p and q are two-sided. Figures are rounded so that no
    closed count can be worked back from them.
    """

    verdict: Verdict
    reason: Reason | None = None
    bound: Bound = "point"
    index: int | None = None
    low: int | None = None
    high: int | None = None
    p: float | None = None
    q: float | None = None
    share_here: float | None = None
    share_elsewhere: float | None = None
    strata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A run of whole weeks: `voices` of `base` active voices said it; both k or more."""

    start: date
    weeks: int
    voices: int
    base: int

    @property
    def share(self) -> float:
        """Voices over base."""
        return self.voices / self.base


@dataclass(frozen=True, slots=True)
class Trend:
    """The last third of the window against the time before it, and the periods for a small curve."""

    direction: Direction
    p: float | None = None
    q: float | None = None
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A district (or other part) and how many voices of a finding belong to it."""

    name: str
    voices: int


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A quoted statement, redacted: the words before it, the statement itself, the words after."""

    evidence: str
    lang: str
    before: str
    marked: str
    after: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement behind a finding; the date is None where the source gives none."""

    id: str
    day: date | None
    source: str
    target_kind: str
    lang: str
    score: float
    topic: str
    quote: Verbatim | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim about a city with all it stands on; `rank` is its place among its city's findings of the same sort."""

    id: str
    city: str
    need: Need
    label: str
    authors_known: bool
    voices: int
    base: int
    share: Share
    comparison: Comparison
    trend: Trend
    rank: int
    districts: tuple[Part, ...]
    evidence: tuple[Evidence, ...]
    verbatims: tuple[Verbatim, ...]

    @property
    def is_topic(self) -> bool:
        """Whether this is about a topic within a theme."""
        return bool(self.need.topic)


@dataclass(frozen=True, slots=True)
class SegmentNeed:
    """What a segment says, against the same city's other voices."""

    need: Need
    voices: int
    share: Share
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """The voices of one city that belong to a segment and what they say, the widest spread first."""

    city: str
    segment: str
    authors_known: bool
    base: int
    needs: tuple[SegmentNeed, ...]


@dataclass(frozen=True, slots=True)
class BrandFinding:
    """How many voices of a city name a brand, and how many of them in a statement of each kind (open ones only)."""

    city: str
    brand: str
    authors_known: bool
    voices: int
    share: Share
    kinds: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """The findings of a city that an offer answers, by rank; empty where there is none."""

    city: str
    offer: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Posts of one source, target kind and language; '' stands for several small ones taken together."""

    source: str
    target_kind: str
    lang: str | None
    posts: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of a city. Voices are None under k; reasons count posts."""

    city: str
    posts: int
    with_author: int
    dated: int
    first: date | None
    last: date | None
    rows: tuple[CoverageRow, ...]
    voices_known: int | None
    voices_unknown: int | None
    left_out: tuple[tuple[str, int], ...]
    dropped: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StratumNote:
    """A stratum in which cities are compared, and the window they share."""

    name: str
    source: str
    target_kind: str
    lang: str
    authors_known: bool
    first: date
    last: date
    cities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a report says, before it is laid out."""

    as_of: str | None
    k: int
    findings: tuple[Finding, ...]
    segments: tuple[SegmentFinding, ...]
    brands: tuple[BrandFinding, ...]
    offers: tuple[OfferAnswer, ...]
    coverage: tuple[Coverage, ...]
    strata: tuple[StratumNote, ...]
    not_compared: tuple[tuple[str, bool, Reason], ...]
    dropped_elsewhere: tuple[tuple[str, int], ...]
    comparisons_made: int
    trends_tested: int
