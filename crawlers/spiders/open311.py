"""Reports to a city's administration: GeoReport v2 and SeeClickFix (docs/sources/open311.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.config import City
from citystudy.targets import Open311Target
from crawlers.answers import GONE_STATUSES, object_of, objects, refuse, whole
from crawlers.around import box_around, centre_of
from crawlers.dates import as_stored, parse_date
from crawlers.intake import NO_ID
from crawlers.items import RawPost
from crawlers.open311_reports import CHECK, issue_post, refusal_of, report_id, report_post, reports_of
from crawlers.open311_windows import apart, fingerprint, following
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

FIRST_DAYS = 365  # that a first crawl goes back where the study names no bound
OVERLAP = timedelta(days=7)  # an administration may publish a report days after it came in
LOOK_BATCH = 50
PAGE_SIZE = 100
RADIUS_KM = 10.0
STATUSES = "open,acknowledged,closed,archived"  # unless asked, SeeClickFix leaves out what was closed a week ago

ELSEWHERE = "outside the city's box"
_NO_JSON = {404, 406, 415}
_NOT_SEVERAL = {400, 404, 414, 422, 500}  # how servers answer that can be asked for one report at a time only


class Open311Spider(TargetSpider[Open311Target]):
    """Reads windows of time, newest first, down to the time of the last visit.

    Mark: `read`, when the last visit began; `format`, what the server speaks; `looks`, how many reports it can be asked
    for by number at once, if not as many as we like; `shows`, whether it has ever shown a report asked for by number.
    Steps: a window of time (crawlers.open311_windows), or, of SeeClickFix, a `page` of issues since `after`.
    """

    name = "open311"
    target_type = Open311Target

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers: dict[tuple[str, str], tuple[str, str]] = {}

    def opening(self, visit: Visit[Open311Target]) -> list[Step]:
        """Begin with the newest window or page; raises Parked where there is no place to look around."""
        now = datetime.now(UTC)
        read = parse_date(visit.mark.get("read"))
        floor = read - OVERLAP if read else self.since() or now - timedelta(days=FIRST_DAYS)
        if visit.target.api == "seeclickfix":
            box_of(visit.city)
            return [{"page": 1, "after": as_stored(floor), "began": as_stored(now)}]
        begin = max(floor, now - timedelta(days=visit.target.window_days))
        step = {"from": as_stored(begin), "to": as_stored(now), "floor": as_stored(floor), "began": as_stored(now)}
        return [{**step, "format": visit.mark.get("format", "json")}]

    def looks(self, visit: Visit[Open311Target]) -> int:
        """Return how many reports are asked for again at once: SeeClickFix shows single issues only."""
        return 1 if visit.target.api == "seeclickfix" else int(visit.mark.get("looks", LOOK_BATCH))

    def request(self, visit: Visit[Open311Target], step: Step) -> scrapy.Request:
        """Ask for a window of reports, a page of issues, or reports again."""
        target = visit.target
        url = target.url.rstrip("/")
        if target.api == "seeclickfix":
            return self.ask(visit, step, f"{url}/api/v2/issues{_of_issues(visit, step)}")
        query: dict[str, Any] = {"jurisdiction_id": target.jurisdiction} if target.jurisdiction else {}
        if AGAIN in step:
            query["service_request_id"] = ",".join(ref for _, ref in step[AGAIN])
        else:
            query |= {"service_code": ",".join(target.services)} if target.services else {}
            query |= {"start_date": step["from"], "end_date": step["to"]}
            query |= {"page": step["page"]} if "page" in step else {}
        form = step.get("format") or visit.mark.get("format", "json")
        return self.ask(visit, step, f"{url}/requests.{form}?{urlencode(query)}")

    def read(self, visit: Visit[Open311Target], step: Step, response: Response) -> Found:
        """Return the reports of an answer and the window or page before it."""
        if visit.target.api == "seeclickfix":
            return self._issue(step, response, visit.host) if AGAIN in step else self._issues(visit, step, response)
        if AGAIN in step:
            return _looked_again(visit, step, response)
        if response.status in _NO_JSON and step["format"] == "json" and not {"half", "page"} & step.keys():
            return Found(next=[{**step, "format": "xml"}])  # some servers speak XML only
        reports = _reports(response)
        found = Found(quiet=bool(visit.mark.get("read")), mark={"read": step["began"], "format": step["format"]})
        for report in reports:
            number = report_id(report)
            name = _name(visit, number)
            if not number:
                found.dropped[NO_ID] += 1
            elif name not in visit.seen:
                visit.seen.add(name)
                found.posts.append(report_post(report, name, visit.host))
        repeated = self._repeated(visit, step, [report_id(report) for report in reports])
        days = visit.target.window_days
        found.next = following(step, reports, days, fresh=bool(found.posts), repeated=repeated)
        return found

    def _repeated(self, visit: Visit[Open311Target], step: Step, names: list[str]) -> bool:
        """Tell whether another window had the very same answer: then the server takes no notice of dates."""
        mark = fingerprint(names)
        if mark is None:
            return False
        before = self._answers.get((visit.place.target, mark))
        self._answers[visit.place.target, mark] = (step["from"], step["to"])
        return before is not None and apart(step, before)

    def _issues(self, visit: Visit[Open311Target], step: Step, response: Response) -> Found:
        refuse(response, "url")
        answer = object_of(response)
        if not isinstance(answer.get("issues"), list):
            raise Parked("answered JSON that is no list of issues", "check `url` in the study file")
        found = Found(quiet=bool(visit.mark.get("read")), mark={"read": step["began"]})
        issues = [issue_post(issue, visit.host) for issue in objects(answer["issues"])]
        posts = [post for post in issues if post is not None]
        found.posts = [post for post in posts if _is_around(post, visit.city)]
        if posts and not found.posts:
            raise Parked("the server showed issues of other places", "check the city's `latitude` and `longitude`")
        found.dropped.update({NO_ID: len(issues) - len(posts), ELSEWHERE: len(posts) - len(found.posts)})
        found.dropped = +found.dropped
        fresh = [post.native_id for post in found.posts if post.native_id not in visit.seen]
        visit.seen.update(fresh)
        page = _next_page(answer, step["page"])
        if page is not None and fresh and not self.too_old(found.posts):
            found.next = [{**step, "page": page}]
        return found

    def _issue(self, step: Step, response: Response, host: str) -> Found:
        [(native_id, _)] = step[AGAIN]
        if response.status in GONE_STATUSES:
            return Found(gone=[native_id])
        refuse(response, "url")
        post = issue_post(object_of(response), host)
        return Found(posts=[post] if post and post.native_id == native_id else [])


def box_of(city: City) -> tuple[float, float, float, float]:
    """Return west, south, east and north of the city's box in degrees; raises Parked for a city without coordinates."""
    return box_around(*centre_of(city), RADIUS_KM)


