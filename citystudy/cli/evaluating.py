"""`evaluate`: how well the shipped coder agrees with posts coded by hand."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from citystudy.cli.options import JsonOption
from citystudy.cli.output import print_json, print_table, progress, say, warn
from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.errors import ExitCode, InputError

if TYPE_CHECKING:
    from nlp.evaluation import Agreement, Share


class Division(StrEnum):
    """What figures may be divided by."""

    LANG = "lang"
    THEME = "theme"
    SOURCE = "source"


_COLUMNS = ("posts of", "posts", "kind P", "kind R", "kind F1", *(f"{kind} F1 (n)" for kind in KINDS), "code P")
_COLUMNS += ("code F1", "empty P / R", "span")


def evaluate(
    gold: Annotated[Path, typer.Argument(help='JSON Lines of {"text", "codes": [{"kind", "theme"}], "lang"?, …}.')],
    by: Annotated[str, typer.Option(help="Divide the figures by lang, theme or source; several with commas.")] = "lang",
    cut: Annotated[float, typer.Option(min=0.01, max=0.99, help="The least probability of a statement.")] = 0.5,
    unseen: Annotated[bool, typer.Option("--unseen", help="Leave out posts that the coder has learned from.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure the shipped coder on posts coded by hand, each figure with its 95 % interval."""
    from nlp.evaluation import NOTHING, code_gold, evaluation

    divisions = _divisions(by)
    try:
        with gold.open("rb") as lines, progress() as tell:
            compared, bad = code_gold(lines, cut=cut, on_progress=lambda done: tell("coding", done, 0))
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; name a JSON Lines file") from None
    for row in bad:
        warn(f"citystudy: {gold}: line {row.line}: {row.reason}")
    measured = evaluation(compared, by=[str(division) for division in divisions], unseen=unseen)
    if not measured.groups:
        seen = f"; the coder has learned from all {measured.trained_on:,}" if unseen and measured.trained_on else ""
        raise InputError(
            f"{gold}: no post is left to measure on{seen}; expected posts coded by hand in {', '.join(CODED_LANGUAGES)}"
        )
    if json:
        print_json({"evaluation": measured, "bad_lines": bad})
    else:
        print_table("Agreement with the posts coded by hand", _COLUMNS, [_cells(group) for group in measured.groups])
        themes = [(t, s.n, s.found, *map(_share, (s.precision, s.recall, s.f1))) for t, s in measured.themes.items()]
        print_table("Codes of each theme", ("theme", "coded", "found", "P", "R", "F1"), themes)
        labels = (*KINDS, NOTHING)
        table = [(coded, *(measured.confusion.get(coded, {}).get(found, 0) for found in labels)) for coded in labels]
        print_table("Kinds coded by hand (rows) against kinds found (columns)", ("", *labels), table)
        if measured.other_languages:
            say(f"{measured.other_languages:,} posts are in no coded language and left out")
        if measured.trained_on:
            left_out = "they are left out" if unseen else "figures on these flatter, --unseen leaves them out"
            say(f"{measured.trained_on:,} posts begin like one that the coder has learned from; {left_out}")
    if bad:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _divisions(by: str) -> list[Division]:
    try:
        return [Division(part.strip()) for part in by.split(",") if part.strip()]
    except ValueError:
        raise InputError(f"--by: found '{by}', expected any of {', '.join(Division)}, with commas between") from None


def _cells(group: Agreement) -> tuple[object, ...]:
    kind, code, empty = group.kind, group.code, group.empty
    return (
        group.group,
        group.posts,
        *map(_share, (kind.precision, kind.recall, kind.f1)),
        *(f"{score.f1.value:.2f} ({score.n})" for score in group.each.values()),
        *map(_share, (code.precision, code.f1)),
        f"{empty.precision.value:.2f} / {empty.recall.value:.2f}",
        "" if group.span is None else f"{group.span:.2f}",
    )


def _share(share: Share) -> str:
    return f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"
