"""Text of four languages made fit to store, to compare and to count."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")
# Anything that the steps of `storable` would change, apart from spaces at the ends: one look spares most texts four.
_UNFIT = re.compile(f"{_SURROGATE.pattern}|{_CONTROL.pattern}|[^\\S ]|  ")
_NEWLINES = re.compile(r"\s*\n\s*\n\s*\n\s*")


def storable(text: str) -> str:
    """Return `text` as it may be stored: no NUL, controls, bidi overrides or lone surrogates; spaces folded.

    Lone surrogates become U+FFFD. Letters, emoji, joiners (ZWNJ, ZWJ) and line breaks stay as they are.
    """
    if not _UNFIT.search(text):
        return text.strip()
    text = _SURROGATE.sub("\ufffd", text)
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SPACES.sub(" ", text)
    return _NEWLINES.sub("\n\n", text).strip()


def slug(name: str) -> str:
    """Return `name` as an identifier: letters and digits of any script kept, the rest folded to '-'."""
    folded = unicodedata.normalize("NFKD", name)
    kept = "".join(c for c in folded if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^\w]+", "-", kept).strip("-_")


def full_text(title: str, text: str) -> str:
    """Return the text that statement spans count code points in: title, newline, text (or text alone)."""
    return f"{title}\n{text}" if title else text


def names_city(text: str, names: Iterable[str]) -> bool:
    """Tell whether a text names a city by one of its names, in any script, with Arabic prefixes and case endings."""
    for name in names:
        lang = "ru" if _CYRILLIC.search(name) else "ar" if _ARABIC.search(name) else "en"
        folded = normalise(name, lang)
        # A case ending takes the place of a Russian name's last vowel: Москва, в Москве.
        stem, ending = (folded[:-1], r"\w{0,3}") if lang == "ru" and folded[-1:] in "аяйьео" else (folded, "")
        ending = ending or {"ru": r"\w{0,3}", "ar": "", "en": r"(?:['’]?s)?"}[lang]
        prefix = "(?:و?[بلفك]?(?:ال|ل)?)?" if lang == "ar" else ""
        if folded and re.search(rf"(?<!\w){prefix}{re.escape(stem)}{ending}(?!\w)", normalise(text, lang)):
            return True
    return False


_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_ARABIC = re.compile("[\u0600-\u06ff]")
_LINK = re.compile(r"\[(?:LINK|EMAIL|HANDLE|ACCOUNT|PHONE)\]|https?://\S+|www\.\S+")
_MENTION = re.compile(r"@\w+")
_HASHTAG = re.compile(r"#(\w+)")
_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# Marks over letters that NFKC left standing alone: stress marks, vowel signs; and tatweel.
_MARKS = re.compile("[\u0300-\u036f\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
_REPEATS = re.compile(r"([^\W\d])\1{2,}")
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]+"
)

_ARABIC_LETTERS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ک": "ك", "ی": "ي", "گ": "ك", "پ": "ب", "چ": "ج", "ڤ": "ف"})  # fmt: skip
_PERSIAN_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ی", "\u200c": " "})  # fmt: skip
_RUSSIAN_LETTERS = str.maketrans({"ё": "е"})
_EVERYWHERE = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹İ", "01234567890123456789I")

LETTERS = {"ar": _ARABIC_LETTERS, "fa": _PERSIAN_LETTERS, "ru": _RUSSIAN_LETTERS}


_TOKEN = re.compile(r"\w+|[^\w\s]")


def tokens(text: str, lang: str) -> list[str]:
    """Return the words, punctuation marks and emoji of `text` as `normalise` writes them; ؟ is written as ?."""
    return _TOKEN.findall(normalise(text, lang).replace("؟", "?"))


def normalise(text: str, lang: str) -> str:
    """Return `text` folded for comparison in `lang`: one spelling where writers use several.

    Lower case; links and mentions dropped; hashtags split into words; tatweel, vowel signs and stress marks dropped;
    Arabic alef, ya and ta-marbuta variants folded; Persian ZWNJ to a space and Arabic kaf and ya to Persian; Russian
    ё to е; letters said three times or more to two; digits to Western; emoji to one space-separated word each.
    """
    text = unicodedata.normalize("NFKC", html.unescape(text))
    text = _MARKS.sub("", text)  # before hashtags are looked for: a mark would end them
    text = _LINK.sub(" ", text)
    text = _MENTION.sub(" ", text)
    text = _HASHTAG.sub(lambda match: " " + _CAMEL.sub(" ", match[1]).replace("_", " ") + " ", text)
    text = text.translate(_EVERYWHERE).lower()
    letters = LETTERS.get(lang)
    if letters:
        text = text.translate(letters)
    text = _EMOJI.sub(lambda match: " " + " ".join(sorted(set(match[0]) - {"\ufe0f", "\ufe0e"})) + " ", text)
    text = _REPEATS.sub(r"\1\1", text)
    return " ".join(text.split())
