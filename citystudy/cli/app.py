"""The commands, in the order in which a study uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from citystudy import __version__
from citystudy.cli import evaluating, gathering, reporting, setting_up, understanding, whole
from citystudy.cli.endings import ends_plainly

app = typer.Typer(
    name="citystudy",
    help="Learn what each city needs from its public posts: local problems, wishes and preferences.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use or study file, 3 done in part (see what was parked), "
    "4 another process works on this study, 130 stopped by the user.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"citystudy {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


_COMMANDS: dict[str, Callable[..., None]] = {
    "init": setting_up.init,
    "check": setting_up.check,
    "crawl": gathering.crawl,
    "import": gathering.import_,
    "analyze": understanding.analyze,
    "report": reporting.report,
    "run": whole.run,
    "refresh": whole.refresh,
    "demo": whole.demo,
    "status": reporting.status,
    "code": understanding.code,
    "evaluate": evaluating.evaluate,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(ends_plainly(_command))

targets = typer.Typer(name="targets", help="Places to read about a city.", no_args_is_help=True, rich_markup_mode=None)
targets.command("suggest")(ends_plainly(setting_up.suggest_targets))
app.add_typer(targets)
