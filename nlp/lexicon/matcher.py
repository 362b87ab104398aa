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
from dataclasses import dataclass
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
OPENING = 2  # letters


_Longer = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Start:
    """What a word may begin: the lists it meets alone, phrases (the longest first) and entries with gaps.

    Each phrase and entry is a list's number and what must follow the word; they are kept by the first letters of the next
    word, or by GAP.
    """

    alone: tuple[int, ...]
    phrases: dict[str, list[_Longer]]
    gapped: dict[str, list[_Longer]]


class Lexicon:
    """Counts the entries of each list in normalised texts."""

    def __init__(self, lists: Mapping[str, Sequence[str]], lang: str) -> None:
        self._width = len(lists)
        self._arabic = lang == "ar"
        self._words: dict[str, set[int]] = {}
        self._stems: dict[str, set[int]] = {}
        self._longer: dict[str, set[_Longer]] = {}  # by the first letters of the first word
        for number, entries in enumerate(lists.values()):
            for entry in entries:
                first, *rest = _parts(entry, lang)
                if rest:
                    self._longer.setdefault(first.rstrip("*")[:OPENING], set()).add((number, (first, *rest)))
                elif first.endswith("*"):
                    self._stems.setdefault(first[:-1], set()).add(number)
                else:
                    self._words.setdefault(first, set()).add(number)
        self._starts = lru_cache(KEPT_WORDS)(self._start)

    def counts(self, texts: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        """Return how often each list is met, shape (texts, lists); `texts` are tokens, normalised already.

        Tokens that are no words (punctuation, emoji) are passed over. Of phrases that begin at one word the longest
        counts, in place of the word alone; entries with gaps count beside it.
        """
        result = np.zeros((len(texts), self._width), np.float32)
        for row, tokens in enumerate(texts):
            for number in self._hits([token for token in tokens if token[0] == "_" or token[0].isalnum()]):
                result[row, number] += 1
        return result

    def _hits(self, tokens: Sequence[str]) -> Iterator[int]:
        for at, token in enumerate(tokens, 1):
            start = self._starts(token)
            if start is None:
                continue
            after = tokens[at][:OPENING] if at < len(tokens) else ""
            yield from _longest(start.phrases.get(after, ()), tokens, at) or start.alone
            for number, parts in (*start.gapped.get(after, ()), *start.gapped.get(GAP, ())):
                if _follows(tokens, at, parts):
                    yield number

    def _start(self, word: str) -> _Start | None:
        forms = tuple(self._bare(word))
        opened = {
            (number, parts[1:])
            for form in forms
            for number, parts in self._longer.get(form[:OPENING], ())
            if _is(form, parts[0])
        }
        start = _Start(self._alone(forms), {}, {})
        for number, parts in sorted(opened, key=lambda one: (-len(one[1]), one)):
            kept = start.gapped if GAP in parts else start.phrases
            kept.setdefault(parts[0].rstrip("*")[:OPENING], []).append((number, parts))
        return start if start.alone or start.phrases or start.gapped else None

    def _alone(self, forms: Sequence[str]) -> tuple[int, ...]:
        """Return the lists that hold a form of a word, as it stands or by its longest stem; each once."""
        for form in forms:
            found = set(self._words.get(form, ()))
            stems = (form[:end] for end in range(len(form), SHORTEST_STEM, -1))
            found |= self._stems.get(next((stem for stem in stems if stem in self._stems), ""), set())
            if found:
                return tuple(sorted(found))
        return ()

    def _bare(self, phrase: str) -> Iterator[str]:
        yield phrase
        if self._arabic:
            for prefix in _PREFIXES:
                if phrase.startswith(prefix) and len(phrase) - len(prefix) >= SHORTEST_BARE:
                    yield phrase[len(prefix) :]


def _parts(entry: str, lang: str) -> list[str]:
    """Return an entry's words as normalised, each with the * it had, and its gaps."""
    parts: list[str] = []
    for word in entry.split():
        written = [GAP] if word == GAP else _TOKEN.findall(normalise(word.rstrip("*"), lang))
        parts += [*written[:-1], written[-1] + "*"] if word.endswith("*") else written
    return parts


def _longest(phrases: Sequence[_Longer], tokens: Sequence[str], at: int) -> list[int]:
    """Return the lists of the longest phrases that go on at `at`, each once."""
    met: list[int] = []
    length = 0
    for number, parts in phrases:
        if len(parts) < length:
            break
        if number not in met and _follows(tokens, at, parts):
            met.append(number)
            length = len(parts)
    return met


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
