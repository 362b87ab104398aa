"""The report's languages: whole sentences from the catalogues, and numbers, dates and lists by CLDR."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from citystudy.codeframe import THEMES, segment_labels
from citystudy.config import Study

PLURALS: Final = frozenset({"zero", "one", "two", "few", "many", "other"})
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa"})
_PERSIAN: Final = str.maketrans("0123456789%,.", "۰۱۲۳۴۵۶۷۸۹٪٬٫")
_DIGITS_ONLY: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
# They keep the percent sign on the same side of a number whatever stands around it.
_ARABIC_PERCENT: Final = "\u200e%\u200e"
_ARABIC_LETTER_MARK: Final = "\u061c"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
# From here on a share rounds to one percent or more.
ONE_PERCENT: Final = 0.0095


class Language:
    """One language of the report for one study: sentences by key, filled in and isolated where directions mix."""

    def __init__(self, code: str, study: Study) -> None:
        self.code = code
        self.direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
        self._locale = Locale.parse(code)
        self._catalogue = catalogue(code)
        self._themes = {name: theme.label for name, theme in study.codeframe.items()}
        self._segments = {**segment_labels(), **{segment.id: segment.label for segment in study.segments}}
        self._cities = {city.id: _name_in(code, city.name, city.aliases) for city in study.cities}
        self._districts = {
            district.name: _name_in(code, district.name, district.aliases)
            for city in study.cities
            for district in city.districts
        }

    @property
    def name(self) -> str:
        """The language's own name."""
        return str(self._locale.get_display_name(self.code)).capitalize()

    def text(self, key: str, **words: str | int) -> str:
        """Return a sentence as plain text; words that run the other way are isolated. KeyError: no such sentence."""
        return self._template(key, words).format_map({name: self._plain(word) for name, word in words.items()})

    def html(self, key: str, **words: str | int) -> Markup:
        """Return a sentence as HTML; words are escaped and isolated unless they are HTML already."""
        return escape(self._template(key, words)).format_map({name: self.mark(word) for name, word in words.items()})

    def mark(self, word: str | int) -> Markup:
        """Return a word as HTML, isolated where it runs against the language's direction."""
        if isinstance(word, int):
            return self.number(word)
        if isinstance(word, Markup):
            return word
        return Markup("<bdi>{}</bdi>").format(word) if self._runs_against(word) else escape(word)

    def number(self, value: float, decimals: int = 0) -> Markup:
        """Return a number with this many decimals."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return escape(self._native(format_decimal(value, format=pattern, locale=self._number_locale)))

    def percent(self, share: float) -> Markup:
        """Return a share in percent, whole from one percent on."""
        pattern = None if share == 0 or share >= ONE_PERCENT else "#,##0.0%"
        if pattern and self.code == "ru":
            pattern = "#,##0.0\u00a0%"
        return escape(self._native(format_percent(share, format=pattern, locale=self._number_locale)))

    def span(self, low: float, high: float) -> Markup:
        """Return two shares as a range in percent."""
        return self.html("interval.percent", low=self._in_percent(low), high=self._in_percent(high))

    def day(self, day: date) -> Markup:
        """Return a day in words."""
        length = "long" if self.code == "ar" else "medium"
        shown = format_date(day, length, locale=self._locale)
        return escape(shown.translate(_DIGITS_ONLY) if self.code == "fa" else shown)

    def days(self, first: date, last: date) -> Markup:
        """Return two days as a range."""
        return self.html("interval.days", first=self.day(first), last=self.day(last))

    def listing(self, words: Iterable[str]) -> Markup:
        """Return words joined as this language joins a list."""
        marked = [self.mark(word) for word in words]
        pattern = format_list([f"{{{place}}}" for place in range(len(marked))], locale=self._locale)
        return escape(pattern).format(*marked)

    def theme(self, theme: str) -> str:
        """Return a theme's name; the study's own labels fall back to English, then to any."""
        if theme in THEMES:
            return self._catalogue[f"theme.{theme}"]["other"]
        return _label(self._themes.get(theme, {}), self.code, theme)

    def segment(self, segment: str) -> str:
        """Return a segment's label."""
        return _label(self._segments.get(segment, {}), self.code, segment)

    def city(self, city: str) -> str:
        """Return a city's name in this language where the study gives one."""
        return self._cities.get(city, city)

    def district(self, district: str) -> str:
        """Return a district's name in this language where the study gives one."""
        return self._districts.get(district, district)

    def source(self, source: str) -> str:
        """Return a source's name: known ones in words, an importer's as the study names it."""
        return self._named("source", source)

    def target_kind(self, kind: str) -> str:
        """Return the name of a kind of place."""
        return self._named("target_kind", kind)

    def dropped(self, reason: str) -> str:
        """Return the reason for which rows were left out at gathering."""
        return reason.replace("_", " ")

    def language(self, code: str | None) -> str:
        """Return a language's name."""
        if code is None:
            return self.text("city.unknown_language")
        return str(self._locale.languages.get(code, code))

    @property
    def _number_locale(self) -> Locale:
        return Locale.parse("en") if self.code == "fa" else self._locale

    def _in_percent(self, share: float) -> Markup:
        return self.number(100 * share, 0 if share == 0 or share >= ONE_PERCENT else 1)

    def _native(self, shown: str) -> str:
        if self.code == "fa":
            return _ARABIC_LETTER_MARK + shown.translate(_PERSIAN)
        return shown.replace("%", _ARABIC_PERCENT) if self.code == "ar" else shown

    def _named(self, table: str, key: str) -> str:
        forms = self._catalogue.get(f"{table}.{key}")
        return forms["other"] if forms else key

    def _template(self, key: str, words: Mapping[str, Any]) -> str:
        forms = self._catalogue[key]
        count = words.get("n")
        category = str(self._locale.plural_form(count)) if isinstance(count, int) else "other"
        return forms.get(category, forms["other"])

    def _plain(self, word: str | int) -> str:
        if isinstance(word, int):
            return str(self.number(word))
        shown = word.striptags() if isinstance(word, Markup) else word
        return f"{_FIRST_STRONG_ISOLATE}{shown}{_POP_ISOLATE}" if self._runs_against(shown) else shown

    def _runs_against(self, word: str) -> bool:
        against = {"L"} if self.direction == "rtl" else {"R", "AL"}
        return any(unicodedata.bidirectional(character) in against for character in word)


@cache
def catalogue(code: str) -> Mapping[str, Mapping[str, str]]:
    """Return a language's sentences: by key, then by plural category ('other' where there is one form only)."""
    text = resources.files("reports.locale").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    found: dict[str, Mapping[str, str]] = {}

    def gather(table: Mapping[str, Any], prefix: str) -> None:
        for key, value in table.items():
            if isinstance(value, str):
                found[prefix + key] = {"other": value}
            elif value.keys() <= PLURALS:
                found[prefix + key] = value
            else:
                gather(value, f"{prefix}{key}.")

    gather(tomllib.loads(text), "")
    return found


def _name_in(code: str, name: str, aliases: Mapping[str, list[str]]) -> str:
    return aliases[code][0] if aliases.get(code) else name


def _label(labels: Mapping[str, str], code: str, name: str) -> str:
    return labels.get(code) or labels.get("en") or next(iter(labels.values()), name)
