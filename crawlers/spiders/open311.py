"""Reports to a city's administration: GeoReport v2 and SeeClickFix (docs/sources/open311.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response

from citystudy.targets import Open311Target
from crawlers.answers import GONE_STATUSES, object_of, objects, refuse
from crawlers.dates import as_stored, parse_date
from crawlers.intake import NO_ID
from crawlers.open311_reports import issue_post, refusal_of, report_id, report_post, reports_of
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

FIRST_DAYS = 365  # that a first crawl goes back where the study names no bound
OVERLAP = timedelta(days=7)  # an administration may publish a report days after it came in
SHORTEST_WINDOW = timedelta(hours=1)
ROUND = 50  # servers cap an answer at a round number of rows, and don't say so
PAGE_SIZE = 100

NO_PLACE = "this city has no coordinates"
_NO_JSON = {404, 406, 415}
_CHECK = "check `url` and `jurisdiction` in the study file"


class Open311Spider(TargetSpider[Open311Target]):
    """Reads windows of time, newest first, down to the time of the last visit.

    Mark: `read`, when the last visit began; `format`, what the server speaks. Steps: a window `from` a moment `to`
    another, down to `floor`, whole or `half` of one that was capped; or, of SeeClickFix, a `page` of issues since `after`.
    """

    name = "open311"
    target_type = Open311Target

    def opening(self, visit: Visit[Open311Target]) -> list[Step]:
        """Begin with the newest window or page; raises Parked where there is no place to look around."""
        now = datetime.now(UTC)
        read = parse_date(visit.mark.get("read"))
        bounds = filter(None, [self.study.limits.history_days, self.study.retention.posts_days])
        floor = read - OVERLAP if read else now - timedelta(days=min(bounds, default=FIRST_DAYS))
        if visit.target.api == "seeclickfix":
            if visit.city.latitude is None or visit.city.longitude is None:
                raise Parked(NO_PLACE, f"give `latitude` and `longitude` to the city {visit.city.name}")
            return [{"page": 1, "after": as_stored(floor), "began": as_stored(now)}]
        begin = max(floor, now - timedelta(days=visit.target.window_days))
        step = {"from": as_stored(begin), "to": as_stored(now), "floor": as_stored(floor), "began": as_stored(now)}
        return [{**step, "format": visit.mark.get("format", "json")}]

    def looks(self, visit: Visit[Open311Target]) -> int:
        """Return how many reports are asked for again at once: SeeClickFix shows single issues only."""
        return 1 if visit.target.api == "seeclickfix" else 50

    def request(self, visit: Visit[Open311Target], step: Step) -> scrapy.Request:
        """Ask for a window of reports, a page of issues, or reports again."""
        target = visit.target
        url = target.url.rstrip("/")
        if target.api == "seeclickfix":
            return self.ask(visit, step, f"{url}/api/v2/issues{_of_issues(visit, step)}")
        query = {"jurisdiction_id": target.jurisdiction} if target.jurisdiction else {}
        if AGAIN in step:
            query["service_request_id"] = ",".join(ref for _, ref in step[AGAIN])
        else:
            query |= {"service_code": ",".join(target.services)} if target.services else {}
            query |= {"start_date": step["from"], "end_date": step["to"]}
        form = step.get("format") or visit.mark.get("format", "json")
        return self.ask(visit, step, f"{url}/requests.{form}?{urlencode(query)}")

    def read(self, visit: Visit[Open311Target], step: Step, response: Response) -> Found:
        """Return the reports of an answer and the window or page before it."""
        if visit.target.api == "seeclickfix":
            return self._issues(visit, step, response)
        if response.status in _NO_JSON and step.get("format") == "json" and "half" not in step:
            return Found(next=[{**step, "format": "xml"}])  # some servers speak XML only
        if response.status in {400, 404}:
            raise Parked(f"refused ({refusal_of(response)})", _CHECK)
        refuse(response, "url")
        reports = reports_of(response)
        if AGAIN in step:
            return _looked_again(visit, step, reports)
        found = Found(quiet=bool(visit.mark.get("read")))
        for report in reports:
            number = report_id(report)
            name = _name(visit, number)
            if not number:
                found.dropped[NO_ID] += 1
            elif name not in visit.seen:
                visit.seen.add(name)
                found.posts.append(report_post(report, name))
        found.mark = {"read": step["began"], "format": step["format"]}
        found.next = _windows(step, len(reports), visit.target.window_days)
        return found

    def _issues(self, visit: Visit[Open311Target], step: Step, response: Response) -> Found:
        if AGAIN in step:
            [(native_id, _)] = step[AGAIN]
            if response.status in GONE_STATUSES:
                return Found(gone=[native_id])
            refuse(response, "url")
            post = issue_post(object_of(response), visit.host)
            return Found(posts=[post] if post and post.native_id == native_id else [])
        refuse(response, "url")
        answer = object_of(response)
        if not isinstance(answer.get("issues"), list):
            raise Parked("answered JSON that is no list of issues", "check `url` in the study file")
        found = Found(quiet=bool(visit.mark.get("read")), mark={"read": step["began"]})
        posts = [issue_post(issue, visit.host) for issue in objects(answer["issues"])]
        found.posts = [post for post in posts if post is not None]
        if len(found.posts) < len(posts):
            found.dropped[NO_ID] = len(posts) - len(found.posts)
        fresh = [post.native_id for post in found.posts if post.native_id not in visit.seen]
        visit.seen.update(fresh)
        if fresh and not self.too_old(found.posts):
            found.next = [{**step, "page": step["page"] + 1}]
        return found


def _windows(step: Step, rows: int, days: int) -> list[Step]:
    """Return the windows that follow: both halves of one that looks capped, then the one before it."""
    begin, end = parse_date(step["from"]), parse_date(step["to"])
    floor = parse_date(step["floor"])
    assert begin is not None
    assert end is not None
    assert floor is not None
    following: list[Step] = []
    if rows >= ROUND and rows % 10 == 0 and end - begin > SHORTEST_WINDOW:
        middle = as_stored(begin + (end - begin) / 2)
        following = [{**step, "from": middle, "half": True}, {**step, "to": middle, "half": True}]
    if "half" not in step and begin > floor:
        following.append({**step, "from": as_stored(max(floor, begin - timedelta(days=days))), "to": step["from"]})
    return following


def _of_issues(visit: Visit[Open311Target], step: Step) -> str:
    if AGAIN in step:
        return f"/{step[AGAIN][0][1]}"
    query: dict[str, Any] = {"lat": visit.city.latitude, "lng": visit.city.longitude, "per_page": PAGE_SIZE}
    query |= {"page": step["page"], "after": step["after"], "sort": "created_at", "sort_direction": "DESC"}
    return f"?{urlencode(query)}"


def _name(visit: Visit[Open311Target], number: str) -> str:
    return " ".join(filter(None, [visit.host, visit.target.jurisdiction, "report", number]))


def _looked_again(visit: Visit[Open311Target], step: Step, reports: list[dict[str, Any]]) -> Found:
    """Return what became of reports; a server that shows none of them has not understood what it was asked."""
    asked = {native_id for native_id, _ in step[AGAIN]}
    shown = {name: report for report in reports if (name := _name(visit, report_id(report))) in asked}
    if not shown:
        return Found()
    posts = [report_post(report, name) for name, report in shown.items()]
    return Found(posts=posts, gone=[native_id for native_id, _ in step[AGAIN] if native_id not in shown])
