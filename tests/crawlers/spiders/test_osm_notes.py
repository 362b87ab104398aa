from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.config import City
from citystudy.targets import OsmNotesTarget
from crawlers.around import NO_PLACE
from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.spiders.osm_notes import _beyond, box_of, posts_of

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


BOXED = 'source = "osm_notes"\nserver = "{}"\nbox = [49.0, 55.7, 49.2, 55.9]'


def by_last_change(site: Any, notes: list[tuple[str, dict[str, Any]]]) -> None:
    """Answer searches as the API does, with notes and the moment of their last change, which it keeps to itself."""

    def search(asked: Any) -> Any:
        begin = asked.query["from"].replace("T", " ").replace("Z", " UTC")
        shown = sorted((entry for entry in notes if entry[0] >= begin), key=lambda entry: entry[0])
        features = [told for _, told in shown[: int(asked.query["limit"])]]
        return site.Reply(json.dumps({"features": features}))

    site.answers["/api/0.6/notes/search.json"] = search


def test_more_notes_of_one_second_than_a_page_holds_are_all_read(site: Any, folder: Any) -> None:
    one, last = "2026-01-02 10:00:00 UTC", "2026-01-03 10:00:00 UTC"
    notes = [(one, note(n, (one, n, "opened", f"Заметка {n}"))) for n in range(1, 251)]
    by_last_change(site, [*notes, (last, note(300, (last, 1, "opened", "Последняя")))])
    study = folder.write(BOXED.format(site.url))
    [result] = crawl(study)
    assert (result.new, result.outcome) == (251, "finished")
    [again] = crawl(study)
    assert (again.new, again.parked, again.alerts) == (0, None, ())


def test_a_page_of_notes_whose_last_words_were_taken_away_holds_nothing_up(site: Any, folder: Any) -> None:
    first, spammed, last = "2026-01-02 10:00:00 UTC", "2026-02-02 10:{:02}:00 UTC", "2026-03-03 10:00:00 UTC"
    notes = [(first, note(500, (first, 3, "opened", "Нет остановки")))]
    by_last_change(site, notes)
    study = folder.write(BOXED.format(site.url))
    [result] = crawl(study)
    assert result.new == 1
    # Someone comments on many old notes and is suspended: the notes stay changed, what changed them is not shown.
    notes += [
        (spammed.format(n % 60), note(n, ("2025-12-02 10:00:00 UTC", n, "opened", f"Заметка {n}")))
        for n in range(1, 131)
    ]
    notes.append((last, note(501, (last, 4, "opened", "Появилась остановка"))))
    by_last_change(site, notes)
    asked = len(site.paths())
    [result] = crawl(study)
    assert (result.new, result.outcome) == (131, "finished")
    assert len(site.paths()) - asked < 6


@pytest.mark.parametrize(("limit", "after"), [(100, 1_000), (1_000, 10_000)])
def test_a_full_page_that_leads_nowhere_is_asked_for_again_larger(limit: int, after: int) -> None:
    step = {"from": "2026-01-02T10:00:00Z", "limit": limit}
    assert _beyond(step, datetime(2026, 1, 2, 10, tzinfo=UTC)) == {**step, "limit": after}


def test_the_largest_page_that_leads_nowhere_is_gone_past() -> None:
    step = {"from": "2026-01-02T10:00:00Z", "limit": 10_000}
    assert _beyond(step, datetime(2026, 1, 2, 10, tzinfo=UTC)) == {"from": "2026-01-02T10:00:01Z", "limit": 100}


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
