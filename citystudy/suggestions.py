"""Likely targets for a city of the gazetteer: places to try, as TOML for the study file. Nothing is asked of anybody."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from citystudy.gazetteer import GazetteerCity

# Where VKontakte is what people write on.
VK_COUNTRIES = frozenset({"RU", "BY", "KZ", "KG", "TJ", "UZ", "AM", "MD"})
DENSE_CITY = 1_000_000
SPELLINGS = 2
SUBREDDIT_LENGTH = range(2, 22)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A target to try: its keys as the study file writes them, why, and what it needs first (None: nothing)."""

    keys: Mapping[str, Any]
    why: str
    needs: str | None = None

    def lines(self, *, all_commented: bool = False) -> Iterator[str]:
        """Yield its lines of TOML; commented out where it needs something first."""
        mark = "# " if self.needs or all_commented else ""
        yield f"# {self.why}" + (f"; needs {self.needs}" if self.needs else "")
        yield f"{mark}[[cities.targets]]"
        for key, value in self.keys.items():
            yield f"{mark}{key} = {json.dumps(value, ensure_ascii=False)}"
        yield ""


def suggest(city: GazetteerCity) -> list[Suggestion]:
    """Return targets to try for a city: by its coordinates first, then by its names in each script."""
    return [*_by_place(city), *_by_name(city)]


def as_toml(city: GazetteerCity, suggestions: Sequence[Suggestion]) -> str:
    """Return suggestions as TOML to paste below a city's table, with a head that says what they are."""
    head = (
        f"# Suggestions for {city.name}, {city.country}: places to try, made from its coordinates and names. Nobody has\n"
        "# looked whether they exist, are about this city, or may be read: read each one's terms (docs/sources), paste\n"
        "# what you want below the city's [[cities]] table, then run: citystudy check\n\n"
    )
    return head + "\n".join(line for suggestion in suggestions for line in suggestion.lines())


def _by_place(city: GazetteerCity) -> Iterator[Suggestion]:
    radius = 15 if city.population >= DENSE_CITY else 10
    yield Suggestion(
        {"source": "osm_notes", "radius_km": radius}, "Notes on the map around the city: works for every city on earth"
    )
    yield Suggestion(
        {"source": "youtube", "radius_km": 2 * radius},
        "Comments on videos from around the city",
        'a key of your own: [credentials] youtube = "env:YOUTUBE_KEY"',
    )
    if city.country in VK_COUNTRIES:
        yield Suggestion(
            {"source": "vk", "query": _names(city)[-1]},
            "Public posts around the city that name it",
            'a service token of your own: [credentials] vk = "env:VK_TOKEN"',
        )


def _by_name(city: GazetteerCity) -> Iterator[Suggestion]:
    for name in _subreddits(city):
        yield Suggestion(
            {"source": "reddit", "subreddit": name}, f"A subreddit of that name, if there is one: r/{name}"
        )
    for server in _servers("lemmy", city.country):
        yield Suggestion(
            {"source": "lemmy", "instance": server, "community": _latin(city.name)},
            "A community of that name, if there is one",
        )
    servers = _servers("mastodon", city.country)
    for tag in tags(city):
        yield Suggestion(
            {"source": "mastodon", "instance": servers[0] if servers else "https://mastodon.example", "tag": tag},
            f"The tag #{tag}",
            None if servers else "a server whose terms allow it, best one of the region",
        )
    for name in _names(city):
        yield Suggestion(
            {"source": "bluesky", "query": name},
            f"Posts that say {name}",
            'an app password of your own: [credentials] bluesky = "env:BLUESKY_LOGIN"',
        )
    yield Suggestion(
        {"source": "telegram", "channel": f"{_latin(city.name)[:24]}_news"},
        "Public channels can't be searched from outside: look for " + " or ".join(_names(city)) + " in the app",
        "the name of a channel you have looked at",
    )
    yield Suggestion(
        {"source": "feed", "kind": "news_comments", "url": "https://news.example/comments/feed/"},
        "Comments on a local newspaper, a local forum's feed",
        "the address of one",
    )
    yield Suggestion(
        {"source": "import", "kind": "forum", "rows": "reddit"},
        "Rows of: citystudy import FILE",
        "a file whose source column says this",
    )


def tags(city: GazetteerCity) -> list[str]:
    """Return the city's hashtags, one a script: its names without spaces and marks."""
    names = [city.name.lower(), *_names(city)[1:]]
    return list(dict.fromkeys("".join(c for c in name if c.isalnum()) for name in names))


def _names(city: GazetteerCity) -> list[str]:
    """Return the name in English, then those that come first in each language of the city.

    More than one, because the gazetteer does not say which is the usual spelling: Казан and Казань.
    """
    spellings = (name for lang in city.languages for name in city.aliases.get(lang, ())[:SPELLINGS])
    return list(dict.fromkeys([city.name, *spellings]))


def _subreddits(city: GazetteerCity) -> list[str]:
    plain = _latin(city.name)
    wanted = [plain, f"ask{plain}"]
    return [name for name in wanted if len(name) in SUBREDDIT_LENGTH]


def _latin(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _servers(sort: str, country: str) -> list[str]:
    return _regional_servers().get(sort, {}).get(country, [])


@cache
def _regional_servers() -> dict[str, dict[str, list[str]]]:
    text = resources.files("citystudy").joinpath("regional_servers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
