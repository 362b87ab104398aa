"""`run`, `refresh` and `demo`: gather, understand and report in one go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from citystudy.cli.gathering import crawl_targets, print_crawl
from citystudy.cli.options import DEFAULT_STUDY, JsonOption, StudyOption, opened
from citystudy.cli.output import print_json, progress, say, warn
from citystudy.cli.reporting import build_report
from citystudy.config import Study
from citystudy.errors import ExitCode
from citystudy.store import Store

HEADLINES = 3


def run(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Crawl, analyze and report."""
    _whole(study, json=json)


def refresh(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Bring the study up to date: forget what retention says, gather what is new, read it, report if it changed."""
    _whole(study, json=json, forget=True)


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demonstration's study is kept.")] = Path("demo-study"),
    json: JsonOption = False,
) -> None:
    """Show the whole way on posts written for demonstration, served on this machine."""
    from citystudy.demo.server import serving
    from citystudy.demo.study import demo_port, write_demo_study

    with serving(demo_port(folder)) as address:
        _whole(write_demo_study(folder, address), json=json)


def _whole(path: Path, *, json: bool, forget: bool = False) -> None:
    from nlp.analyse import analyse

    with opened(path) as (study, store, _):
        forgotten = _forget(study, store) if forget else 0
        gathered = crawl_targets(path)
        with progress() as tell:
            analysed = analyse(study, store, tell)
        built = build_report(study, store)
    if json:
        print_json(
            {
                "forgotten": forgotten,
                "gathered": gathered,
                "analysed": analysed,
                "report": {"id": built.id, "previous": built.previous, "index": built.index},
                "headline": built.headline[:HEADLINES],
            }
        )
    else:
        print_crawl(gathered)
        if forgotten:
            say(f"{forgotten:,} posts are past the study's retention and were deleted")
        say(f"{analysed.read:,} posts read, {analysed.statements:,} statements, {analysed.topics:,} topics")
        _say_headlines(built)
        say(f"Report: {built.index}")
    unsound = [result for result in gathered if not result.sound]
    for result in unsound:
        for said in filter(None, (result.parked, *result.alerts)):
            warn(f"citystudy: {result.target}: {said}")
    raise typer.Exit(ExitCode.INCOMPLETE if unsound else ExitCode.OK)


def _say_headlines(built: Any) -> None:
    if not built.headline:
        say("No need stands out in one city against the others; the report shows each city's own ranking.")
    for number, finding in enumerate(built.headline[:HEADLINES], 1):
        say(f"{number}. {built.claim(finding)}")


def _forget(study: Study, store: Store) -> int:
    days = study.retention.posts_days
    if days is None:
        return 0
    return store.forget_posts_before((datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"))
