"""Echoes: posts that repeat another post's text (reposts, copy-paste campaigns, the same advert again).

What counts as an echo:

* Texts are compared without what reposting changes: "RT @x:", links, handles, emoji, punctuation, hashtags at either
  end, spelling variants of the language (citystudy.text.normalise).
* A text must be too long for two people to write it by chance: 30 code points and 6 words. Below 40 code points only
  the same text counts. "Good", "ممتاز" or "не работает светофор" are never echoes.
* Longer texts are echoes when their character 5-grams overlap (Jaccard ≥ .7), they name the same numbers, and no word
  stands in the place of a quite different one: the same template with another fact (number, place) is no echo.
  Words may be added at either side, and spelt otherwise.

Candidates come from MinHash LSH (Broder 1997; datasketch); each is checked exactly before it joins. A text is compared
with the first text of each group only, so that groups don't drift. Memory: the first 1,500 code points of each group's
first text and its 64 hashes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import blake2b

from datasketch import MinHash, MinHashLSH

from citystudy.text import normalise

SHORTEST = 30
FEWEST_WORDS = 6
SHORTEST_NEAR = 40
LONGEST_COMPARED = 1_500
SHINGLE = 5
SAME = 0.7
SAME_WORD = 0.6
SAME_LENGTH = 0.6
_CANDIDATE = 0.5
_HASHES = 64

_REPOST = re.compile(r"^\s*(?:RT\s+(?:@\w+|\[HANDLE\])?\s*:?\s*)+", re.IGNORECASE)
_NOT_TEXT = re.compile(r"#\S+|https?://\S+|\[(?:LINK|HANDLE|EMAIL|PHONE|ACCOUNT)\]|[\W_]+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Text:
    id: int
    words: str
    length: int
    numbers: tuple[int, ...]


def find_echoes(texts: Iterable[tuple[int, str, str]]) -> dict[int, int]:
    """Return id → smallest id of its group, for every post (id, text, language) whose text another one repeats.

    Only groups of two or more are returned, the head included. The same texts in the same order give the same groups.
    """
    groups = _Groups()
    for number, text, lang in texts:
        groups.add(number, text, lang)
    return groups.heads()


class _Groups:
    def __init__(self) -> None:
        self._same: dict[bytes, int] = {}
        self._firsts: dict[int, _Text] = {}
        self._members: dict[int, list[int]] = {}
        self._near = MinHashLSH(threshold=_CANDIDATE, num_perm=_HASHES)
        self._empty = MinHash(num_perm=_HASHES, hashfunc=zlib.crc32)

    def add(self, number: int, text: str, lang: str) -> None:
        core = _core(text)
        words = _BETWEEN_WORDS.sub(" ", normalise(core, lang)).strip()
        if len(words) < SHORTEST or len(words.split()) < FEWEST_WORDS:
            return
        found = _Text(number, words[:LONGEST_COMPARED], len(words), _numbers(core))
        digest = blake2b(f"{words}\0{found.numbers}".encode(), digest_size=16).digest()
        first = self._same.get(digest)
        if first is None:
            first = self._near_first(found)
            self._same[digest] = first
        self._members.setdefault(first, []).append(number)

    def heads(self) -> dict[int, int]:
        """Return id → the smallest id of its group."""
        groups = (members for members in self._members.values() if len(members) > 1)
        return {number: head for members in groups for head in (min(members),) for number in members}

    def _near_first(self, text: _Text) -> int:
        """Return the id of the first text of the group that `text` joins: its own where it joins none."""
        if text.length < SHORTEST_NEAR:
            return text.id
        shingles = _shingles(text.words)
        sketch = self._empty.copy()
        sketch.update_batch(shingle.encode() for shingle in sorted(shingles))
        found = (self._firsts[number] for number in self._near.query(sketch))
        alike = [(score, -other.id) for other in found if (score := _likeness(text, shingles, other)) >= SAME]
        if alike:
            return -max(alike)[1]
        self._near.insert(text.id, sketch)
        self._firsts[text.id] = text
        return text.id


def _core(text: str) -> str:
    """Return the text without a repost's mark and without hashtags, links, handles and emoji at either end."""
    pieces = _REPOST.sub("", text).split()
    start, end = 0, len(pieces)
    while end > start and _NOT_TEXT.fullmatch(pieces[end - 1]):
        end -= 1
    while start < end and _NOT_TEXT.fullmatch(pieces[start]):
        start += 1
    return " ".join(pieces[start:end])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number[:18]) for number in _NUMBER.findall(text)))


def _shingles(words: str) -> set[str]:
    return {words[at : at + SHINGLE] for at in range(len(words) - SHINGLE + 1)}


def _likeness(text: _Text, shingles: set[str], other: _Text) -> float:
    """Return the Jaccard overlap of two texts, or 0 where one tells another fact."""
    if text.numbers != other.numbers or min(text.length, other.length) < SAME_LENGTH * max(text.length, other.length):
        return 0.0
    others = _shingles(other.words)
    score = len(shingles & others) / len(shingles | others)
    return score if score >= SAME and not _tells_another_fact(text.words.split(), other.words.split()) else 0.0


def _tells_another_fact(words: list[str], others: list[str]) -> bool:
    """Say whether a word of one text stands in the place of a quite different word of the other."""
    for what, a, b, c, d in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if what == "replace":
            one, other = "".join(words[a:b]), "".join(others[c:d])
            if SequenceMatcher(None, one, other, autojunk=False).ratio() < SAME_WORD:
                return True
    return False
