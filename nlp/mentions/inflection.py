"""Inflected forms of names and nouns: enough to find a listed word in running text, no more.

Closed lists of endings and prefixes, after the grammars of each language's everyday writing; for Russian also the
dictionary lemma (simplemma), which knows fleeting vowels ("Перекрёсток", "в Перекрёстке").
"""

from __future__ import annotations

import re
from functools import lru_cache

import simplemma

_RUSSIAN_ENDING = re.compile(
    "(?:ыми|ими|ого|его|ому|ему|ями|ами|ах|ях|ом|ем|ой|ей|ый|ий|ая|яя|ое|ее|ые|ие|ую|юю|ым|им|ых|их|ов|ев|ою|[аяоеуюыийь])$"
)
_PERSIAN_ENDING = re.compile("(?:های|هایی|ها|هاش|یه|ایی|ای|مون|تون|شون|رو|ام|ات|اش|[یوهمتش])$")
# and, so · by, for, like · the ("for the" is written لل; colloquial عال = "at the")
_ARABIC_ARTICLE = re.compile("^[وف]?(?:[بك]?ال|لل|عال|هال)(?=.{3})")
_ARABIC_PREFIX = re.compile("^(?:[وف][بلك]|[وفبلك])(?=.{4})")
_SHORTEST_STEM = 3
_SHORTEST_PLURAL = 5
ARTICLE = "ال"


def name_key(word: str, lang: str) -> str:
    """Return what stands for a listed word (already folded) in an index."""
    return _russian_stem(word) if lang == "ru" else word


@lru_cache(maxsize=65_536)
def forms(word: str, lang: str) -> frozenset[str]:
    """Return the keys of the listed words that `word` (already folded) may be a form of."""
    found = {word}
    if lang == "ru":
        found |= {_russian_stem(word), _russian_stem(simplemma.lemmatize(word, "ru").lower().replace("ё", "е"))}
    elif lang == "ar":
        found.add(_ARABIC_ARTICLE.sub(ARTICLE, word))
        found.add(_ARABIC_PREFIX.sub("", word))
    elif lang == "fa":
        stem = _PERSIAN_ENDING.sub("", word)
        if len(stem) >= _SHORTEST_STEM:
            found.add(stem)
    elif len(word) >= _SHORTEST_PLURAL and word.endswith("s"):
        found.add(word[:-1])
    return frozenset(found)


def is_ordinary_word(word: str, lang: str) -> bool:
    """Say whether a dictionary of a language with capitals has `word` as a common word (English and Russian only)."""
    return lang in {"en", "ru"} and simplemma.is_known(word.lower(), lang)


def _russian_stem(word: str) -> str:
    stem = _RUSSIAN_ENDING.sub("", word)
    return stem if len(stem) >= _SHORTEST_STEM else word
