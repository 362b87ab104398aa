"""The place around which posts about a city are looked for."""

from __future__ import annotations

import math

from citystudy.config import City
from crawlers.parking import Parked

KM_A_DEGREE = 111.32
NEARLY_A_POLE = 0.01  # cosine of the latitude; there a box would go round the earth

NO_PLACE = "this city has no coordinates"


def centre_of(city: City, *, otherwise: str = "") -> tuple[float, float]:
    """Return a city's latitude and longitude; raises Parked where it has none, `otherwise` another mend."""
    if city.latitude is None or city.longitude is None:
        raise Parked(NO_PLACE, f"give `latitude` and `longitude` to the city {city.name}{otherwise}")
    return city.latitude, city.longitude


def box_around(latitude: float, longitude: float, radius_km: float) -> tuple[float, float, float, float]:
    """Return west, south, east and north in degrees; the box ends at the 180th meridian and at the poles."""
    high = radius_km / KM_A_DEGREE
    wide = high / max(math.cos(math.radians(latitude)), NEARLY_A_POLE)
    west, east = max(longitude - wide, -180.0), min(longitude + wide, 180.0)
    return west, max(latitude - high, -90.0), east, min(latitude + high, 90.0)
