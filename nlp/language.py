"""Which language a short post is in, or None where it can't be told."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from babel.core import get_global
from py3langid.langid import MODEL_FILE, LanguageIdentifier

_MARKS = re.compile(r"\[(?:LINK|EMAIL|HANDLE|ACCOUNT|PHONE)\]|https?://\S+|@\w+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_SCRIPTS = {
    "arabic": re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f]"),
}
_OTHER_SCRIPT = "other"
_CLDR_SCRIPTS = {"Arab": "arabic", "Cyrl": "cyrillic", "Latn": "latin"}
# The languages that compete for a script: those that users of the study's cities write, and those the study expects.
_CANDIDATES = {
    "arabic": ("ar", "fa", "ur", "ps", "ku", "ug"),
    "cyrillic": ("ru", "uk", "be", "bg", "kk", "ky", "mn", "sr", "mk"),
    "latin": ("en", "fr", "de", "es", "it", "pt", "tr", "id", "ms", "nl", "pl", "tl", "az", "sw", "vi", "ro"),
}
_MACRO = {"ary": "ar", "arz": "ar", "arb": "ar", "apc": "ar", "pes": "fa", "prs": "fa", "ckb": "ku"}
MIN_LETTERS = 3
SURE_LETTERS = 20
SURE = 0.95


class LanguageDetector:
    """Names the language of posts, given the languages a study expects."""

    def __init__(self, expected: Sequence[str]) -> None:
        self._expected = tuple(expected)
        known = {lang: _written_in(lang) for lang in _model().labels}
        self._candidates = {
            script: tuple(sorted({*langs, *(lang for lang in expected if known.get(lang) == script)}))
            for script, langs in _CANDIDATES.items()
        }
        others = (lang for lang, script in known.items() if script == _OTHER_SCRIPT)
        self._candidates[_OTHER_SCRIPT] = tuple(sorted(others))

    def detect(self, text: str, declared: str | None = None, local: Sequence[str] = ()) -> str | None:
        """Return an ISO 639-1 code, or None where the text has too few letters to tell.

        `declared` is what the author or source claims, `local` what is spoken in the city. Short texts are taken for
        the local language of their script; a language that the study does not expect is named only for texts long and
        clear enough.
        """
        letters = _NO_LETTERS.sub(" ", _MARKS.sub(" ", text)).strip()
        script = _script(letters)
        if script is None:
            return None
        declared = _MACRO.get(declared, declared) if declared else None
        candidates = self._candidates[script]
        expected = tuple(lang for lang in self._expected if lang in candidates)
        short = len(letters) < SURE_LETTERS
        if short:
            likely = {lang for lang in (declared if declared in expected else None, *local) if lang in candidates}
            if len(likely) == 1:
                return likely.pop()
        best, sure = _classify(letters, candidates)
        clear = sure >= SURE and not (short and expected)
        if best in expected or clear or script == _OTHER_SCRIPT:
            return best
        return declared if declared in expected else _most_like(letters, expected)


def _script(letters: str) -> str | None:
    """Return the script that at least half of the letters are in; None where that is no single one, or they are few."""
    total = len(letters.replace(" ", ""))
    if total < MIN_LETTERS:
        return None
    counts = Counter({name: len(pattern.findall(letters)) for name, pattern in _SCRIPTS.items()})
    counts[_OTHER_SCRIPT] = total - counts.total()
    name, n = counts.most_common(1)[0]
    return name if n * 2 >= total else None


def _written_in(lang: str) -> str:
    subtags = get_global("likely_subtags").get(lang, "").split("_")
    return next((_CLDR_SCRIPTS[subtag] for subtag in subtags if subtag in _CLDR_SCRIPTS), _OTHER_SCRIPT)


def _most_like(letters: str, languages: tuple[str, ...]) -> str | None:
    if len(languages) > 1:
        return _classify(letters, tuple(sorted(languages)))[0]
    return languages[0] if languages else None


@cache
def _model() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    identifier = copy.copy(_model())  # the tables are large; all identifiers share them
    macro = {dialect for dialect, lang in _MACRO.items() if lang in languages}
    identifier.set_languages([label for label in identifier.labels if label in languages or label in macro])
    return identifier


def _classify(text: str, languages: tuple[str, ...]) -> tuple[str, float]:
    lang, probability = _identifier(languages).classify(text.lower())
    return _MACRO.get(lang, lang), float(probability)
