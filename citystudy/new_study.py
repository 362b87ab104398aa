"""A first `study.toml` for named cities, filled from the gazetteer and commented for its editor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from citystudy.gazetteer import GazetteerCity
from citystudy.suggestions import suggest
from citystudy.text import slug

_HEAD = """\
# A study of {names}. Check it with: citystudy check
# Every key is described in docs/study-file.md; what is unset keeps its default.

[study]
name = {name}
question = "What do people in these cities lack, wish for and like?"
contact = "you@example.org"        # put your own: site owners see it in the crawler's user agent
report_languages = ["en"]          # any of en, ar, fa, ru

[privacy]
secret = "file:study.secret"       # or "env:NAME"; keep it: without it nothing can be re-checked or deleted
k = 5                              # the fewest voices that any figure may stand on (5 or more)
exact_quotes = true
links = false                      # a permalink names its author

[limits]
delay_seconds = 2.0                # between two requests to one host

# Your own keys for sources that ask for one, from the environment or a keyring, never written here:
# [credentials]
# youtube = "env:YOUTUBE_KEY"
# vk = "keyring:citystudy/vk"

# [retention]
# posts_days = 365

# Brands of interest, your own and competitors':
# [[brands]]
# name = "Acme"
# owner = "own"                    # own, competitor or other
# aliases.ar = ["أكمي"]

# What you could bring, and the themes of the needs it would answer:
# [[offers]]
# name = "Night shuttle"
# themes = ["transport"]

# Groups that people say of themselves that they belong to, beside the built-in ones:
# [[segments]]
# id = "cyclists"
# label.en = "Cyclists"
# words.en = ["my bike", "as a cyclist"]

# A theme beside the built-in eighteen, coded by its words (* stands for any ending):
# [codeframe.hair_care]
# label.en = "Hair care"
# words.en = ["curly hair", "afro hair", "shampoo*"]
"""


def new_study(name: str, cities: Sequence[GazetteerCity]) -> str:
    """Return the text of a study file for `cities`, valid as it stands: each city once, namesakes told apart."""
    named = _named(cities)
    head = _HEAD.format(names=", ".join(named), name=_quoted(name))
    return "\n".join([head, *("\n".join(_city(shown, city)) for shown, city in named.items())])


def _named(cities: Sequence[GazetteerCity]) -> dict[str, GazetteerCity]:
    """Return the cities by the names they go by in the study: of two of one name, the later one's has its country."""
    named: dict[str, GazetteerCity] = {}
    for city in cities:
        taken = {slug(name): known for name, known in named.items()}
        if city in taken.values():
            continue
        shown = f"{city.name} ({city.country})" if slug(city.name) in taken else city.name
        named[shown] = city
    return named


def _city(shown: str, city: GazetteerCity) -> Iterator[str]:
    yield "[[cities]]"
    yield f"name = {_quoted(shown)}"
    yield f"country = {_quoted(city.country)}"
    yield f"languages = {_list(city.languages)}    # spoken by many there (CLDR); keep those the study is about"
    yield f"population = {city.population}"
    yield f"latitude = {city.latitude}"
    yield f"longitude = {city.longitude}"
    if city.aliases:
        yield "# From GeoNames, language told by alphabet: remove what nobody writes, add what people say."
    for lang, names in city.aliases.items():
        yield f"aliases.{lang} = {_list(names)}"
    yield "# [[cities.districts]]"
    yield '# name = "Old Town"'
    yield '# aliases.en = ["the old town"]'
    yield "# Targets to try, none looked at: read each one's terms (docs/sources), then uncomment."
    for suggestion in suggest(city):
        yield from suggestion.lines(all_commented=True)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(items: Sequence[str]) -> str:
    return json.dumps(list(items), ensure_ascii=False)
