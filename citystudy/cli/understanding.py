"""`analyze` and `code`: what posts say."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

import typer

from citystudy.cli.options import DEFAULT_STUDY, JsonOption, StudyOption, opened
from citystudy.cli.output import print_json, progress, say, warn
from citystudy.errors import ExitCode, InputError


def analyze(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Read the posts that are new or changed: statements, segments, brands, echoes, topics."""
    from nlp.analyse import analyse

    with opened(study) as (read, store, _), progress() as tell:
        analysed = analyse(read, store, tell)
    if json:
        print_json(analysed)
    else:
        say(
            f"{analysed.read:,} posts read; the study holds {analysed.statements:,} statements, {analysed.topics:,} "
            f"topics and {analysed.echoes:,} posts that repeat another's text"
        )


def code(
    source: Annotated[Path, typer.Argument(help='JSON Lines of {"id", "text", "lang"?}.')],
    destination: Annotated[Path, typer.Argument(help='JSON Lines of {"id", "lang", "codes"}, in the same order.')],
    cut: Annotated[float, typer.Option(min=0.01, max=0.99, help="The least probability of a statement.")] = 0.5,
) -> None:
    """Code any file of texts, outside a study."""
    from nlp.code import code_lines
    from nlp.json_lines import BadRow

    bad = 0
    partial = destination.with_name(destination.name + ".part")
    try:
        with source.open("rb") as lines, partial.open("w", encoding="utf-8") as out, progress() as tell:
            for number, row in enumerate(code_lines(lines, cut=cut), 1):
                if isinstance(row, BadRow):
                    bad += 1
                    warn(f"citystudy: {source}: line {row.line}: {row.reason}")
                else:
                    out.write(json_.dumps(row, ensure_ascii=False) + "\n")
                tell("coding", number, 0)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"{error.filename}: {error.strerror}; name a JSON Lines file") from None
    partial.replace(destination)
    if bad:
        raise typer.Exit(ExitCode.INCOMPLETE)
