from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_world import World

from reports.corpus import read_corpus
from reports.exports import COLUMNS, FORMULA_STARTS, findings_csv, findings_json, harmless, summary_md
from reports.findings.study import analyse
from reports.site.words import Language


@pytest.fixture
def results(world: World):
    world.crowd("alfa", 60, 40, topic="=cmd()|' /C calc'!A0")
    world.crowd("beta", 60, 10)
    with world.store() as store:
        return analyse(world.study, read_corpus(store))


@given(st.text())
def test_no_cell_can_act_as_a_formula(text: str) -> None:
    cell = str(harmless(text))
    assert not cell.lstrip(" ").startswith(FORMULA_STARTS)
    assert cell.removeprefix("'") == text.removeprefix("'")


def test_numbers_stay_numbers() -> None:
    assert harmless(-3) == -3
    assert harmless(None) == ""


def test_csv_has_a_row_a_finding_with_units_base_and_interval(results) -> None:
    rows = list(csv.DictReader(io.StringIO(findings_csv(results))))
    assert len(rows) == len(results.findings)
    assert tuple(rows[0]) == COLUMNS
    first = next(row for row in rows if row["city"] == "alfa" and not row["topic"])
    assert (first["unit"], first["voices"], first["base"], first["verdict"]) == ("voices", "40", "60", "niche")
    assert float(first["share_low"]) < float(first["share"]) < float(first["share_high"])
    assert int(first["statements"]) == len(first["evidence"].split()) == 40
    topic = next(row for row in rows if row["topic"])
    assert topic["topic_label"].startswith("'=")


def test_json_round_trips_and_says_its_units(world: World, results) -> None:
    read = json.loads(findings_json(world.study, results, "abc"))
    assert read["report"] == "abc"
    assert read["units"]["corrected_for_coder_error"] is False
    assert [row["finding"] for row in read["findings"]] == [finding.id for finding in results.findings]
    assert read["cities"][0]["posts"] == 60


def test_markdown_tells_each_city_and_escapes_what_it_quotes(world: World, results) -> None:
    world.study.study.__dict__["question"] = "Why *this* | <b>?"
    text = summary_md(world.study, results, Language("en", world.study))
    assert "## Alfa" in text
    assert "| Transport (problems)" in text or "| transport (problems) | 67%" in text
    assert r"Why \*this\* \| \<b\>?" in text
