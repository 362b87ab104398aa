"""Content words of statements: what topics are counted in, and how readers meet them."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module, resources

import simplemma

from citystudy.text import normalise
from nlp.mentions.words import split_words

_SHORTEST_TERM = 2
_SHORTEST_STEM = 4
_COVERED = ("ar", "en", "fa", "ru")


@dataclass(frozen=True, slots=True)
class Term:
    """A content word of a text: the key it is counted under, and its place in the text."""

    key: str
    start: int
    end: int


def terms(text: str, lang: str, names: Collection[str] = ()) -> list[Term]:
    """Return the content words of `text` in order: no stop words, fillers, numbers, single letters or `names`."""
    stops = stop_words(lang) | _folded(frozenset(names), lang)
    found = []
    for word in split_words(text, lang):
        if word.text in stops or len(word.text) < _SHORTEST_TERM or not word.text.isalpha():
            continue
        key = _lemma(word.text, word.lang)
        if key not in stops and len(key) >= _SHORTEST_TERM:
            found.append(Term(key, word.start, word.end))
    return found


@cache
def _folded(names: frozenset[str], lang: str) -> frozenset[str]:
    words = {word.text for name in names for word in split_words(name, lang)}
    return frozenset(words | {_lemma(word, lang) for word in words})


@cache
def stop_words(lang: str) -> frozenset[str]:
    """Return the folded stop words and social-media fillers of `lang` (English ones count everywhere)."""
    fillers: dict[str, list[str]] = tomllib.loads(
        resources.files("nlp.topics").joinpath("data", "fillers.toml").read_text(encoding="utf-8")
    )
    listed: list[str] = []
    for one in {lang, "en"} & set(_COVERED):
        listed += [*import_module(f"spacy.lang.{one}.stop_words").STOP_WORDS, *fillers[one]]
    return frozenset(part for word in listed for part in normalise(word.replace("'", " "), lang).split())


class SurfaceForms:
    """The written forms of terms, to show the one that readers meet most."""

    def __init__(self, found: Iterable[tuple[str, Sequence[Term]]]) -> None:
        """Count the forms of terms, given each text with the terms found in it."""
        self._forms: dict[str, Counter[str]] = {}
        for text, of_text in found:
            for term in of_text:
                self._forms.setdefault(term.key, Counter())[_written(text, term.start, term.end)] += 1

    def most_common(self, key: str) -> str:
        """Return the commonest form of a term; lower case where both cases occur."""
        return commonest(self._forms[key])


def commonest(forms: Counter[str]) -> str:
    """Return the commonest form, ignoring case, in lower case where it is so written anywhere; ties by alphabet."""
    folded: Counter[str] = Counter()
    for form, n in forms.items():
        folded[form.casefold()] += n
    best = min(folded, key=lambda form: (-folded[form], form))
    written = [form for form in forms if form.casefold() == best]
    return best if best in written else min(written, key=lambda form: (-forms[form], form))


def _written(text: str, start: int, end: int) -> str:
    return text[start:end].lstrip("#").replace("_", " ")


def _without_and(word: str) -> str:
    """Return an Arabic word without the "and" that is written joined to it, where the dictionary tells."""
    rest = word.removeprefix("و")
    if rest == word or len(rest) < _SHORTEST_STEM or simplemma.is_known(word, "ar"):
        return word
    return rest if len(rest) > _SHORTEST_STEM or simplemma.is_known(rest, "ar") else word


@lru_cache(maxsize=65_536)
def _lemma(word: str, lang: str) -> str:
    if lang == "ar":
        word = _without_and(word)
    lemma = "".join(normalise(simplemma.lemmatize(word, lang), lang).split())
    if lang == "ar" and lemma.startswith("ال") and len(lemma) > len("ال") + _SHORTEST_TERM:
        return lemma.removeprefix("ال")
    return lemma
