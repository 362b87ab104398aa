from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystudy.errors import InputError
from crawlers.importers import read_column_map
from crawlers.importers.cells import raw_post
from crawlers.importers.containers import Fault, open_table
from crawlers.importers.formats import FORMATS
from crawlers.importers.formats.mapped import mapped, vendor_maps
from tests.crawlers.importers.conftest import Exports, ndjson
from tests.crawlers.importers.test_fourcat import TIKTOK as MAPPED_TIKTOK
from tests.crawlers.importers.test_pushshift import comment, submission
from tests.crawlers.importers.test_telegram_export import message
from tests.crawlers.importers.test_twarc import USER, v1, v2
from tests.crawlers.importers.test_zeeschuimer import (
    INSTAGRAM,
    INSTAGRAM_GRAPH,
    LINKEDIN,
    THREADS,
    TIKTOK,
    TIKTOK_COMMENT,
    TWITTER,
    by_4cat,
    captured,
)

WHOLE: dict[str, list[dict[str, Any]]] = {
    "fourcat": [MAPPED_TIKTOK],
    "pushshift": [comment(_meta={"removal_type": None}), submission()],
    "telegram_export": [message(holder={"id": 5, "type": "public_channel"}, text=["a", {"type": "bold", "text": "b"}])],
    "twarc": [
        v1(extended_tweet={"full_text": "x"}, coordinates={"type": "Point", "coordinates": [1, 2]}),
        v2(referenced_tweets=[{"type": "quoted", "id": "1"}], geo={"coordinates": {"coordinates": [1, 2]}}),
        {"data": [v2()], "includes": {"users": [USER]}, "meta": {}},
    ],
    "zeeschuimer": [
        captured("tiktok.com", TIKTOK),
        captured("tiktok-comments", TIKTOK_COMMENT),
        captured("instagram.com", INSTAGRAM),
        by_4cat("instagram.com", INSTAGRAM_GRAPH),
        captured("x.com", TWITTER),
        captured("threads.net", THREADS),
        captured("linkedin.com", LINKEDIN),
    ],
}

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([[], {}, [[]], [{}], {"text": 5}, ["x", {"text": None}], "9" * 30, 10**30]),
)


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, one in inner for way in [(*before, key), *places(one, (*before, key))]]


def spoilt(value: Any, way: tuple[Any, ...], odd: Any) -> Any:
    """Return a JSON value with another in one place."""
    if not way:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = spoilt(copy[way[0]], way[1:], odd)
    return copy


@st.composite
def spoilt_rows(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(WHOLE)))
    row = draw(st.sampled_from(WHOLE[name]))
    for _ in range(draw(st.integers(1, 3))):
        row = spoilt(row, draw(st.sampled_from(places(row))), draw(ODD))
    return name, row


@settings(max_examples=400)
@given(spoilt_rows())
def test_no_row_is_too_odd_for_a_format(drawn: tuple[str, dict[str, Any]]) -> None:
    known = FORMATS[drawn[0]]
    for row in known.unfolded([drawn[1]]):
        if not isinstance(row, Fault) and known.fits(row):
            cells = known.cells(row)
            if not isinstance(cells, str):
                raw_post(cells, known.clean)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_whole_rows_fit_their_format_and_no_other(name: str) -> None:
    for row in WHOLE[name]:
        assert [one for one, known in FORMATS.items() if all(map(known.fits, known.unfolded([row])))] == [name]


JSON_ROWS = st.lists(
    st.one_of(
        st.dictionaries(
            st.sampled_from(
                ["id", "text", "city", "source", "created_at", "body", "title", "author_id", "type", "data"]
            ),
            ODD | st.sampled_from(["Kazan", "reddit"]),
        ),
        spoilt_rows().map(lambda drawn: drawn[1]),
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), JSON_ROWS)
def test_every_row_of_any_export_is_accounted_for(exports: Exports, name: str, rows: list[dict[str, Any]]) -> None:
    whole = WHOLE[name][0]
    result = exports(ndjson(*[whole] * (len(rows) + 1), *rows), values={"city": "Kazan", "source": "reddit"})
    assert result.format == name


COLUMNS = sorted(
    {
        column
        for column_map in vendor_maps().values()
        for columns in column_map.columns.values()
        for column in ([columns] if isinstance(columns, str) else columns)
    }
)


@given(st.dictionaries(st.sampled_from(COLUMNS), ODD))
def test_no_row_is_too_odd_for_a_map(row: dict[str, Any]) -> None:
    for name, column_map in vendor_maps().items():
        known = mapped(name, column_map, Path("x"), COLUMNS, {"city": "Kazan", "source": "x"}, ())
        cells = known.cells(row)
        if not isinstance(cells, str):
            raw_post(cells, known.clean)


STARTS = [b"", b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PAR1", b'{"messages": [', b"id,body\n"]


def refusal_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except InputError as error:
        return str(error)
    return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_no_bytes_are_too_odd_for_a_container(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(start + rest)

    def read() -> None:
        with open_table(path) as table:
            list(table.rows)

    assert str(path) in (refusal_of(read) or str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_map_is_too_odd(tmp_path: Path, written: str) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(written.encode("utf-8", "surrogatepass"))
    assert str(path) in (refusal_of(lambda: read_column_map(path)) or str(path))
