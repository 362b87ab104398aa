"""Segments: what the authors of posts say of themselves, by first-person patterns.

Nothing is inferred from names, pictures or grammar, and a third person ("the nurse was rude") does not count. The
patterns are data (data/segments.<lang>.toml, whose head explains the notation); a study adds phrases of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from nlp.mentions.names import Found
from nlp.mentions.patterns import AGE, AGES, PatternIndex, WordsOfPost, compile_pattern
from nlp.mentions.words import Word, split_words

_OPENING_BREAK = re.compile(r" *[,،.] *")
_MOST_DESCRIBING = 2
_AGE_BANDS = ((25, "age_under_25"), (45, "age_25_44"), (65, "age_45_64"), (AGES.stop, "age_65_up"))


class SegmentMatcher:
    """Finds self-statements in posts of one language; a language without patterns has the study's phrases only."""

    def __init__(self, lang: str, own: Mapping[str, Sequence[str]] | None = None) -> None:
        """Take the study's own phrases: segment id → phrases in `lang`, matched as they are written."""
        data = _data(f"segments.{lang}.toml")
        self._lang = lang
        self._describing = re.compile(data.pop("describing", r"(?!)"))
        self._first_person = frozenset(data.pop("first_person", ()))
        self._not_before = frozenset(data.pop("not_before", ()))
        self._not_after = frozenset(data.pop("not_after", ()))
        self._links = [compile_pattern(link, lang) for link in data.pop("linking", ())]
        frames: dict[str, list[str]] = data.pop("frames", {})
        self._frames, self._phrases = PatternIndex(), PatternIndex()
        self._nouns = {sort: PatternIndex() for sort in frames}
        for sort, written in frames.items():
            for frame in written:
                self._frames.add(compile_pattern(frame, lang), sort)
        for segment, lists in data.items():
            for sort, listed in lists.items():
                for entry in listed:
                    index = self._phrases if sort == "phrases" else self._nouns[sort]
                    index.add(compile_pattern(entry, lang), segment)
        for segment, phrases in (own or {}).items():
            for phrase in phrases:
                self._phrases.add(tuple(word.text for word in split_words(phrase, lang)), segment)
        self._starts = frozenset(self._phrases.by_first) | frozenset(self._frames.by_first)

    def find(self, text: str, words: Sequence[Word]) -> list[Found]:
        """Return the segments that the author of `text`, whose words are `words`, belongs to, with where it is said."""
        post = WordsOfPost(text, words, self._lang)
        found: set[Found] = set()
        for at in range(len(words)):
            if at and words[at - 1].text in self._not_after:
                continue
            keys = post.keys(at)
            if post.opens_line(at) or not self._starts.isdisjoint(keys):
                here = {Found(name, words[at].start, words[after - 1].end) for name, after in self._at(post, at, keys)}
                if here and not post.quoted(at):
                    found |= here
        return _without_overlap(found)

    def _at(self, post: WordsOfPost, at: int, keys: Sequence[str]) -> Iterator[tuple[str, int]]:
        for pattern, segment in self._phrases.at(keys):
            if (after := post.match(pattern, at)) is not None:
                yield (_age_band(post.words[at:after]) if segment == AGE else segment), after
        for frame, sort in self._frames.at(keys):
            if (after := post.match(frame, at)) is not None and post.joined(after):
                yield from self._framed(post, after, sort)
        if post.opens_line(at):
            yield from self._opening(post, at)

    def _framed(self, post: WordsOfPost, at: int, sort: str) -> Iterator[tuple[str, int]]:
        """Yield the segments whose nouns follow a frame, and those linked to them ("a nurse and a mum")."""
        for segment, after in self._noun_phrase(post, at, sort):
            if post.joined(after) and post.words[after].text in self._not_before:
                continue
            yield segment, after
            for link in self._links:
                linked = post.match(link, after) if post.joined(after) else None
                if linked is not None and post.joined(linked):
                    yield from self._framed(post, linked, sort)

    def _opening(self, post: WordsOfPost, at: int) -> Iterator[tuple[str, int]]:
        """Yield the segments whose noun opens a line and is followed by the first person ("Student nurse, I …")."""
        for segment, after in self._noun_phrase(post, at, "one"):
            if after < len(post.words) and post.words[after].text in self._first_person:
                gap = post.text[post.words[after - 1].end : post.words[after].start]
                if _OPENING_BREAK.fullmatch(gap):
                    yield segment, after

    def _noun_phrase(self, post: WordsOfPost, at: int, sort: str) -> Iterator[tuple[str, int]]:
        nouns = self._nouns.get(sort)
        if nouns is None:
            return
        for noun_at in range(at, min(at + _MOST_DESCRIBING + 1, len(post.words))):
            for noun, segment in nouns.at(post.keys(noun_at)):
                if (after := post.match(noun, noun_at)) is not None:
                    yield segment, after
            if not (self._describing.fullmatch(post.words[noun_at].text) and post.joined(noun_at + 1)):
                return


def _age_band(words: Sequence[Word]) -> str:
    age = next(int(word.text) for word in words if word.text.isdigit() and int(word.text) in AGES)
    return next(name for limit, name in _AGE_BANDS if age < limit)


def _without_overlap(found: set[Found]) -> list[Found]:
    """Return the longest of the places of each segment that overlap, in order."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.name, f.start - f.end, f.start)):
        if not any(one.name == k.name and one.start < k.end and k.start < one.end for k in kept):
            kept.append(one)
    return sorted(kept, key=lambda f: (f.start, f.end, f.name))


def _data(file: str) -> dict[str, Any]:
    path = resources.files("nlp.mentions").joinpath("data", file)
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
