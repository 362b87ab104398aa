"""The words of a post, folded for comparison, with their places in the text as stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from citystudy.text import normalise

_MARKS = "\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
_TOKEN = re.compile(
    rf"\[(?:LINK|EMAIL|HANDLE|ACCOUNT|PHONE)\]|https?://\S+|www\.\S+|@\w+|(#?[^\W_](?:[^\W_]|[{_MARKS}]|_(?=[^\W_]))*)"
)
_ARABIC_SCRIPT = re.compile("[\u0600-\u06ff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One folded word; start and end count code points. The parts of one hashtag share its place."""

    text: str
    lang: str
    start: int
    end: int


def split_words(text: str, lang: str) -> list[Word]:
    """Return the words of `text` in order; links, handles and redaction marks are left out.

    Each word is folded by the rules of its own script: Latin as English, Cyrillic as Russian, Arabic script as `lang`
    where that is Arabic or Persian, else as Arabic.
    """
    words = []
    for match in _TOKEN.finditer(text):
        if match[1]:
            own = script_language(match[1], lang)
            words += [Word(part, own, match.start(), match.end()) for part in _fold(match[1], own)]
    return words


def script_language(word: str, lang: str) -> str:
    """Return the language by whose rules a word of a text in `lang` is folded and inflected."""
    if _ARABIC_SCRIPT.search(word):
        return lang if lang in {"ar", "fa"} else "ar"
    return "ru" if _CYRILLIC.search(word) else "en"


@lru_cache(maxsize=65_536)
def _fold(word: str, lang: str) -> tuple[str, ...]:
    return tuple(normalise(word, lang).split())
