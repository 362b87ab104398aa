"""`crawl` and `import`: posts into the study's database."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from citystudy.cli.options import DEFAULT_STUDY, JsonOption, StudyOption, opened
from citystudy.cli.output import ENDED, print_json, print_table, progress, say, warn
from citystudy.config import read_study
from citystudy.errors import ExitCode

if TYPE_CHECKING:
    from crawlers.crawl import TargetResult


def crawl(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Gather what is new in every target."""
    with opened(study):
        results = crawl_targets(study)
    if json:
        print_json(results)
    else:
        print_crawl(results)
    raise typer.Exit(ExitCode.INCOMPLETE if any(not result.sound for result in results) else ExitCode.OK)


def crawl_targets(study: Path) -> list[TargetResult]:
    """Crawl with a bar that counts targets and one for each that is being read; the caller holds the study's lock."""
    from crawlers.crawl import Progress, crawl

    in_all = sum(target.on_network for _, target in read_study(study).targets())
    done: set[str] = set()
    with progress() as tell:
        tell("targets", 0, in_all)

        def heard(told: Progress) -> None:
            tell(told.target, told.new + told.edited + told.unchanged, 0 if told.ends is None else ENDED)
            if told.ends is not None:
                done.add(told.target)
                tell("targets", len(done), in_all)

        return crawl(study, on_progress=heard)


def print_crawl(results: list[TargetResult]) -> None:
    """Print what a crawl brought, target by target, and why posts were left out."""
    print_table(
        "Gathered",
        ("target", "new", "edited", "known", "deleted", "left out", "outcome"),
        [
            (r.target, r.new, r.edited, r.unchanged, r.deleted, r.dropped.total(), r.parked or r.outcome)
            for r in results
        ],
    )
    print_table("Not as before", ("target", "what"), [(r.target, said) for r in results for said in r.alerts])
    dropped: Counter[str] = Counter()
    altered: Counter[str] = Counter()
    for result in results:
        dropped += result.dropped
        altered += result.altered
    print_table("Left out", ("reason", "posts"), dropped.most_common())
    print_table("Kept without what could not be believed", ("reason", "posts"), altered.most_common())
    if not results:
        warn("citystudy: no target of this study is on the network; import files, or name targets in the study file")


def round_figure(n: int) -> int:
    """Return `n` rounded to two digits, as an estimate is told: 28,941 is 29,000."""
    return int(float(f"{n:.2g}"))


def import_(
    file: Annotated[Path, typer.Argument(help="An export of a known tool, or JSON Lines, CSV or Parquet.")],
    study: StudyOption = DEFAULT_STUDY,
    column_map: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says which column holds what.")
    ] = None,
    city: Annotated[str | None, typer.Option(help="The city of every row, whatever the file says.")] = None,
    source: Annotated[str | None, typer.Option(help="The source of every row, whatever the file says.")] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help="The file's format, where it is not recognised by its content.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Import posts from a file; rows are matched to the study's cities and import targets."""
    from crawlers.importers import ImportProgress, import_file, read_column_map

    columns = read_column_map(column_map) if column_map else None
    values = {name: value for name, value in (("city", city), ("source", source)) if value is not None}
    with opened(study) as (read, store, secret), progress() as tell:

        def heard(told: ImportProgress) -> None:
            # Rounded: a total that moved with each batch would make the bar forget its speed.
            rows_in_all = round_figure(told.rows * told.bytes_total // max(told.bytes_read, 1))
            tell(f"importing {file.name}", told.rows, max(rows_in_all, told.rows))

        result = import_file(
            read, secret, store, file, columns, on_progress=heard, values=values, format_name=format_name
        )
    if json:
        print_json(result)
        return
    say(
        f"{file}: {result.rows:,} rows, read as {result.format}: {result.new:,} new, {result.edited:,} edited, "
        f"{result.unchanged:,} already known, {result.dropped.total():,} left out"
    )
    print_table("Left out", ("reason", "rows"), result.dropped.most_common())
    print_table("Kept without what could not be believed", ("reason", "rows"), result.altered.most_common())
