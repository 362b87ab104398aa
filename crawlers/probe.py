"""Looking at every target without storing anything, for `citystudy check`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from citystudy.config import read_study
from crawlers.child import LOG_NAME, lines_of_child


@dataclass(frozen=True, slots=True)
class Probe:
    """What a first look at a target found. `trouble` is None when it can be read; then `mend` is None too."""

    target: str
    city: str
    robots: str
    quota: str | None
    status: int | None
    posts: int
    newest: str | None
    trouble: str | None
    mend: str | None


def probe(study_path: Path) -> list[Probe]:
    """Ask each target of a study on the network for its first page; return what was found, in the study's order.

    Nothing is stored, no cursor moves, nothing is retried.
    """
    study = read_study(study_path)
    order = [city.target_id(target) for city, target in study.targets() if target.on_network]
    if not order:
        return []
    with tempfile.TemporaryDirectory() as folder:
        found = {
            told["target"]: Probe(
                target=told["target"],
                city=told["city"],
                robots="not asked: own key" if told["keyed"] else _robots(told["reason"]),
                quota=told["quota"],
                status=told["status"],
                posts=told["posts"],
                newest=told["newest"],
                trouble=told["reason"],
                mend=told["mend"],
            )
            for told in lines_of_child(study_path, Path(folder) / LOG_NAME, "--probe")
        }
    return [found[target] for target in order if target in found]


def _robots(reason: str | None) -> str:
    """Return the robots.txt verdict; a target that is excluded or gives no answer was not always asked for one."""
    if reason is None or not reason.startswith(("robots.txt", "excluded")):
        return "allowed"
    return reason if reason.startswith("robots.txt") else "not asked"
