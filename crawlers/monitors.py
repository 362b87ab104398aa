"""Spidermon's monitors at the end of a crawl: each target is held against what it gave before (crawlers.health)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from spidermon import Monitor, MonitorSuite

from citystudy.store import History
from crawlers.health import Now, fell, gave_nothing, lost_fields
from crawlers.visits import Visit


class TargetMonitor(Monitor):  # type: ignore[misc]  # spidermon ships no types
    """Whether every target that was read to its end is as it was."""

    def test_targets_that_gave_posts_still_do(self) -> None:
        """A target that used to give posts and gives none."""
        self._hold(gave_nothing)

    def test_no_target_fell_by_four_fifths(self) -> None:
        """A fall of more than 80 %."""
        self._hold(fell)

    def test_no_field_vanished(self) -> None:
        """Fields that nearly all posts had and none has now."""
        self._hold(lost_fields)

    def _hold(self, rule: Callable[[History, Now], str | None]) -> None:
        visits: list[Visit[Any]] = [visit for visit in self.data.spider.visits.values() if visit.ended]
        wrong = {visit: said for visit in visits if not visit.parked and (said := rule(visit.before, visit.now()))}
        for visit, said in wrong.items():
            self.data.spider.alert(visit, said)
        assert not wrong, "; ".join(f"{visit.place.target}: {said}" for visit, said in wrong.items())


class CrawlMonitors(MonitorSuite):  # type: ignore[misc]
    """What is watched when a spider closes."""

    monitors: ClassVar[list[type[Monitor]]] = [TargetMonitor]
