"""`init` and `check`: a study before anything is gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from citystudy.cli.options import DEFAULT_STUDY, JsonOption, StudyOption
from citystudy.cli.output import print_json, print_table, say
from citystudy.config import read_study
from citystudy.errors import ConfigError, ExitCode
from citystudy.text import slug


def init(
    cities: Annotated[list[str], typer.Argument(help="City names in any language; 'Amman, JO' names the country too.")],
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Write a commented study file for the named cities, and its secret."""
    from citystudy.gazetteer import find_city
    from citystudy.new_study import new_study
    from citystudy.privacy import write_new_secret

    if study.exists():
        raise ConfigError(f"{study}: is there already; name another file with --study, or remove it first")
    found = [find_city(name) for name in cities]
    study.parent.mkdir(parents=True, exist_ok=True)
    study.write_text(new_study(slug(study.resolve().parent.name) or "study", found), encoding="utf-8")
    write_new_secret(study.parent / "study.secret")
    for city in found:
        say(f"{city.name}, {city.country}: {city.population:,} people, languages {', '.join(city.languages)}")
    say(f"Wrote {study} and its secret. Name your targets there, then: citystudy check --study {study}")


def suggest_targets(
    city: Annotated[str, typer.Argument(help="A city's name in any language; 'Amman, JO' names the country too.")],
    json: JsonOption = False,
) -> None:
    """Print likely targets for a city as TOML to paste; they are suggestions that nobody has looked at."""
    from citystudy.gazetteer import find_city
    from citystudy.suggestions import as_toml, suggest

    found = find_city(city)
    suggestions = suggest(found)
    if json:
        print_json({"city": found.name, "country": found.country, "suggestions": suggestions})
    else:
        say(as_toml(found, suggestions))


def check(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Check the study file, its secret, and whether each target can be read."""
    from citystudy.privacy import Secret
    from crawlers.probe import probe

    read = read_study(study)
    Secret.of(read)
    probes = probe(study)
    good = all(found.trouble is None for found in probes)
    if json:
        print_json({"study": read.study.name, "cities": [city.id for city in read.cities], "targets": probes})
    else:
        say(f"{study}: {len(read.cities)} cities, {sum(1 for _ in read.targets())} targets; the secret is in its place")
        columns = ("city", "target", "robots", "quota", "status", "posts", "newest", "trouble", "what to mend")
        print_table(
            "",
            columns,
            [(p.city, p.target, p.robots, p.quota, p.status, p.posts, p.newest, p.trouble, p.mend) for p in probes],
        )
    raise typer.Exit(ExitCode.OK if good else ExitCode.INCOMPLETE)
