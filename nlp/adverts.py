"""Adverts: posts in a seller's voice, told by an explicit rule over cue lists (data/adverts.<lang>.toml).

The rule: a post is an advert when it holds a plain cue ("DM to order", "продам", "للبيع"), or cues of two of three
sorts: an offer (a discount, a price), a contact (a call to order, a phone number), a seller's words ("our shop"). A
buyer's words ("looking for", "I ordered", "подскажите") outweigh all of it, unless a plain cue stands beside a phone
number or e-mail address; a question outweighs all but a plain cue. Made for precision: an advert that is missed costs little, a buyer taken for a
seller is lost from every base.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from citystudy.text import normalise

_ADDRESS = re.compile(r"\[(?:PHONE|EMAIL)\]")
_PRICE = re.compile(
    r"[£$€₽]\s?\d|\d\s?(?:£|\$|€|₽|р\b|руб|тыс\b|к\b|kd\b|jd\b|aed\b|dhs?\b|pkr\b|rs\b|rub\b|دينار|دنانير|ريال|درهم|تومان|تومن|ریال)",
    re.IGNORECASE,
)
_TWO_SORTS = 2


@dataclass(frozen=True, slots=True)
class _Cues:
    plain: re.Pattern[str]
    offer: re.Pattern[str]
    contact: re.Pattern[str]
    seller: re.Pattern[str]
    buyer: re.Pattern[str]


def is_advert(text: str, lang: str) -> bool:
    """Say whether a seller speaks in `text` (title and text together); False in languages without a cue list."""
    cues = _cues(lang)
    if cues is None:
        return False
    folded = normalise(text, lang)
    address = _ADDRESS.search(text) is not None
    plain = cues.plain.search(folded) is not None
    if plain and address:
        return True
    if cues.buyer.search(folded):
        return False
    if plain:
        return True
    if "?" in text or "؟" in text:
        return False
    sorts = (
        cues.offer.search(folded) or _PRICE.search(text),
        address or cues.contact.search(folded),
        cues.seller.search(folded),
    )
    return sum(map(bool, sorts)) >= _TWO_SORTS


@cache
def _cues(lang: str) -> _Cues | None:
    file = resources.files("nlp").joinpath("data", f"adverts.{lang}.toml")
    if not file.is_file():
        return None
    lists: dict[str, list[str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return _Cues(**{name: _pattern(words, lang) for name, words in lists.items()})


def _pattern(words: list[str], lang: str) -> re.Pattern[str]:
    folded = sorted({normalise(word, lang) for word in words}, key=lambda word: (-len(word), word))
    # In folded text an apostrophe or hyphen may stand where the lists have a space.
    escaped = (re.escape(word).replace(r"\ ", r"[^\w.!?\n]+").replace(r"\*", r"\w*") for word in folded)
    return re.compile(rf"(?<!\w)(?:{'|'.join(escaped)})(?!\w)")
