from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import Response

from crawlers.around import NO_PLACE
from crawlers.crawl import crawl
from crawlers.dates import as_stored
from crawlers.open311_reports import issue_post, report_id, report_post, reports_of
from crawlers.open311_windows import apart, fingerprint, following
from crawlers.parking import Parked
from crawlers.spiders.open311 import _looked_again
from crawlers.visits import Found

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
XML = "<requests><request><service_request_id>1</service_request_id><description>{}</description></request></requests>"


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
    post = report_post(reports[0], "x", "host")
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
    post = report_post(report, "host report 7", "host")
    assert (post.title, post.text) == ("Освещение", "Третью неделю темно у школы")
    assert post.created_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert (post.latitude, post.longitude, post.author, post.counts) == (55.79, None, None, None)
    assert "mail" not in post.text + post.title


@pytest.mark.parametrize(
    "body",
    [
        '[{"service_request_id": "1"}]',
        '[{"request": {"service_request_id": 1}}]',
        '{"requests": [{"request": [{"service_request_id": 1, "agency_responsible": {"recipient": ["a"]}}]}]}',
        '{"requests": [{"request": [{"service_request_id": ["1"], "description": ["яма"]}]}]}',
        '{"service_requests": {"request": [{"service_request_id": "1"}]}}',
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
        ('[{"service_code": "001", "service_name": "Дороги", "description": "все"}]', "no list of reports"),
        ('[{"code": 400, "description": "jurisdiction_id was not provided"}]', "refused .Open311 error 400."),
        ('{"errors": [{"code": "404", "description": "no such service"}]}', "refused .Open311 error 404."),
        ("<errors><error><code>403</code><description>no key</description></error></errors>", "Open311 error 403"),
        ('{"requests": [' * 400 + "]}" * 400, "no list of reports"),
        ("", "nothing instead of JSON"),
        (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XML.format("&x;"),
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


WORDS = "چراغ کوچه خراب است / الإنارة معطلة / Темно у школы"
MANY = WORDS * 4


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (('<?xml version="1.0" encoding="ISO-8859-1"?>' + XML.format(WORDS)).encode(), WORDS),
        (('\ufeff<?xml version="1.0" encoding="utf-8"?>' + XML.format(WORDS)).encode(), WORDS),
        (('<?xml version="1.0" encoding="windows-1251"?>' + XML.format("Темно")).encode("cp1251"), "Темно"),
        (('<?xml version="1.0" encoding="windows-1256"?>' + XML.format("معطلة")).encode("cp1256"), "معطلة"),
        (XML.format("яма&#11; у\x0b дома&#10;7").encode(), "яма у дома\n7"),
        (XML.format(MANY + "яма").encode().replace("яма<".encode(), "ям".encode() + b"\xd0<"), MANY + "ям\ufffd"),
    ],
)
def test_xml_is_read_in_the_charset_it_is_in(body: bytes, text: str) -> None:
    assert [report["description"] for report in reports_of(answer(body))] == [text]


def test_xml_full_of_bytes_of_an_undeclared_charset_is_not_stored_as_rubbish() -> None:
    with pytest.raises(Parked, match="not UTF-8"):
        reports_of(answer(XML.format("Темно у школы").encode("cp1251")))


def test_a_name_that_fixmystreet_states_is_the_author_within_its_site() -> None:
    report = {"service_request_id": 5, "description": "Мусор: пишет Зульфия Н.", "requestor_name": "Зульфия Н."}
    post = report_post({**report, "comment_count": 2}, "host report 5", "host")
    assert (post.author, post.author_names, post.counts) == ("host Зульфия Н.", ("Зульфия Н.",), {"replies": 2})


def test_an_issue_of_seeclickfix_is_read_and_nobody_is_no_author() -> None:
    issue = {"id": 4822, "summary": "Lights", "description": "Dark again", "lat": 41.3, "lng": -72.9}
    issue |= {"created_at": "2026-02-10T08:22:33-05:00", "reporter": {"id": 0, "name": "An anonymous user"}}
    post = issue_post(issue, "scf.example")
    assert post is not None
    assert (post.native_id, post.ref, post.title, post.text) == (
        "scf.example issue 4822",
        "4822",
        "Lights",
        "Dark again",
    )
    assert (post.author, post.basis, post.counts) == (None, "coordinates", None)
    assert post.created_at == datetime(2026, 2, 10, 13, 22, 33, tzinfo=UTC)


NOW = datetime(2026, 11, 1, tzinfo=UTC)
FLOOR = NOW - timedelta(days=60)


def walk(answered: Callable[[dict[str, Any]], list[dict[str, Any]]], most: int = 5_000) -> tuple[set[int], int]:
    """Return the numbers of all reports that a server answers on the way down to FLOOR, and how often it is asked."""
    began, floor = as_stored(NOW), as_stored(FLOOR)
    todo: list[dict[str, Any]] = [
        {"from": as_stored(NOW - timedelta(days=30)), "to": began, "floor": floor, "began": began}
    ]
    seen: set[int] = set()
    known: dict[str, tuple[str, str]] = {}
    asked = 0
    while todo:
        step, asked = todo.pop(), asked + 1
        assert asked <= most, "the windows don't end"
        reports = answered(step)
        numbers = {report["service_request_id"] for report in reports}
        mark = fingerprint([str(number) for number in numbers])
        repeated = mark in known and apart(step, known[mark])
        if mark:
            known[mark] = (step["from"], step["to"])
        todo.extend(reversed(following(step, reports, 30, fresh=bool(numbers - seen), repeated=repeated)))
        seen |= numbers
    return seen, asked


def reports_at(minutes: Iterable[int]) -> list[dict[str, Any]]:
    """Return reports, newest first, so many minutes before NOW."""
    return [
        {"service_request_id": number, "requested_datetime": as_stored(NOW - timedelta(minutes=minute))}
        for number, minute in enumerate(sorted(minutes))
    ]


def server(reports: list[dict[str, Any]], cap: int, *, newest_first: bool = True) -> Any:
    def answered(step: dict[str, Any]) -> list[dict[str, Any]]:
        shown = [r for r in reports if step["from"] <= r["requested_datetime"] <= step["to"]]
        page = step.get("page", 1)
        return (shown if newest_first else shown[::-1])[(page - 1) * cap : page * cap]

    return answered


@given(
    st.lists(st.integers(0, 60 * 24 * 60), max_size=400) | st.lists(st.integers(0, 600), min_size=100, max_size=400),
    st.sampled_from([10, 20, 50, 100, 1000]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_report_is_lost_to_a_cap(minutes: list[int], cap: int, newest_first: bool) -> None:
    reports = reports_at(minutes)
    assert walk(server(reports, cap, newest_first=newest_first))[0] == set(range(len(reports)))


def test_a_cap_that_is_no_round_number_is_known_by_the_next_window_that_has_it_too() -> None:
    reports = reports_at(range(0, 60 * 24 * 60, 100))
    assert walk(server(reports, 173))[0] == set(range(len(reports)))


def test_reports_that_all_bear_midnight_are_read_page_by_page() -> None:
    reports = reports_at(day * 24 * 60 for day in range(1, 59) for _ in range(35))
    seen, asked = walk(server(reports, 20))
    assert seen == set(range(len(reports)))
    assert asked < 600


@pytest.mark.parametrize("pages", [True, False])
@pytest.mark.parametrize(("gap", "most"), [(7, 60), (900, 60), (6_000, 2)])
def test_a_server_that_takes_no_notice_of_dates_is_not_asked_without_end(gap: int, most: int, pages: bool) -> None:
    reports = reports_at(range(0, gap * 500, gap))

    def answered(step: dict[str, Any]) -> list[dict[str, Any]]:
        page = step.get("page", 1) if pages else 1
        return reports[(page - 1) * 50 : page * 50]

    seen, asked = walk(answered)
    assert asked <= most
    wanted = {n for n, report in enumerate(reports) if report["requested_datetime"] >= as_stored(FLOOR)}
    assert seen >= (wanted if pages else set(range(50)))


def looked(mark: dict[str, Any], asked: int, response: Response) -> Found:
    visit: Any = SimpleNamespace(host="h", target=SimpleNamespace(jurisdiction=None), mark=mark)
    return _looked_again(visit, {"again": [[f"h report {n}", str(n)] for n in range(asked)]}, response)


def showing(*numbers: int, status: int = 200) -> Response:
    told = [{"service_request_id": number, "description": "яма"} for number in numbers]
    return Response("http://127.0.0.1/requests.json", status=status, body=json.dumps(told).encode())


def test_what_a_cap_cuts_off_from_a_second_look_is_asked_for_alone_and_not_taken_for_gone() -> None:
    found = looked({}, 26, showing(*range(20)))
    assert (len(found.posts), found.gone, found.mark) == (20, [], {"shows": True})
    assert found.next == [{"again": [[f"h report {n}", str(n)]]} for n in range(20, 26)]


@pytest.mark.parametrize(
    ("mark", "response", "gone"),
    [
        ({"shows": True}, showing(), ["h report 0"]),
        ({"shows": True}, showing(status=404), ["h report 0"]),
        ({}, showing(), []),  # a server that has never shown a report by its number
        ({"shows": True}, showing(0), []),
        ({"shows": True}, showing(7, 8, 9), []),
    ],
)
def test_only_a_server_that_knows_numbers_tells_what_is_gone(
    mark: dict[str, Any], response: Response, gone: list[str]
) -> None:
    assert looked(mark, 1, response).gone == gone


def test_servers_that_know_no_list_of_numbers_or_none_at_all_are_asked_as_they_can() -> None:
    found = looked({}, 3, showing(status=500))
    assert (len(found.next), found.gone, found.mark) == (3, [], {"looks": 1})
    found = looked({}, 3, showing(0, 50, 51))
    assert (len(found.posts), found.next, found.gone, found.mark) == (1, [], [], {"looks": 0})


@given(st.binary(max_size=300) | st.text(alphabet='<>requestservice_/"{}[]:, ', max_size=200).map(str.encode))
def test_no_answer_is_too_odd_to_be_read(body: bytes) -> None:
    try:
        for report in reports_of(answer(body)):
            report_post(report, report_id(report) or "x", "h")
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


def test_seeclickfix_needs_a_place_and_must_keep_to_it(new_site: Any, folder: Any) -> None:
    site = new_site()
    issue = {"id": 1, "summary": "Pothole", "description": "Far away", "lat": 41.3, "lng": -72.9}
    site.answers["/api/v2/issues"] = site.Reply(json.dumps({"issues": [issue]}))
    target = f'source = "open311"\napi = "seeclickfix"\nurl = "{site.url}"'
    city = '[[cities]]\nname = "Izhevsk"\ncountry = "RU"\nlanguages = ["ru"]\nlatitude = 56.85\nlongitude = 53.2\n'
    results = crawl(folder.write(target, cities=f"{city}[[cities.targets]]\n{target}"))
    assert [result.parked for result in results] == [NO_PLACE, "the server showed issues of other places"]
    assert folder.posts() == []
    [asked] = [asked for asked in site.asked if asked.path != "/robots.txt"]
    assert set(asked.query["status"].split(",")) == {"open", "acknowledged", "closed", "archived"}
    assert float(asked.query["min_lat"]) < 56.85 < float(asked.query["max_lat"])
    assert float(asked.query["min_lng"]) < 53.2 < float(asked.query["max_lng"])
