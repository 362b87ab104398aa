from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from citystudy.errors import InputError
from crawlers.importers import ColumnMap, read_column_map
from tests.crawlers.importers.conftest import Exports, ndjson

COMMENT = {"id": "c1", "body": "Где урны?", "author": "q", "created_utc": 1672660830, "link_id": "t3_s1"}
TWEET = {"id": "1610000000000000002", "text": "Нет урн", "author_id": "7", "created_at": "2023-01-02T12:00:30Z"}
PLAIN = {"id": 1, "text": "Нет урн", "city": "Kazan", "source": "reddit"}


def several(row: dict[str, Any], n: int) -> list[dict[str, Any]]:
    return [{**row, "id": f"{row['id']}{i}"} for i in range(n)]


@pytest.mark.parametrize("name", ["export.csv", "export.json", "export.parquet", "tweets", "reddit.jsonl.gz"])
def test_the_name_of_a_file_says_nothing(exports: Exports, name: str) -> None:
    assert exports(ndjson(COMMENT), name).format == "pushshift"
    assert exports(b"id,text,source,city\n1,x,reddit,Kazan\n", name, values={}).format == "plain"


def test_a_broken_first_line_does_not_make_a_csv_nor_json_in_a_cell_json_lines(exports: Exports) -> None:
    result = exports(b'tail", "a": 5, "b": 6}\n' + ndjson(*several(COMMENT, 3)), "export.csv")
    assert (result.format, result.new, result.dropped) == ("pushshift", 3, {"not JSON": 1})
    cell = b'id,text,source,city\n1,"x\n{""a"": 1}\ny",reddit,Kazan\n'
    assert exports(cell, "export.jsonl", values={}).new == 1


def test_the_format_stands_in_what_the_command_prints(exports: Exports) -> None:
    result = exports(ndjson(PLAIN), values={})
    assert (result.format, result.rows, result.new) == ("plain", 1, 1)


def test_a_file_that_has_the_plain_columns_is_plain_whatever_else_it_has(exports: Exports) -> None:
    assert exports(ndjson({**COMMENT, **PLAIN, "conversation_id": "1"}), values={}).format == "plain"


def test_a_wrong_guess_says_what_was_seen_and_what_was_expected(exports: Exports) -> None:
    with pytest.raises(InputError) as told:
        exports(ndjson(COMMENT), format_name="twarc")
    assert "is not what --format twarc reads: expected tweets: id_str, user and full_text" in str(told.value)
    assert "found columns id, body, author, created_utc, link_id; it looks like pushshift" in str(told.value)
    with pytest.raises(
        InputError, match=r"--format brandwatch reads: expected columns Date, .* found columns id, body"
    ):
        exports(ndjson(COMMENT), format_name="brandwatch")
    with pytest.raises(InputError, match=r"--format pushshift reads: .* found no row that can be read; leave"):
        exports(b'{"broken\n', format_name="pushshift")
    with exports.folder.store() as store:
        assert store.count("crawl") == 0


def test_a_format_may_be_asked_for_where_few_rows_fit(exports: Exports) -> None:
    rows = [*several(COMMENT, 4), *({"note": n} for n in range(6))]
    with pytest.raises(InputError, match=r"no column 'text'.* Only 40% of its first rows look like pushshift; if that"):
        exports(ndjson(*rows))
    result = exports(ndjson(*rows), format_name="pushshift")
    assert (result.new, result.dropped) == (4, {"row of another format": 6})


def test_rows_of_another_format_in_between_are_counted(exports: Exports) -> None:
    result = exports(ndjson(*several(TWEET, 3), COMMENT, PLAIN, b"".hex()))
    assert result.format == "twarc"
    assert (result.new, result.dropped) == (3, {"row of another format": 2, "not a JSON object": 1})


def test_what_no_format_fits_is_refused_with_what_was_seen(exports: Exports) -> None:
    with pytest.raises(InputError, match=r"no column 'id'.* not recognised as an export either \(zeeschuimer, .*found"):
        exports(b"name,age\nx,5\n")


