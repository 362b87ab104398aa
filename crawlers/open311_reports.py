"""Reports to a city's administration, as GeoReport v2 (JSON and XML) and SeeClickFix write them, read into posts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # ships no types
from scrapy.http import Response

from crawlers.answers import json_of, objects, text_of, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import plain
from crawlers.parking import Parked

CHECK = "check `url` and `jurisdiction` in the study file"

_LISTS = ("requests", "service_requests", "request")
_DEEPEST = 4
_NAMES = ("service_request_id", "token")
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding=[\"']([\w.-]+)")
# What XML 1.0 does not allow, as a character or by its number, though reports hold it.
_FORBIDDEN = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[\da-f]));", re.IGNORECASE
)


def reports_of(response: Response) -> list[dict[str, Any]]:
    """Return the reports in an answer, JSON or XML whatever was asked for; raises Parked for anything else."""
    if _is_xml(response):
        root = _root(response)
        reports = _of_root(root)
        code, form = _code_in(root), "XML"
    else:
        told = json_of(response)
        reports = _unwrapped(told)
        code, form = _code_of(told), "JSON"
    if reports is not None and (not reports or any(name in report for report in reports for name in _NAMES)):
        return reports
    if code is not None:
        raise Parked(f"refused (Open311 error {code})", CHECK)
    raise Parked(f"answered {form} that is no list of reports", CHECK)


def _unwrapped(told: object, depth: int = 0) -> list[dict[str, Any]] | None:
    """Return the reports in a JSON document; None where there is no list.

    Besides a bare list there are `{"requests": […]}` and, of FixMyStreet, `{"requests": [{"request": […]}]}`, whose
    older versions have each value in a list of its own.
    """
    if isinstance(told, list) and depth < _DEEPEST:
        found = []
        for entry in objects(told):
            inner = _unwrapped(entry, depth + 1)
            found.extend([_flat(entry)] if inner is None else inner)
        return found
    if isinstance(told, dict):
        for name in _LISTS:
            if isinstance(told.get(name), list | dict):
                return _unwrapped(told[name] if isinstance(told[name], list) else [told[name]], depth + 1)
    return None


def _flat(report: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in report.items()}


def _is_xml(response: Response) -> bool:
    return bool(response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<")


def _root(response: Response) -> Any:
    """Return the root element of an XML answer; nothing outside it is read, no entity is resolved."""
    body, encoding = _sound(response)
    for markup in (body, _FORBIDDEN.sub(b"", body)):
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, encoding=encoding
        )
        try:
            return etree.fromstring(markup, parser)
        except (etree.XMLSyntaxError, ValueError):
            continue
    start = body[:2000].lower()
    seen = "a web page" if b"<html" in start or b"<!doctype html" in start else "XML that broke off"
    raise Parked(f"answered {seen} instead of reports", CHECK)


def _sound(response: Response) -> tuple[bytes, str | None]:
    """Return an XML answer and its charset: UTF-8 wherever it is UTF-8, whatever it declares; else as declared."""
    declared = _DECLARED.match(response.body)
    if declared and declared[1].lower() not in {b"utf-8", b"utf8"}:
        try:
            response.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return response.body, None
    return text_of(response).lstrip().encode(), "utf-8"


def _of_root(root: Any) -> list[dict[str, Any]] | None:
    if etree.QName(root).localname not in {"service_requests", "requests"}:
        return None
    return [
        {etree.QName(field).localname: field.text or "" for field in report if isinstance(field.tag, str)}
        for report in root
        if isinstance(report.tag, str) and etree.QName(report).localname == "request"
    ]


def refusal_of(response: Response) -> str:
    """Return what a server says of a refusal (GeoReport v2, errors): its code, and never its words."""
    try:
        code = _code_in(_root(response)) if _is_xml(response) else _code_of(json.loads(text_of(response)))
    except (Parked, ValueError, RecursionError):
        code = None
    return f"HTTP {response.status}" + (f", Open311 error {code}" if code is not None else "")


def _code_of(told: object) -> int | None:
    errors = objects(told.get("errors")) if isinstance(told, dict) else objects(told)
    return next((code for error in errors if (code := whole(error.get("code"))) is not None), None)


def _code_in(root: Any) -> int | None:
    if etree.QName(root).localname != "errors":
        return None
    return next(
        (code for field in root.iter("{*}code") if (code := whole((field.text or "").strip())) is not None), None
    )


def report_id(report: Mapping[str, Any]) -> str:
    """Return the number that an administration gave a report; '' while it has a token only."""
    number = report.get("service_request_id")
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else words(number).strip()


def report_post(report: Mapping[str, Any], name: str, host: str) -> RawPost:
    """Return a GeoReport as a post: what the person wrote, under the service's name.

    What the administration answers (`status_notes`) and where the person lives are left out. Only FixMyStreet names
    who wrote, if the writer agreed; a name counts within its site.
    """
    written = report.get("requested_datetime")
    created_at = parse_date(written)
    person = plain(words(report.get("requestor_name"))).strip()
    return RawPost(
        native_id=name,
        ref=report_id(report),
        title=plain(words(report.get("service_name"))),
        text=plain(words(report.get("description"))),
        author=f"{host} {person}" if person else None,
        author_names=(person,) if person else (),
        created_at=created_at,
        counts=_counts(report),
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
    person, name = whole(reporter.get("id")), words(reporter.get("name"))  # the number of nobody is 0
    return RawPost(
        native_id=f"{host} issue {number}",
        ref=str(number),
        title=plain(words(issue.get("summary"))),
        text=plain(words(issue.get("description"))),
        author=f"{host} user {person}" if person else None,
        author_names=(name,) if name else (),
        created_at=created_at,
        counts=_counts(issue),
        latitude=_degree(issue.get("lat")),
        longitude=_degree(issue.get("lng")),
        basis="coordinates",
        flaws=(DATE_UNREADABLE,) if written and created_at is None else (),
    )


def _counts(told: Mapping[str, Any]) -> dict[str, int] | None:
    replies = whole(told.get("comment_count"))
    return None if replies is None else {"replies": replies}


def _degree(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
