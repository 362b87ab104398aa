from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Response

from crawlers.crawl import crawl
from crawlers.open311_reports import issue_post, report_id, report_post, reports_of
from crawlers.parking import Parked

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def answer(body: bytes | str) -> Response:
    return Response("http://127.0.0.1/requests.json", body=body.encode() if isinstance(body, str) else body)


def recorded(name: str) -> Response:
    path = SHARED / "data/api-samples/open311" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    return answer(path.read_bytes())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "numbers", "title"),
    [
        ("service_requests.json", ["14-01100669", "14-01100627"], "Alley Light Out"),
        ("requests_many.xml", ["101005420892", "101005420894"], "Road - Pot hole"),
    ],
)
def test_recorded_reports_are_read(name: str, numbers: list[str], title: str) -> None:
    reports = reports_of(recorded(name))
    assert [report_id(report) for report in reports][:2] == numbers
    post = report_post(reports[0], "x")
    assert post.title == title
    assert post.created_at is not None
    assert post.latitude is not None
    assert post.author is None


@pytest.mark.shared
def test_a_recorded_list_of_services_is_no_list_of_reports() -> None:
    with pytest.raises(Parked, match="no list of reports"):
        reports_of(recorded("services_giessen.xml"))


def test_the_citizens_words_are_read_and_not_the_administrations() -> None:
    report = {
        "service_request_id": 7,
        "service_name": "Освещение",
        "description": "Третью неделю <b>темно</b> у школы",
        "status_notes": "Передано подрядчику",
        "requested_datetime": "2026-03-01T10:00:00+03:00",
        "account_id": "83",
        "email": "zulfiya@mail.example",
        "address": "ул. Пушкина, 7",
        "lat": "55.79",
        "long": "",
    }
    post = report_post(report, "host report 7")
    assert (post.title, post.text) == ("Освещение", "Третью неделю темно у школы")
    assert post.created_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert (post.latitude, post.longitude, post.author, post.counts) == (55.79, None, None, None)
    assert "mail" not in post.text + post.title


@pytest.mark.parametrize(
    "body",
    [
        '[{"service_request_id": "1"}]',
        '{"requests": [{"service_request_id": "1"}]}',
        '\ufeff{"service_requests": [{"service_request_id": "1"}]}',
        "<service_requests><request><service_request_id>1</service_request_id></request></service_requests>",
        '<requests xmlns="urn:x"><request><service_request_id>1</service_request_id></request></requests>',
        '\ufeff<?xml version="1.0"?><requests><!-- x --><request><service_request_id>1</service_request_id></request></requests>',
    ],
)
def test_reports_come_in_several_wrappings(body: str) -> None:
    assert [report_id(report) for report in reports_of(answer(body))] == ["1"]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("<html><body>Wartung</body></html>", "a list of reports|no list of reports|a web page"),
        ("<requests><request>", "XML that broke off"),
        ('{"error": 1}', "no list of reports"),
        ("", "nothing instead of JSON"),
        (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><requests><request><a>&x;</a></request></requests>',
            None,
        ),
    ],
)
def test_what_is_no_list_of_reports_is_told_and_no_file_is_read(body: str, seen: str | None) -> None:
    if seen is None:
        assert "root:" not in json.dumps(reports_of(answer(body)))
    else:
        with pytest.raises(Parked, match=seen):
            reports_of(answer(body))


@given(st.binary(max_size=300) | st.text(alphabet='<>requestservice_/"{}[]:, ', max_size=200).map(str.encode))
def test_no_answer_is_too_odd_to_be_read(body: bytes) -> None:
    try:
        for report in reports_of(answer(body)):
            report_post(report, report_id(report) or "x")
            issue_post(report, "h")
    except Parked:
        pass


def test_a_capped_window_is_halved_until_nothing_is_lost(site: Any, folder: Any) -> None:
    start = datetime.now(UTC) - timedelta(days=20)
    reports = [
        {
            "service_request_id": n,
            "description": f"Яма {n}",
            "requested_datetime": (start + timedelta(hours=2 * n)).isoformat(),
        }
        for n in range(173)
    ]

    def search(asked: Any) -> Any:
        begin, end = (datetime.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
        assert end - begin <= timedelta(days=90), "GeoReport v2 allows no longer span"
        shown = [r for r in reports if begin <= datetime.fromisoformat(str(r["requested_datetime"])) <= end]
        return site.Reply(json.dumps(shown[-50:]))  # the server's cap, of which it says nothing

    site.answers["/requests.json"] = search
    study = folder.write(f'source = "open311"\nurl = "{site.url}"', limits="history_days = 60")
    [result] = crawl(study)
    assert (result.new, result.parked) == (173, None)
    assert len(folder.posts()) == 173
    before = len(site.asked)
    [again] = crawl(study)
    assert (again.new, again.parked, again.alerts) == (0, None, ())
    assert len(site.asked) - before <= 9, "only the last week is read again"


def test_a_refusal_is_told_by_its_code(site: Any, folder: Any) -> None:
    site.answers["/requests.json"] = site.Reply(
        '[{"code": 400, "description": "jurisdiction_id was not provided"}]', status=400
    )
    [result] = crawl(folder.write(f'source = "open311"\nurl = "{site.url}"'))
    assert result.parked == "refused (HTTP 400, Open311 error 400)"
