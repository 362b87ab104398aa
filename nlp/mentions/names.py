"""Names of brands and districts in running text: every alias, in every script, inflected, in hashtags too.

A name that is also an ordinary word ("Boots", "Магнит") counts only where it is written as a name: with a capital
inside a sentence, in quotes, as a hashtag, or beside the word for a district. Arabic script has no capitals, so there
such a name counts wherever it stands; a study that needs better gives a longer alias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from citystudy.text import normalise
from nlp.mentions.inflection import forms, is_ordinary_word, name_key
from nlp.mentions.words import Word, script_language, split_words

_GAP = re.compile(r"[^\n!?؟;:,،()…|]{0,3}")
_SENTENCE_START = re.compile(r"(?:^|[.!?؟…\n]|\n[-–—•*])[\s\"'«»“”()]*$")
_QUOTE = "\"'«“„‘"
_DISTRICT_WORDS = frozenset({"район", "district", "area"})
_SHORTEST_JOINED = 6


@dataclass(frozen=True, slots=True)
class Found:
    """A name and where it stands; start and end count code points."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    name: str
    keys: tuple[str, ...]
    ordinary: bool


class NameMatcher:
    """Finds names by their aliases in texts of one language."""

    def __init__(self, aliases: Mapping[str, Sequence[str]], lang: str) -> None:
        """Take name → every spelling of it (the name itself is added)."""
        self._by_first: dict[str, list[_Pattern]] = {}
        patterns = {
            p for name, spellings in aliases.items() for alias in (name, *spellings) for p in _read(name, alias, lang)
        }
        for pattern in sorted(patterns, key=lambda p: (-len(p.keys), p.keys, p.name, p.ordinary)):
            self._by_first.setdefault(pattern.keys[0], []).append(pattern)

    def find(self, text: str, words: Sequence[Word]) -> list[Found]:
        """Return the names in `text`, whose words are `words`: the longest at each place, in order, no overlap."""
        found: list[Found] = []
        at = 0
        while at < len(words):
            match = self._match(text, words, at)
            if match is None:
                at += 1
            else:
                name, after = match
                found.append(Found(name, words[at].start, words[after - 1].end))
                at = after
        return found

    def _match(self, text: str, words: Sequence[Word], at: int) -> tuple[str, int] | None:
        first = forms(words[at].text, words[at].lang)
        candidates = [pattern for key in first for pattern in self._by_first.get(key, ())]
        for pattern in sorted(candidates, key=lambda p: (-len(p.keys), p.name)):
            after = at + len(pattern.keys)
            if after > len(words) or not all(
                key in forms(word.text, word.lang) and _GAP.fullmatch(text, before.end, max(before.end, word.start))
                for key, before, word in zip(pattern.keys[1:], words[at:], words[at + 1 : after], strict=False)
            ):
                continue
            if pattern.ordinary and not _written_as_name(text, words, at):
                continue
            return pattern.name, after
        return None


def _read(name: str, alias: str, lang: str) -> set[_Pattern]:
    """Return the ways an alias may be split: as written, joined to one word, and as a hashtag splits it."""
    own = script_language(alias, lang)
    words = [word.text for word in split_words(alias, lang)]
    joined = "".join(words)
    ways = {tuple(words), tuple(normalise("#" + re.sub(r"[\W_]+", "_", alias), own).split())}
    if len(joined) >= _SHORTEST_JOINED:
        ways.add((joined,))
    ordinary = len(words) == 1 and alias[:1].isupper() and is_ordinary_word(alias, own)
    return {
        _Pattern(name, tuple(name_key(word, script_language(word, lang)) for word in way), ordinary)
        for way in ways
        if way
    }


def _written_as_name(text: str, words: Sequence[Word], at: int) -> bool:
    start = words[at].start
    if text[start] == "#" or (start > 0 and text[start - 1] in _QUOTE):
        return True
    beside = (*words[max(0, at - 1) : at], *words[at + 1 : at + 2])
    if any(_DISTRICT_WORDS & forms(word.text, word.lang) for word in beside):
        return True
    return text[start].isupper() and not text.isupper() and not _SENTENCE_START.search(text, 0, start)
