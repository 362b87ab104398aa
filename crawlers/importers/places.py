"""Where a row belongs: the study's cities by name, and the import targets that take its source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from citystudy.config import Study
from citystudy.errors import InputError
from citystudy.targets import ImportTarget
from citystudy.text import slug
from crawlers.importers.cells import WRONG_TYPE
from crawlers.importers.columns import shown
from crawlers.intake import Place

NO_CITY = "no city"
NO_SOURCE = "no source"
CITY_UNKNOWN = "city not in study"
CITY_AMBIGUOUS = "two cities of the study bear this name"
SOURCE_UNKNOWN = "source not in study"


class Places:
    """The study's import targets by city and source."""

    def __init__(self, study: Study) -> None:
        self.city_names = [city.name for city in study.cities]
        self._cities = _cities_by_name(study)
        self._places = {
            (city.id, target.rows.casefold()): Place(city.target_id(target), city.id, target.post_source)
            for city, target in study.targets()
            if isinstance(target, ImportTarget)
        }

    def of(self, city: object, source: object) -> Place | str:
        """Return the place of a row, or the reason why it has none."""
        for value, missing in ((city, NO_CITY), (source, NO_SOURCE)):
            if value is None or value == "":
                return missing
            if not isinstance(value, str):
                return WRONG_TYPE
        found = self._cities.get(slug(str(city)), CITY_UNKNOWN)
        if found in {CITY_UNKNOWN, CITY_AMBIGUOUS}:
            return found
        return self._places.get((found, str(source).strip().casefold()), SOURCE_UNKNOWN)

    def check(self, path: Path, given: Mapping[str, str]) -> None:
        """Raise InputError where the values given for every row fit no import target: no row could be taken."""
        city, source = given.get("city"), given.get("source")
        found = self._cities.get(slug(city), CITY_UNKNOWN) if city is not None else None
        if found in {CITY_UNKNOWN, CITY_AMBIGUOUS}:
            raise InputError(
                f"{path}: every row is to be of '{city}': {found}; give --city one of: {shown(self.city_names)}"
            )
        sources = sorted({rows for city_id, rows in self._places if found in {None, city_id}})
        if source is not None and source.strip().casefold() not in sources:
            where = f"of {city} " if city is not None else ""
            raise InputError(
                f"{path}: its rows are of the source '{source}', and no import target {where}takes them; "
                + (f"give --source one of: {shown(sources)}; or " if sources else "")
                + f'add a target with source = "import" and rows = "{source}" to the study'
            )


def _cities_by_name(study: Study) -> dict[str, str]:
    cities: dict[str, str] = {}
    for city in study.cities:
        for name in {slug(name) for name in city.all_names()}:
            cities[name] = city.id if cities.get(name, city.id) == city.id else CITY_AMBIGUOUS
    return cities
