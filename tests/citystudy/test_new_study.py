from __future__ import annotations

import re
from pathlib import Path

import pytest

from citystudy.config import Study, read_study
from citystudy.gazetteer import GazetteerCity, find_city
from citystudy.new_study import new_study
from citystudy.targets import MastodonTarget

CITIES = ["Leeds", "Amman", "Shiraz", "Казань"]
_COMMENTED = re.compile(r"^# (\[\[?[a-z_.]+\]?\]|[a-z_.]+ = .+)$", re.MULTILINE)


def read(folder: Path, text: str) -> Study:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(path)


def test_it_is_valid_as_it_stands(tmp_path: Path) -> None:
    found = [find_city(name) for name in CITIES]
    study = read(tmp_path, new_study("four-cities", found))
    assert study.study.name == "four-cities"
    assert [city.name for city in study.cities] == ["Leeds", "Amman", "Shiraz", "Kazan"]
    for city, known in zip(study.cities, found, strict=True):
        assert (city.country, city.population, city.latitude) == (known.country, known.population, known.latitude)
        assert tuple(city.languages) == known.languages
        assert {lang: tuple(names) for lang, names in city.aliases.items()} == known.aliases
    assert list(study.targets()) == [], "nothing is gathered that nobody asked for"
    assert study.privacy.k == 5
    assert study.limits.delay_seconds == 2.0


def test_what_it_suggests_is_valid_when_uncommented(tmp_path: Path) -> None:
    text = new_study("two", [find_city("Amman"), find_city("New York")])
    study = read(tmp_path, _COMMENTED.sub(r"\1", text))
    sources = {target.source for _, target in study.targets()}
    assert sources >= {"osm_notes", "youtube", "reddit", "mastodon", "bluesky", "telegram", "feed", "import"}
    tags = [target.tag for city, target in study.targets() if city.id == "amman" and isinstance(target, MastodonTarget)]
    assert tags[:2] == ["amman", "عمان"]
    assert "newyorkcity" in {getattr(target, "tag", None) for _, target in study.targets()}
    assert study.retention.posts_days == 365
    assert set(study.codeframe) == {"hair_care"}
    assert study.segments
    assert study.brands
    assert study.offers
    assert study.cities[0].districts


def test_a_city_named_twice_is_one(tmp_path: Path) -> None:
    assert len(read(tmp_path, new_study("x", [find_city("Amman"), find_city("عمان")])).cities) == 1


def test_namesakes_are_told_apart(tmp_path: Path) -> None:
    study = read(tmp_path, new_study("x", [find_city("Hyderabad, IN"), find_city("Hyderabad, PK")]))
    assert [city.name for city in study.cities] == ["Hyderabad", "Hyderabad (PK)"]


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "tab\there", "имя", "{braces}"])
def test_any_name_is_written_so_that_it_is_read_again(tmp_path: Path, name: str) -> None:
    city = GazetteerCity(name, "XX", 1, 0.0, 0.0, ("en",), {"ar": ("اسم",)})
    study = read(tmp_path, new_study(name, [city]))
    assert study.study.name == study.cities[0].name == name
