"""Reports to a city's administration, as GeoReport v2 (JSON and XML) and SeeClickFix write them, read into posts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # ships no types
from scrapy.http import Response

from crawlers.answers import TRY_LATER, json_of, objects, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import plain
from crawlers.parking import Parked

_LISTS = ("requests", "service_requests", "request")


def reports_of(response: Response) -> list[dict[str, Any]]:
    """Return the reports in an answer, JSON or XML whatever was asked for; raises Parked for anything else."""
    if response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _from_xml(response.body)
    told = json_of(response)
    if isinstance(told, dict):
        told = next((told[name] for name in _LISTS if isinstance(told.get(name), list)), told)
    if not isinstance(told, list):
        raise Parked("answered JSON that is no list of reports", TRY_LATER)
    return objects(told)


def _from_xml(body: bytes) -> list[dict[str, Any]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        start = body[:2000].lower()
        seen = "a web page" if b"<html" in start or b"<!doctype html" in start else "XML that broke off"
        raise Parked(f"answered {seen} instead of reports", TRY_LATER) from None
    if etree.QName(root).localname not in {"service_requests", "requests"}:
        raise Parked("answered XML that is no list of reports", TRY_LATER)
    return [
        {etree.QName(field).localname: field.text or "" for field in report if isinstance(field.tag, str)}
        for report in root
        if isinstance(report.tag, str) and etree.QName(report).localname == "request"
    ]


def report_id(report: Mapping[str, Any]) -> str:
    """Return the number that an administration gave a report; '' while it has a token only."""
    number = report.get("service_request_id")
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else words(number).strip()


def report_post(report: Mapping[str, Any], name: str) -> RawPost:
    """Return a GeoReport as a post: what the person wrote, under the service's name.

    What the administration answers (`status_notes`) and where the person lives are left out.
    """
    written = report.get("requested_datetime")
    created_at = parse_date(written)
    return RawPost(
        native_id=name,
        ref=report_id(report),
        title=plain(words(report.get("service_name"))),
        text=plain(words(report.get("description"))),
        created_at=created_at,
        latitude=_degree(report.get("lat")),
        longitude=_degree(report.get("long")),
        flaws=(DATE_UNREADABLE,) if written and created_at is None else (),
    )


def issue_post(issue: Mapping[str, Any], host: str) -> RawPost | None:
    """Return an issue of SeeClickFix as a post; None for what is none."""
    number = whole(issue.get("id"))
    if number is None:
        return None
    written = issue.get("created_at")
    created_at = parse_date(written)
    told = issue.get("reporter")
    reporter = told if isinstance(told, dict) else {}
    person, name = whole(reporter.get("id")), words(reporter.get("name"))
    return RawPost(
        native_id=f"{host} issue {number}",
        ref=str(number),
        title=plain(words(issue.get("summary"))),
        text=plain(words(issue.get("description"))),
        author=f"{host} user {person}" if person else None,
        author_names=(name,) if name else (),
        created_at=created_at,
        latitude=_degree(issue.get("lat")),
        longitude=_degree(issue.get("lng")),
        basis="coordinates",
        flaws=(DATE_UNREADABLE,) if written and created_at is None else (),
    )


def refusal_of(response: Response) -> str:
    """Return what a server says of a refusal (GeoReport v2, errors): its code, and never its words."""
    try:
        told = json.loads(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return f"HTTP {response.status}"
    codes = [str(code) for error in objects(told) if (code := whole(error.get("code")))]
    return f"HTTP {response.status}" + (f", Open311 error {codes[0]}" if codes else "")


def _degree(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
