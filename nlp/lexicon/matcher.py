"""Theme and cue words of a language, counted in texts.

The lists are TOML files beside this module, one a language: `[themes]` and `[cues]` map names to words or short
phrases; a trailing * stands for any ending, … between two words for up to five others ("if only … would", with * after
any word). They are compared as `citystudy.text.normalise` writes them, and in Arabic
also behind the conjunctions, prepositions and article that are written onto a word.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from citystudy.codeframe import CODED_LANGUAGES, THEMES
from citystudy.text import normalise

CUES = (
    "problem",
    "wish",
    "preference",
    "negation",
    "none",
    "wish_if_only",
    "wish_please",
    "wish_should",
    "wish_seek",
    "wish_ask",
    "wish_better_if",
    "wish_demand",
    "problem_fails",
    "problem_costs",
    "problem_waits",
    "problem_behaviour",
    "problem_harm",
    "problem_rhetoric",
    "problem_irony",
    "problem_negated",
    "praise_strong",
    "praise_choice",
    "praise_negated",
    "taste",
    "none_faith",
    "none_news",
    "none_feelings",
    "none_politics",
    "none_sport",
    "none_seller",
    "none_curiosity",
)
NAMES = (*THEMES, *CUES)
SHORTEST_STEM = 2
_TOKEN = re.compile(r"\w+")
_PREFIXES = ("وبال", "وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
SHORTEST_BARE = 3
KEPT_WORDS = 50_000
GAP = "…"
LONGEST_GAP = 5  # words


class Lexicon:
    """Counts the entries of each list in normalised texts."""

    def __init__(self, lists: Mapping[str, Sequence[str]], lang: str) -> None:
        self._width = len(lists)
        self._arabic = lang == "ar"
        self._exact: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        self._gapped: list[tuple[int, list[str]]] = []
        for number, entries in enumerate(lists.values()):
            for entry in entries:
                if GAP in entry:
                    self._gapped.append((number, self._words_and_gaps(entry, lang)))
                    continue
                table = self._stems if entry.endswith("*") else self._exact
                key = " ".join(_TOKEN.findall(normalise(entry.rstrip("*"), lang)))
                if key and number not in table.setdefault(key, []):
                    table[key].append(number)
        self._longest_stem = max((len(stem) for stem in self._stems), default=0)
        # Where the first word of a longer phrase is met, longer phrases are looked for.
        self._longest: dict[str, int] = {}
        for key in (*self._exact, *self._stems):
            words = key.split(" ")
            self._longest[words[0]] = max(self._longest.get(words[0], 1), len(words))
        self._longest_phrases = lru_cache(KEPT_WORDS)(self._longest_phrase)
        self._matches = lru_cache(KEPT_WORDS)(self._match)
        self._openings = lru_cache(KEPT_WORDS)(self._opened)

    def _words_and_gaps(self, entry: str, lang: str) -> list[str]:
        """Return the entry's words as normalised, each with the * it had, and its gaps."""
        parts: list[str] = []
        for word in entry.split():
            if word == GAP:
                parts.append(GAP)
                continue
            written = _TOKEN.findall(normalise(word.rstrip("*"), lang))
            parts += [*written[:-1], written[-1] + "*" * word.endswith("*")]
        return parts

    def counts(self, texts: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        """Return how often each list is met, shape (texts, lists); `texts` are tokens, normalised already.

        Tokens that are no words (punctuation, emoji) are passed over.
        """
        result = np.zeros((len(texts), self._width), np.float32)
        for row, tokens in enumerate(texts):
            for name in self._hits([token for token in tokens if _TOKEN.match(token)]):
                result[row, name] += 1
        return result

    def _hits(self, tokens: Sequence[str]) -> Iterator[int]:
        for at, token in enumerate(tokens):
            longest = self._longest_phrases(token)
            for length in range(min(longest, len(tokens) - at), 0, -1):
                found = self._matches(" ".join(tokens[at : at + length]), length)
                if found:
                    yield from found
                    break
            for name, parts in self._openings(token):
                if _follows(tokens, at + 1, parts[1:]):
                    yield name

    def _opened(self, word: str) -> list[tuple[int, list[str]]]:
        """Return the entries with gaps that `word` may begin."""
        forms = tuple(self._bare(word))
        return [(name, parts) for name, parts in self._gapped if any(_is(form, parts[0]) for form in forms)]

    def _longest_phrase(self, word: str) -> int:
        """Return how many words the longest phrase that begins with `word` has, 1 where there is none."""
        return max(self._longest.get(bare, 1) for bare in self._bare(word))

    def _match(self, phrase: str, words: int) -> list[int]:
        """Return the lists that hold the phrase of so many words, as it stands or by its longest stem; each once."""
        for candidate in self._bare(phrase):
            found = set(self._exact.get(candidate, ()))
            for end in range(min(len(candidate), self._longest_stem), SHORTEST_STEM, -1):
                stem = candidate[:end]
                if stem in self._stems and stem.count(" ") == words - 1:
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


def _is(word: str, pattern: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


def _follows(tokens: Sequence[str], at: int, parts: Sequence[str]) -> bool:
    """Tell whether the parts stand from `at` on: words one by one, a gap for up to LONGEST_GAP others."""
    if not parts:
        return True
    if parts[0] == GAP:
        return any(_follows(tokens, start, parts[1:]) for start in range(at, min(at + LONGEST_GAP + 1, len(tokens))))
    return at < len(tokens) and _is(tokens[at], parts[0]) and _follows(tokens, at + 1, parts[1:])


@cache
def lexicon(lang: str) -> Lexicon:
    """Return the lexicon of a coded language; its lists are those of NAMES, in their order."""
    if lang not in CODED_LANGUAGES:
        raise ValueError(f"no lexicon for {lang!r}; there is one for each of {', '.join(CODED_LANGUAGES)}")
    data = tomllib.loads(resources.files("nlp.lexicon").joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    entries = {**data["themes"], **data["cues"]}
    return Lexicon({name: entries.get(name, ()) for name in NAMES}, lang)
