from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.config import City
from citystudy.targets import OsmNotesTarget
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.osm_notes import NO_PLACE, box_of, posts_of

TARGET = OsmNotesTarget(source="osm_notes", radius_km=10)


def city(latitude: float | None, longitude: float | None) -> City:
    return City(name="Place", country="XX", languages=["en"], latitude=latitude, longitude=longitude)


def note(number: int, *comments: tuple[str, int | None, str, str], closed: bool = False) -> dict[str, Any]:
    told = [
        {"date": date, "action": action, "text": text, **({"uid": uid, "user": f"mapper{uid}"} if uid else {})}
        for date, uid, action, text in comments
    ]
    properties = {
        "id": number,
        "status": "closed" if closed else "open",
        "date_created": told[0]["date"],
        "comments": told,
    }
    return {"geometry": {"type": "Point", "coordinates": [49.1, 55.8]}, "properties": properties}


def test_the_note_and_each_comment_with_words_are_posts_of_their_own() -> None:
    read = list(
        posts_of(
            note(
                7,
                ("2026-01-02 10:00:00 UTC", None, "opened", "На этом перекрёстке нет светофора"),
                ("2026-01-03 10:00:00 UTC", 12, "commented", "ایستگاه اتوبوس هم جابه‌جا شده"),
                ("2026-01-04 10:00:00 UTC", 13, "closed", ""),
                ("2026-01-05 10:00:00 UTC", 13, "reopened", "لا يزال بلا إشارة"),
            ),
            "osm.example",
        )
    )
    assert [post.text for post in read] == [
        "На этом перекрёстке нет светофора",
        "ایستگاه اتوبوس هم جابه‌جا شده",
        "لا يزال بلا إشارة",
    ]
    assert [post.author for post in read] == [None, "osm.example user 12", "osm.example user 13"]
    assert [post.parent for post in read] == [None, "osm.example/note/7", "osm.example/note/7"]
    assert {post.thread for post in read} == {"osm.example/note/7"}
    assert len({post.native_id for post in read}) == 3
    assert {(post.latitude, post.longitude, post.basis) for post in read} == {(55.8, 49.1, "coordinates")}
    assert read[0].created_at is not None
    assert read[0].created_at.isoformat() == "2026-01-02T10:00:00+00:00"


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), radius=st.floats(0.1, 50))
def test_a_box_is_around_the_city_and_on_the_earth(latitude: float, longitude: float, radius: float) -> None:
    target = OsmNotesTarget(source="osm_notes", radius_km=radius)
    west, south, east, north = box_of(target, city(latitude, longitude))
    assert -180 <= west <= longitude <= east <= 180
    assert -90 <= south <= latitude <= north <= 90
    assert (east - west) * (north - south) <= 25 or abs(latitude) > 60, "the API takes no larger box"


def test_a_box_is_as_wide_as_it_is_high() -> None:
    west, south, east, north = box_of(TARGET, city(60.0, 30.0))
    assert north - south == pytest.approx(20 / 111.32)
    assert east - west == pytest.approx(2 * (north - south), rel=1e-3), "a degree of longitude is half as long there"


def test_a_city_without_coordinates_needs_a_box() -> None:
    with pytest.raises(Parked, match=NO_PLACE):
        box_of(TARGET, city(None, None))
    boxed = OsmNotesTarget(source="osm_notes", box=(1, 2, 3, 4))
    assert box_of(boxed, city(None, None)) == (1, 2, 3, 4)


def test_notes_of_one_second_that_fill_a_page_are_gone_past(site: Any, folder: Any) -> None:
    same = [note(n, ("2026-01-02 10:00:00 UTC", n, "opened", f"Заметка {n}")) for n in range(1, 101)]
    later = [note(200, ("2026-01-03 10:00:00 UTC", 1, "opened", "Последняя"))]

    def search(asked: Any) -> Any:
        shown = same if asked.query["from"] <= "2026-01-02T10:00:00Z" else later
        return site.Reply(json.dumps({"features": shown if asked.query["from"] <= "2026-01-03T10:00:00Z" else []}))

    site.answers["/api/0.6/notes/search.json"] = search
    study = folder.write(f'source = "osm_notes"\nserver = "{site.url}"\nbox = [49.0, 55.7, 49.2, 55.9]')
    [result] = crawl(study)
    assert (result.new, result.outcome) == (101, "finished")
    [again] = crawl(study)
    assert (again.new, again.parked, again.alerts) == (0, None, ())


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["properties", "geometry", "coordinates", "comments", "text", "date", "uid", "id", "user"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(ODD)
def test_no_note_is_too_odd_to_be_read(value: Any) -> None:
    assert all(post.text for post in posts_of(value if isinstance(value, dict) else {"properties": value}, "h"))
