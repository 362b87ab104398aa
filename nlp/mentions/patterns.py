"""Patterns over folded words, and where they stand in a post. data/segments.en.toml explains the notation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from nlp.mentions.inflection import forms, name_key
from nlp.mentions.words import Word, split_words

ANY, LINE_START, CLAUSE_END, AGE = "*", "^", "$", "<age>"
AGES: Final = range(13, 100)
_CLAUSE_BREAK = re.compile(r"[.!?؟…\n;؛:,،()|«»\"“”/]")
_SYMBOL = re.compile(r"(\*|\^|\$|<age>)")
_QUOTES = "\"“‘'«„"
_PAIRS = (("«", "»"), ("“", "”"))
_SHORTEST_JOINED_TO_AND = 4

Pattern = tuple[str, ...]


def compile_pattern(written: str, lang: str) -> Pattern:
    """Return a pattern as folded words and symbols."""
    found: list[str] = []
    for piece in _SYMBOL.split(written):
        if _SYMBOL.fullmatch(piece):
            found.append(piece)
            continue
        for part in piece.split():
            words = [word.text for word in split_words(part.rstrip("~"), lang)]
            found += [name_key(word, lang) + "~" for word in words] if part.endswith("~") else words
    return tuple(found)


@dataclass(slots=True)
class PatternIndex:
    """Patterns with the name each stands for, by their first word, the longest first."""

    by_first: dict[str, list[tuple[Pattern, str]]] = field(default_factory=dict)

    def add(self, pattern: Pattern, name: str) -> None:
        """Add a pattern; an empty one (nothing but punctuation) is left out."""
        if pattern:
            rows = self.by_first.setdefault(pattern[0], [])
            rows.append((pattern, name))
            rows.sort(key=lambda row: (-len(row[0]), row))

    def at(self, keys: Sequence[str]) -> Iterator[tuple[Pattern, str]]:
        """Yield the patterns that may start at a word with these keys."""
        for key in keys:
            yield from self.by_first.get(key, ())


@dataclass(frozen=True, slots=True)
class WordsOfPost:
    """A post's text with its words, to be asked what stands where."""

    text: str
    words: Sequence[Word]
    lang: str

    def keys(self, at: int) -> tuple[str, ...]:
        """Return what a pattern that starts at this word may start with."""
        keys = _keys(self.words[at].text, self.words[at].lang, self.lang)
        return (*keys, LINE_START) if self.opens_line(at) else keys

    def match(self, pattern: Pattern, at: int) -> int | None:
        """Return the word after `pattern` when it stands at word `at` within one clause, else None."""
        if not pattern:
            return at
        head, rest = pattern[0], pattern[1:]
        if head == LINE_START:
            return self.match(rest, at) if self.opens_line(at) else None
        if head == CLAUSE_END:
            return None if self.joined(at) else at
        for taken in (1, 2) if head == ANY else (1,):
            after = at + taken
            inside = after <= len(self.words) and all(self.joined(i) for i in range(at + 1, after))
            if inside and (head == ANY or self._is(head, at)) and (self.joined(after) or rest in {(), (CLAUSE_END,)}):
                found = self.match(rest, after)
                if found is not None:
                    return found
        return None

    def joined(self, at: int) -> bool:
        """Say whether word `at` exists and stands in one clause with the word before it."""
        if not 0 < at < len(self.words):
            return False
        start, end = self.words[at - 1].end, self.words[at].start
        return not _CLAUSE_BREAK.search(self.text, min(start, end), end)

    def quoted(self, at: int) -> bool:
        """Say whether word `at` is someone else's: right after an opening quote, or inside « » or “ ”."""
        start = self.words[at].start
        if start > 0 and self.text[start - 1] in _QUOTES:
            return True
        return any(self.text.rfind(opens, 0, start) > self.text.rfind(closes, 0, start) for opens, closes in _PAIRS)

    def opens_line(self, at: int) -> bool:
        """Say whether word `at` is the first of its line."""
        return at == 0 or "\n" in self.text[self.words[at - 1].end : self.words[at].start]

    def _is(self, head: str, at: int) -> bool:
        word = self.words[at]
        if head == AGE:
            return word.text.isdigit() and int(word.text) in AGES
        if head.endswith("~"):
            return head[:-1] in forms(word.text, word.lang)
        return head in _spellings(word.text, self.lang)


@lru_cache(maxsize=65_536)
def _keys(word: str, word_lang: str, lang: str) -> tuple[str, ...]:
    inflected = sorted(f"{key}~" for key in forms(word, word_lang))
    return (*_spellings(word, lang), *inflected, *((AGE,) if word.isdigit() else ()))


def _spellings(word: str, lang: str) -> list[str]:
    """Return the word as it stands and, in Arabic, without the "and" or "so" that is written joined to it."""
    prefixed = lang == "ar" and len(word) >= _SHORTEST_JOINED_TO_AND and word[0] in "وف"
    return [word, word[1:]] if prefixed else [word]