def _is_around(post: RawPost, city: City) -> bool:
    """Tell whether a post is within the city's box, for all that it says of its place."""
    west, south, east, north = box_of(city)
    if post.latitude is None or post.longitude is None:
        return True
    return south <= post.latitude <= north and west <= post.longitude <= east


def _of_issues(visit: Visit[Open311Target], step: Step) -> str:
    if AGAIN in step:
        return f"/{step[AGAIN][0][1]}"
    # A point alone bounds nothing: SeeClickFix then shows the issues of all places.
    names = ("min_lng", "min_lat", "max_lng", "max_lat")
    query: dict[str, Any] = {name: f"{degree:.6f}" for name, degree in zip(names, box_of(visit.city), strict=True)}
    query |= {"status": STATUSES, "after": step["after"], "sort": "created_at", "sort_direction": "DESC"}
    return f"?{urlencode(query | {'per_page': PAGE_SIZE, 'page': step['page']})}"


def _next_page(answer: dict[str, Any], page: int) -> int | None:
    """Return the page that SeeClickFix says is next, the one after `page` where it does not say; None after the last."""
    told = answer.get("metadata")
    pagination = told.get("pagination") if isinstance(told, dict) else None
    if not isinstance(pagination, dict) or "next_page" not in pagination:
        return page + 1
    return whole(pagination["next_page"])


def _name(visit: Visit[Open311Target], number: str) -> str:
    return " ".join(filter(None, [visit.host, visit.target.jurisdiction, "report", number]))


def _reports(response: Response) -> list[dict[str, Any]]:
    if response.status in {400, 404}:
        raise Parked(f"refused ({refusal_of(response)})", CHECK)
    refuse(response, "url")
    return reports_of(response)


def _looked_again(visit: Visit[Open311Target], step: Step, response: Response) -> Found:
    """Return what became of reports.

    A report is gone when it is not shown though it was asked for alone (a cap may have cut it off from a longer
    answer), by a server that has shown others so before (one that knows no numbers must not empty the database).
    """
    pairs = step[AGAIN]
    alone = len(pairs) == 1
    if not alone and response.status in _NOT_SEVERAL:
        return Found(next=[{AGAIN: [pair]} for pair in pairs], mark={"looks": 1})
    told = [] if alone and response.status in GONE_STATUSES else _reports(response)
    named = {_name(visit, report_id(report)): report for report in told}
    asked = {native_id for native_id, _ in pairs}
    shown = {name: report for name, report in named.items() if name in asked}
    found = Found(posts=[report_post(report, name, visit.host) for name, report in shown.items()])
    if len(shown) < len(named):
        found.mark = {"looks": 0}  # it shows what was not asked for: it takes no notice of numbers
        return found
    found.mark = {"shows": True} if shown else {}
    missing = [pair for pair in pairs if pair[0] not in shown]
    if not alone:
        found.next = [{AGAIN: [pair]} for pair in missing]
    elif visit.mark.get("shows"):
        found.gone = [native_id for native_id, _ in missing]
    return found
