"""Posts become voices: who speaks in each city, and which posts are left out and why.

A voice is an author's pseudonym where the source gives one, else a post. Of near-duplicate posts one a city is kept
(the earliest, then the smallest key), so a campaign is one voice however many accounts sent it. Voices with and
without a known author never share a panel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reports.corpus import Corpus, PostRow, StatementRow
from reports.findings.model import Need

CITY_UNKNOWN: Final = "city_unknown"
NOT_READ: Final = "not_read"
ADVERT: Final = "advert"
LANGUAGE_UNKNOWN: Final = "language_unknown"
LANGUAGE_NOT_CODED: Final = "language_not_coded"
ECHO: Final = "echo"
LANGUAGE_UNDER_K: Final = "language_under_k"
LEFT_OUT_REASONS: Final = (CITY_UNKNOWN, NOT_READ, ADVERT, LANGUAGE_UNKNOWN, LANGUAGE_NOT_CODED, ECHO, LANGUAGE_UNDER_K)


@dataclass(frozen=True, slots=True)
class Speech:
    """One post that counts, the voice it belongs to, and its statements."""

    post: PostRow
    voice: str
    statements: tuple[StatementRow, ...]

    def needs(self) -> Iterable[tuple[Need, StatementRow]]:
        """Yield what is said: each statement's theme, and its topic where it has one."""
        for statement in self.statements:
            yield Need(statement.kind, statement.theme), statement
            if statement.topic:
                yield Need(statement.kind, statement.theme, statement.topic, self.post.lang or ""), statement


@dataclass(frozen=True, slots=True)
class Panel:
    """The voices of one city, either with known authors or without."""

    city: str
    authors_known: bool
    speeches: tuple[Speech, ...]
    voices: frozenset[str]
    by_lang: Mapping[str, frozenset[str]]
    said: Mapping[Need, frozenset[str]]
    spoken: Mapping[Need, tuple[tuple[Speech, StatementRow], ...]]

    def base(self, need: Need) -> frozenset[str]:
        """Return the voices that could have said it: those of a topic's language, else all."""
        return self.by_lang.get(need.lang, frozenset()) if need.lang else self.voices


@dataclass(frozen=True, slots=True)
class Heard:
    """Every panel, by city then known authors first, and posts left out by city and reason."""

    panels: tuple[Panel, ...]
    left_out: Mapping[str, Mapping[str, int]]


def hear(corpus: Corpus, k: int) -> Heard:
    """Return the panels of a corpus; a language with fewer than k voices in a panel is left out of it and counted."""
    left_out: dict[str, Counter[str]] = defaultdict(Counter)
    candidates: list[PostRow] = []
    for post in corpus.posts:
        reason = _reason(post)
        if reason:
            left_out[post.city][reason] += 1
        else:
            candidates.append(post)

    kept: dict[tuple[str, str], PostRow] = {}
    for post in sorted(candidates, key=lambda post: (post.created_at is None, post.created_at or "", post.key)):
        if kept.setdefault((post.city, post.group), post) is not post:
            left_out[post.city][ECHO] += 1

    statements: dict[str, list[StatementRow]] = defaultdict(list)
    for statement in corpus.statements:
        statements[statement.post].append(statement)
    speeches: dict[tuple[str, bool], list[Speech]] = defaultdict(list)
    for post in sorted(kept.values(), key=lambda post: post.key):
        voice = post.key if post.author is None else post.author
        speech = Speech(post, voice, tuple(statements.get(post.key, ())))
        speeches[post.city, post.author is not None].append(speech)

    panels = []
    for city, known in sorted(speeches, key=lambda side: (side[0], not side[1])):
        own = speeches[city, known]
        heard = {lang: len(voices) for lang, voices in voices_by_language(own).items()}
        large = [speech for speech in own if heard[speech.post.lang or ""] >= k]
        if len(own) > len(large):
            left_out[city][LANGUAGE_UNDER_K] += len(own) - len(large)
        if large:
            panels.append(_panel(city, known, large))
    return Heard(tuple(panels), {city: dict(reasons) for city, reasons in left_out.items()})


def voices_by_language(speeches: Iterable[Speech]) -> dict[str, frozenset[str]]:
    """Return the voices heard in each language."""
    voices: dict[str, set[str]] = defaultdict(set)
    for speech in speeches:
        voices[speech.post.lang or ""].add(speech.voice)
    return {lang: frozenset(members) for lang, members in sorted(voices.items())}


def _reason(post: PostRow) -> str | None:
    if not post.city_known:
        return CITY_UNKNOWN
    if not post.read:
        return NOT_READ
    if post.advert:
        return ADVERT
    if post.lang is None:
        return LANGUAGE_UNKNOWN
    if not post.coded:
        return LANGUAGE_NOT_CODED
    return None


def _panel(city: str, known: bool, speeches: list[Speech]) -> Panel:
    said: dict[Need, set[str]] = defaultdict(set)
    spoken: dict[Need, list[tuple[Speech, StatementRow]]] = defaultdict(list)
    for speech in speeches:
        for need, statement in speech.needs():
            said[need].add(speech.voice)
            spoken[need].append((speech, statement))
    return Panel(
        city=city,
        authors_known=known,
        speeches=tuple(speeches),
        voices=frozenset(speech.voice for speech in speeches),
        by_lang=voices_by_language(speeches),
        said={need: frozenset(said[need]) for need in sorted(said)},
        spoken={need: tuple(spoken[need]) for need in sorted(spoken)},
    )