@pytest.mark.parametrize(
    ("asked", "columns", "message"),
    [
        ("twrac", None, r"--format twrac: unknown format; did you mean 'twarc'\?"),
        ("excel", None, r"--format excel: unknown format \(there are: zeeschuimer, fourcat, twarc, .*plain\)"),
        ("twarc", ColumnMap(), r"a column map goes with brandwatch, meltwater, talkwalker, plain only"),
    ],
)
def test_a_format_that_can_not_be_asked_for(
    exports: Exports, asked: str, columns: ColumnMap | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        exports(ndjson(COMMENT), columns=columns, format_name=asked)


def test_a_format_may_be_overruled(exports: Exports) -> None:
    columns = ColumnMap(columns={"text": "body"})
    values = {"city": "Kazan", "source": "forum"}
    assert exports(ndjson(COMMENT), columns=columns, values=values).format == "plain"
    assert set(exports.posts()) == {"c1"}
    with pytest.raises(InputError, match="no column 'text'"):
        exports(ndjson(COMMENT), format_name="plain", values=values)


def test_no_city_names_the_option_and_the_cities(exports: Exports) -> None:
    with pytest.raises(InputError, match=r"twarc do not say which city .* --city NAME, one of: Kazan"):
        exports(ndjson(TWEET), values={})
    with pytest.raises(InputError, match=r"no column 'city'.*--city NAME, or \[values\] city = .*cities: Kazan\)"):
        exports(b"id,text,source\n1,x,reddit\n", values={})


def test_a_city_or_source_that_the_study_does_not_have_is_refused_before_anything_is_read(exports: Exports) -> None:
    with pytest.raises(InputError, match=r"every row is to be of 'Atlantis': city not in study; .* one of: Kazan"):
        exports(ndjson(TWEET), values={"city": "Atlantis"})
    with pytest.raises(InputError, match=r"of the source 'mastodon', and no import target of Kazan takes them; give"):
        exports(ndjson(TWEET), values={"city": "Kazan", "source": "mastodon"})
    with exports.folder.store() as store:
        assert store.count("crawl") == 0


def test_the_options_win_over_the_map_and_the_file(exports: Exports, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[values]\ncity = "Atlantis"\nsource = "forum"\n')
    row = {**PLAIN, "city": "Ufa", "source": "vk"}
    exports(ndjson(row), columns=read_column_map(path), values={"city": "казань", "source": "REDDIT"})
    assert exports.posts()["1"]["author"] is None
    assert exports.posts()["1"]["key"] == exports.key("reddit", "1")


def test_the_source_may_be_another_than_the_platform(exports: Exports) -> None:
    exports(ndjson(TWEET), values={"city": "Kazan", "source": "forum"})
    assert exports.posts()["1610000000000000002"]["key"] == exports.key("forum", "1610000000000000002")


def test_a_plain_file_may_tell_more_names_and_what_is_a_repost(exports: Exports) -> None:
    rows = [
        {
            **PLAIN,
            "author": "7700",
            "author_name": "Лада Нетакова",
            "text": "Лада Нетакова: нет урн",
            "repost_of": None,
        },
        {**PLAIN, "id": 2, "repost_of": "1"},
        {**PLAIN, "id": 3, "repost_of": "No"},
        {**PLAIN, "id": 4, "repost_of": False},
    ]
    assert exports(ndjson(*rows), values={}).dropped == {"repost of another's post": 1}
    assert exports.posts()["1"]["text"] == "[HANDLE]: нет урн"
    assert exports.named("Нетакова", "7700") == []


def test_importing_again_stores_nothing_twice_and_edits_as_edits(exports: Exports) -> None:
    rows = several(COMMENT, 7)
    assert exports(ndjson(*rows)).new == 7
    assert exports(ndjson(*rows)).unchanged == 7
    rows[3]["body"] = "Урны поставили"
    result = exports(ndjson(*rows, rows[0]))
    assert (result.edited, result.unchanged, result.dropped) == (1, 6, {"repeated id": 1})


def test_posts_deleted_at_their_source_are_not_brought_back_by_a_file(exports: Exports) -> None:
    exports(ndjson(*several(COMMENT, 3)))
    with exports.folder.store() as store:
        store.save_posts(store.start_crawl("test"), [], gone=[exports.key("reddit", "t1_c11")])
    result = exports(ndjson(*several(COMMENT, 3)))
    assert (result.unchanged, result.dropped) == (2, {"deleted at the source before": 1})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('[columns]\ntext = ["body", 5]', "columns.text: found 5, expected a text"),
        ('[dates]\ntext = "%Y"', "dates.text: unknown field"),
        ("[dates]\ncreated_at = 5", "dates.created_at: found 5"),
        ("[sources]\nX = 1", "sources.X: found 1"),
        ("recognised_by = 5", "recognised_by: found 5"),
        ('[sourcse]\nX = "x"', "sourcse: unknown table, expected .columns., .values., .dates. or .sources."),
    ],
)
def test_a_map_that_does_not_fit_names_the_mend(tmp_path: Path, written: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(written)
    with pytest.raises(InputError, match=message):
        read_column_map(path)


def test_the_numbers_of_an_import_are_fit_for_json(exports: Exports) -> None:
    result = exports(ndjson(COMMENT))
    assert json.loads(json.dumps({"format": result.format, "dropped": result.dropped})) == {
        "format": "pushshift",
        "dropped": {},
    }
