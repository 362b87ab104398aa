"""How commands speak: progress on a terminal's standard error, results on standard output, JSON for machines."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

# Wide enough that no cell is folded where nobody looks at a screen.
PIPE_WIDTH = 400

errors = Console(stderr=True, highlight=False, soft_wrap=True)
results = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)

Tell = Callable[[str, int, int], None]
ENDED = -1


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return the task's speed, for example '812/s'."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="dim")


@contextmanager
def progress() -> Iterator[Tell]:
    """Give a function `tell(stage, done, total)` that draws one bar a stage; silent where there is no terminal.

    A total of 0 is unknown; ENDED takes the stage's bar away.
    """
    if not errors.is_terminal:
        yield _silent
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if total == ENDED:
                if stage in tasks:
                    bars.remove_task(tasks.pop(stage))
                return
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done)
            if _total(bars, tasks[stage]) != (total or None):
                bars.update(tasks[stage], total=total or None)  # this forgets the speed so far

        yield tell


def _total(bars: Progress, task: TaskID) -> float | None:
    return next(known.total for known in bars.tasks if known.id == task)


def _silent(stage: str, done: int, total: int) -> None:
    pass


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=_plain) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers stand at the right; nothing where there are no rows."""
    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int | float) or row[number] in {"", None} for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    results.print(table)


def say(message: str) -> None:
    """Print a line of result; markup in it is left as it is."""
    results.print(message, markup=False)


def warn(message: str) -> None:
    """Print a line to standard error."""
    errors.print(message, markup=False)


def _cell(value: object) -> Text:
    return Text("" if value is None else f"{value:,}" if isinstance(value, int) else str(value))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not asdict: it makes a Counter count the pairs of the Counter it copies.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
