from __future__ import annotations

import csv
import io
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from citystudy.errors import InputError
from crawlers.importers import read_column_map
from crawlers.importers.columns import FIELDS
from tests.crawlers.importers.conftest import Exports

MAPS = resources.files("crawlers.importers").joinpath("maps")
VENDORS = ("brandwatch", "meltwater", "talkwalker")


def table(rows: list[dict[str, Any]], delimiter: str = ",", before: str = "") -> str:
    file = io.StringIO()
    file.write(before)
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


BRANDWATCH = {
    "Query Id": "2000",
    "Query Name": "city",
    "Date": "2023-01-02 12:00:30.0",
    "Title": "",
    "Snippet": "Нет аптеки…",
    "Url": "http://twitter.com/lada_test_q/statuses/1610000000000000002",
    "Page Type": "x",
    "Language": "ru",
    "Author": "lada_test_q",
    "City": "Moscow",
    "Latitude": "55.7",
    "Longitude": "37.6",
    "Full Name": "Лада Нетакова",
    "Full Text": "Лада Нетакова: нет аптеки,\nрядом с домом",
    "Resource Id": "br-1",
    "Thread Id": "th-1",
    "X Repost of": "",
    "Likes": "3",
    "Comments": "0",
    "Shares": "",
}
MELTWATER = {
    "Date": "02-Jan-2023 12:00PM",
    "Headline": "",
    "URL": "https://twitter.com/parinaq/statuses/1610000000000000002",
    "Opening Text": "داروخانه",
    "Hit Sentence": "داروخانه‌ی شبانه‌روزی نیست",
    "Source": "X",
    "Influencer": "@parinaq",
    "Country": "Iran",
    "City": "Tehran",
    "Language": "Persian",
    "Reach": "10",
    "Likes": "2",
}
TALKWALKER = {
    "url": "http://twitter.com/salma_test_q/status/1",
    "published": "2023-01-02 12:00:30",
    "title": "",
    "content": "لا صيدلية قريبة",
    "content_snippet": "لا صيدلية",
    "lang": "ar",
    "source_type": "SOCIALMEDIA,SOCIALMEDIA_TWITTER",
    "parent_url": "http://twitter.com/x/status/0",
    "extra_author_attributes.id": "tw:6600",
    "extra_author_attributes.name": "سلمى تجربة",
    "extra_author_attributes.short_name": "salma_test_q",
    "extra_source_attributes.world_data.city": "Cairo",
    "article_extended_attributes.num_comments": "1",
}


def test_brandwatch_below_its_preamble(exports: Exports) -> None:
    before = (
        'Report:,Bulk Mentions Download\r\nBrand:,"city, old"\r\nFrom:,Sun Jan 01 2023\r\nTo:,Mon Jan 02 2023\r\n\r\n'
    )
    repost = {**BRANDWATCH, "Resource Id": "br-2", "X Repost of": "http://twitter.com/x/statuses/1"}
    short = {**BRANDWATCH, "Resource Id": "", "Full Text": "", "Page Type": "forum"}
    result = exports(table([BRANDWATCH, repost, short], before=before).encode())
    assert (result.format, result.rows, result.new) == ("brandwatch", 3, 2)
    assert result.dropped == {"repost of another's post": 1}
    post = exports.posts()["br-1"]
    assert post["text"] == "[HANDLE]: нет аптеки,\nрядом с домом"
    assert (post["created_at"], post["declared_lang"]) == ("2023-01-02T12:00:30Z", "ru")
    assert (post["latitude"], post["longitude"]) == (None, None)
    assert post["counts"] == {"likes": 3, "replies": 0}
    assert post["author"] == exports.pseudonym("twitter", "lada_test_q")
    assert post["thread"] == exports.key("twitter", "th-1")
    assert exports.posts()[BRANDWATCH["Url"]]["text"] == "Нет аптеки…"
    assert exports.named("lada_test", "Нетакова", "twitter.com", "br-1") == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_meltwater_with_tabs_and_dates_of_its_own(exports: Exports, encoding: str) -> None:
    plain = {**MELTWATER, "URL": "https://twitter.com/parinaq/2", "Date": "2023-01-02", "Hit Sentence": ""}
    odd = {**MELTWATER, "URL": "https://twitter.com/parinaq/3", "Date": "دوم ژانویه"}
    result = exports(table([MELTWATER, plain, odd], "\t").encode(encoding))
    assert (result.format, result.new, result.altered) == ("meltwater", 3, {"date unreadable": 1})
    posts = exports.posts()
    post = posts[MELTWATER["URL"]]
    assert (post["text"], post["created_at"]) == ("داروخانه‌ی شبانه‌روزی نیست", "2023-01-02T12:00:00Z")
    assert post["author"] == exports.pseudonym("twitter", "@parinaq")
    assert posts["https://twitter.com/parinaq/2"]["text"] == "داروخانه"
    assert posts["https://twitter.com/parinaq/2"]["created_at"] == "2023-01-02T00:00:00Z"
    assert exports.named("parinaq", "twitter.com") == []


def test_talkwalker(exports: Exports) -> None:
    other = {**TALKWALKER, "url": "http://f.example/1", "source_type": "MESSAGEBOARD", "content": ""}
    result = exports(table([TALKWALKER, other], ";").encode())
    assert (result.format, result.new) == ("talkwalker", 2)
    post = exports.posts()[TALKWALKER["url"]]
    assert (post["text"], post["declared_lang"], post["counts"]) == ("لا صيدلية قريبة", "ar", {"replies": 1})
    assert post["author"] == exports.pseudonym("twitter", "tw:6600")
    assert post["parent"] == exports.key("twitter", "http://twitter.com/x/status/0")
    assert exports.posts()["http://f.example/1"]["text"] == "لا صيدلية"
    assert exports.named("salma_test", "سلمى", "tw:6600", "twitter.com") == []


def test_the_city_of_an_author_is_not_taken_for_the_city_of_a_post(exports: Exports) -> None:
    with pytest.raises(InputError, match=r"no column 'city'\. .*--city NAME.* \(the study's cities: Kazan\)"):
        exports(table([BRANDWATCH]).encode(), values={})


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_maps_are_whole_and_can_be_copied(tmp_path: Path, vendor: str) -> None:
    copy = tmp_path / "mine.toml"
    copy.write_text(MAPS.joinpath(f"{vendor}.toml").read_text(encoding="utf-8"), encoding="utf-8")
    column_map = read_column_map(copy)
    assert {"id", "text", "source", "created_at", "author"} <= set(column_map.columns) <= set(FIELDS)
    assert column_map.recognised_by
    assert column_map.columns["city"] == ()


def test_a_copied_map_reads_what_its_owner_changed(exports: Exports, tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    shipped = MAPS.joinpath("brandwatch.toml").read_text(encoding="utf-8")
    copy.write_text(shipped.replace("city = []", 'city = ["City"]'), encoding="utf-8")
    rows = [BRANDWATCH, {**BRANDWATCH, "Resource Id": "br-2", "City": "Казань"}]
    content = table(rows, before="Report:,x\n\n").encode()
    result = exports(content, columns=read_column_map(copy), values={})
    assert (result.format, result.new, result.dropped) == ("plain", 1, {"city not in study": 1})
    assert exports(content, columns=read_column_map(copy), values={}, format_name="brandwatch").format == "brandwatch"
