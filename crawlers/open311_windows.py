"""The windows of time in which reports are asked for: which answers were capped, and what is asked next.

GeoReport v2 lets a server cap its answers, and has no word for it. Each function takes the step of a window: `from` a
moment `to` another, down to `floor`, in a visit that `began`. A `half` is a part of a capped window, a `page` one of the
further pages of it; `rows` is how many rows the window above or around it had, `upper` where the one above ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from crawlers.dates import as_stored, parse_date
from crawlers.visits import Step

SHORTEST = timedelta(minutes=1)
SLACK = timedelta(days=1)  # more than a time of day read in another zone
FEWEST = 10  # rows of which it is worth asking whether they are all
ROUND = 10  # a cap is mostly a round number

Dates = Sequence[datetime]


def following(
    step: Step, reports: Sequence[Mapping[str, Any]], days: int, *, fresh: bool, repeated: bool
) -> list[Step]:
    """Return the steps that a window's answer opens, in order: its halves if it was capped, and the window before it.

    `fresh` tells whether the answer held anything that this visit had not seen, `repeated` whether another window had
    the very same answer. A server that takes no notice of dates is read page by page.
    """
    begin, end, floor = (_moment(step[name]) for name in ("from", "to", "floor"))
    dates = [_dates(report) for report in reports]
    first = step["to"] == step["began"] and "half" not in step
    if "page" in step or (first and _elsewhere(dates, begin, end)):
        older = all(moments and max(moments) < floor for moments in dates)
        return [{**step, "page": step.get("page", 1) + 1}] if fresh and not older else []
    steps = [] if repeated else _rest(step, dates)
    if "half" not in step and begin > floor:
        before = as_stored(max(floor, begin - timedelta(days=days)))
        steps.append({**step, "from": before, "to": step["from"], "rows": len(reports), "upper": step["to"]})
    return steps


def fingerprint(names: Sequence[str]) -> str | None:
    """Return what tells whether two answers are the same; None for one with so few rows that this says nothing."""
    return sha256("\n".join(sorted(names)).encode()).hexdigest() if len(names) >= FEWEST else None


def apart(step: Step, other: tuple[str, str]) -> bool:
    """Tell whether a step's window and another, `(from, to)`, share no more than a bound."""
    return bool(step["from"] >= other[1] or step["to"] <= other[0])


def _rest(step: Step, dates: Sequence[Dates]) -> list[Step]:
    """Return the steps that bring what a capped answer left out; none where it looks whole."""
    rows = len(dates)
    as_before = rows == step.get("rows")
    if rows < FEWEST or (rows % ROUND and not as_before):
        return []
    begin, end = _moment(step["from"]), _moment(step["to"])
    moments = {told[0] if told else None for told in dates}
    if end - begin <= SHORTEST or (len(moments) == 1 and None not in moments):
        return [{**step, "half": True, "page": 2}]
    steps = _halves(step, step["from"], step["to"], rows)
    if rows % ROUND and "upper" in step:  # only this window shows that the one above was capped too
        return [*_halves(step, step["to"], step["upper"], rows), *steps]
    return steps


def _halves(step: Step, begin: str, end: str, rows: int) -> list[Step]:
    middle = as_stored(_moment(begin) + (_moment(end) - _moment(begin)) / 2)
    part = {name: value for name, value in step.items() if name != "upper"} | {"half": True, "rows": rows}
    return [{**part, "from": middle, "to": end}, {**part, "from": begin, "to": middle}]


def _elsewhere(dates: Sequence[Dates], begin: datetime, end: datetime) -> bool:
    """Tell whether most reports are of another time than was asked for, by their first and by their last date."""
    dated = [moments for moments in dates if moments]
    outside = sum(not any(begin - SLACK <= moment <= end + SLACK for moment in moments) for moments in dated)
    return outside * 2 > len(dated)


def _dates(report: Mapping[str, Any]) -> Dates:
    told = (parse_date(report.get(name)) for name in ("requested_datetime", "updated_datetime"))
    return [moment for moment in told if moment is not None]


def _moment(written: str) -> datetime:
    moment = parse_date(written)
    assert moment is not None
    return moment
