"""Gathering what is new in all of a study's targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from citystudy.config import Study, read_study
from crawlers.child import lines_of_child, log_path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the crawl is with one target; `ends` is None while it goes on."""

    target: str
    city: str
    pages: int
    new: int
    edited: int
    unchanged: int
    deleted: int
    dropped: int
    ends: str | None


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What a crawl of one target came to.

    `outcome` says how it ended, `parked` why it was set aside (or None), `alerts` in what it is not as it was.
    """

    target: str
    city: str
    source: str
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    deleted: int = 0
    pages: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    outcome: str = "not reached"
    parked: str | None = None
    alerts: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the target was read and is as it was."""
        return self.parked is None and not self.alerts


def crawl(study_path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> list[TargetResult]:
    """Crawl every target of a study that is on the network; return one result a target, in the study's order.

    Runs in a child process. A target that can't be read is parked with its reason and the others go on. Raises
    CityStudyError when the crawl as a whole can't start or go on; on KeyboardInterrupt the child is stopped first.
    """
    study = read_study(study_path)
    results = {result.target: result for result in _nothing_yet(study)}
    if not results:
        return []
    with closing(lines_of_child(study_path, log_path(study))) as lines:
        for told in lines:
            if "alert" in told:
                before = results[told["target"]]
                results[told["target"]] = replace(before, alerts=(*before.alerts, told["alert"]))
                continue
            results[told["target"]] = _result(told, results[told["target"]].source)
            if on_progress is not None:
                on_progress(_progress(told))
    return list(results.values())


def _nothing_yet(study: Study) -> list[TargetResult]:
    return [
        TargetResult(target=city.target_id(target), city=city.id, source=target.post_source)
        for city, target in study.targets()
        if target.on_network
    ]


def _result(told: dict[str, Any], source: str) -> TargetResult:
    return TargetResult(
        target=told["target"],
        city=told["city"],
        source=source,
        new=told["new"],
        edited=told["edited"],
        unchanged=told["unchanged"],
        deleted=told["deleted"],
        pages=told["pages"],
        dropped=Counter(told["dropped"]),
        altered=Counter(told["altered"]),
        outcome=told["ends"] or "going on",
        parked=told["ends"] if told["parked"] else None,
    )


def _progress(told: dict[str, Any]) -> Progress:
    numbers = {
        name: told[name] for name in ("target", "city", "pages", "new", "edited", "unchanged", "deleted", "ends")
    }
    return Progress(**numbers, dropped=sum(told["dropped"].values()))
