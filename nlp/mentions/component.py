"""The spaCy component that marks what a post mentions: segments, brands and districts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from spacy.language import Language
from spacy.tokens import Doc

from citystudy.store import Mention
from nlp.mentions.names import Found, NameMatcher
from nlp.mentions.segments import SegmentMatcher
from nlp.mentions.words import split_words

if TYPE_CHECKING:
    from citystudy.config import Study, Words

for extension, default in (("city", None), ("mentions", ())):
    if not Doc.has_extension(extension):
        Doc.set_extension(extension, default=default)


def mention_config(study: Study) -> dict[str, Any]:
    """Return the component's config for a study; JSON can hold it."""
    return {
        "segments": {segment.id: segment.words for segment in study.segments},
        "brands": {brand.name: _spellings(brand.aliases) for brand in study.brands},
        "districts": {
            city.id: {district.name: _spellings(district.aliases) for district in city.districts}
            for city in study.cities
        },
    }


@Language.factory("citystudy_mentions", default_config={"segments": {}, "brands": {}, "districts": {}})
def make_mentions(
    nlp: Language,
    name: str,  # noqa: ARG001  spaCy gives every factory its component's name
    segments: Mapping[str, Mapping[str, Sequence[str]]],
    brands: Mapping[str, Sequence[str]],
    districts: Mapping[str, Mapping[str, Sequence[str]]],
) -> Mentions:
    """Return the component for `nlp`'s language: segment id → words by language, names → spellings by city."""
    return Mentions(nlp.lang or "", segments, brands, districts)


class Mentions:
    """Sets `doc._.mentions` to a tuple of `citystudy.store.Mention`, offsets in code points of `doc.text`, in order.

    Districts are those of the city whose id is in `doc._.city` when the doc comes in; without one, none.
    """

    def __init__(
        self,
        lang: str,
        segments: Mapping[str, Mapping[str, Sequence[str]]],
        brands: Mapping[str, Sequence[str]],
        districts: Mapping[str, Mapping[str, Sequence[str]]],
    ) -> None:
        """Read the names and patterns for texts in `lang`."""
        self._lang = lang
        self._segments = SegmentMatcher(lang, {name: words.get(lang, ()) for name, words in segments.items()})
        self._brands = NameMatcher(brands, lang)
        self._districts = {city: NameMatcher(names, lang) for city, names in districts.items()}

    def __call__(self, doc: Doc) -> Doc:
        """Mark one doc."""
        text = doc.text
        words = split_words(text, self._lang)
        found = [*_as("segment", self._segments.find(text, words)), *_as("brand", self._brands.find(text, words))]
        local = self._districts.get(doc._.city)
        if local is not None:
            found += _as("district", local.find(text, words))
        doc._.mentions = tuple(sorted(found, key=lambda m: (m.start, m.end, m.sort, m.name)))
        return doc


def _as(sort: Literal["segment", "brand", "district"], found: Sequence[Found]) -> list[Mention]:
    return [Mention(sort, one.name, one.start, one.end) for one in found]


def _spellings(aliases: Words) -> list[str]:
    return list(dict.fromkeys(name for names in aliases.values() for name in names))
