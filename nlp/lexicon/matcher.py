"""Theme and cue words of a language, counted in texts.

The lists are TOML files beside this module, one a language: `[themes]` and `[cues]` map names to words or short
phrases; a trailing * stands for any ending. They are compared as `citystudy.text.normalise` writes them, and in Arabic
also behind the conjunctions, prepositions and article that are written onto a word.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from citystudy.codeframe import CODED_LANGUAGES, THEMES
from citystudy.text import normalise

CUES = ("problem", "wish", "preference", "negation", "none")
NAMES = (*THEMES, *CUES)
SHORTEST_STEM = 2
_TOKEN = re.compile(r"\w+")
_PREFIXES = ("وبال", "وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
SHORTEST_BARE = 3


class Lexicon:
    """Counts the entries of each list in normalised texts."""

    def __init__(self, lists: dict[str, Sequence[str]], lang: str) -> None:
        self._arabic = lang == "ar"
        self._exact: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        for name, entries in lists.items():
            for entry in entries:
                table = self._stems if entry.endswith("*") else self._exact
                key = " ".join(_TOKEN.findall(normalise(entry.rstrip("*"), lang)))
                if key and NAMES.index(name) not in table.setdefault(key, []):
                    table[key].append(NAMES.index(name))
        self._longest_stem = max((len(stem) for stem in self._stems), default=0)
        # Where the first word of a longer phrase is met, longer phrases are looked for.
        self._longest: dict[str, int] = {}
        for key in (*self._exact, *self._stems):
            words = key.split(" ")
            self._longest[words[0]] = max(self._longest.get(words[0], 1), len(words))

    def counts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return how often each list is met, shape (texts, len(NAMES)); `texts` are normalised already."""
        result = np.zeros((len(texts), len(NAMES)), np.float32)
        for row, text in enumerate(texts):
            for name in self._hits(_TOKEN.findall(text)):
                result[row, name] += 1
        return result

    def _hits(self, tokens: Sequence[str]) -> Iterator[int]:
        at = 0
        while at < len(tokens):
            longest = max(self._longest.get(word, 1) for word in self._bare(tokens[at]))
            for length in range(min(longest, len(tokens) - at), 0, -1):
                found = self._match(tokens[at : at + length])
                if found:
                    yield from found
                    break
            at += 1

    def _match(self, tokens: Sequence[str]) -> list[int]:
        """Return the lists that hold the phrase, as it stands or by its longest stem; each list once."""
        phrase = " ".join(tokens)
        for candidate in self._bare(phrase):
            found = set(self._exact.get(candidate, ()))
            for end in range(min(len(candidate), self._longest_stem), SHORTEST_STEM, -1):
                stem = candidate[:end]
                if stem in self._stems and stem.count(" ") == len(tokens) - 1:
                    found.update(self._stems[stem])
                    break
            if found:
                return sorted(found)
        return []

    def _bare(self, phrase: str) -> Iterator[str]:
        yield phrase
        if self._arabic:
            for prefix in _PREFIXES:
                if phrase.startswith(prefix) and len(phrase) - len(prefix) >= SHORTEST_BARE:
                    yield phrase[len(prefix) :]


@cache
def lexicon(lang: str) -> Lexicon:
    """Return the lexicon of a coded language."""
    if lang not in CODED_LANGUAGES:
        raise ValueError(f"no lexicon for {lang!r}; there is one for each of {', '.join(CODED_LANGUAGES)}")
    data = tomllib.loads(resources.files("nlp.lexicon").joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    return Lexicon({**data["themes"], **data["cues"]}, lang)
