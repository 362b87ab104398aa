"""`report` and `status`: what a study found, and how it stands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from citystudy.cli.options import DEFAULT_STUDY, JsonOption, StudyOption, looked_at, opened
from citystudy.cli.output import print_json, print_table, progress, say
from citystudy.config import Study
from citystudy.store import Store


def report(
    study: StudyOption = DEFAULT_STUDY,
    lang: Annotated[
        list[str] | None, typer.Option("--lang", help="A report language (en, ar, fa, ru); may be given again.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Leave out posts written after this moment, such as 2026-11-01.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write the report: pages, tables and a summary."""
    with opened(study) as (read, store, _):
        built = build_report(read, store, languages=lang, as_of=as_of)
    if json:
        print_json({"id": built.id, "previous": built.previous, "index": built.index, "findings": built.findings})
    else:
        say(f"Report {built.id[:8]}: {built.index}")


def build_report(study: Study, store: Store, *, languages: list[str] | None = None, as_of: str | None = None) -> Any:
    """Build the report with a bar; the caller holds the study's lock."""
    import reports

    with progress() as tell:
        return reports.build(study, store, languages=languages, as_of=as_of, on_progress=tell)


def status(study: StudyOption = DEFAULT_STUDY, json: JsonOption = False) -> None:
    """Show what the study holds: posts by city and source, what was left out, the last crawls and reports."""
    with looked_at(study) as (read, store):
        cities = list(store.query(_CITIES))
        dropped = {row["reason"]: row["n"] for row in store.query(_DROPPED)}
        crawls = list(store.query(_LAST_CRAWLS))
        last_report = next(store.query("SELECT id, as_of FROM report ORDER BY number DESC LIMIT 1"), None)
    if json:
        print_json(
            {"study": read.study.name, "cities": cities, "left_out": dropped, "crawls": crawls, "report": last_report}
        )
        return
    columns = ("city", "source", "kind", "posts", "authors", "dated", "newest", "read", "statements")
    print_table(read.study.name, columns, [tuple(row.values()) for row in cities])
    print_table("Left out", ("reason", "posts"), list(dropped.items()))
    print_table("Last visits", ("target", "ended", "outcome", "new"), [tuple(row.values()) for row in crawls])
    say(f"Last report: {last_report['id'][:8]}, as of {last_report['as_of']}" if last_report else "No report yet.")


_CITIES = """
SELECT t.city, t.source, t.kind, COUNT(DISTINCT p.id) AS posts, NULLIF(COUNT(DISTINCT p.author), 0) AS authors,
    COUNT(DISTINCT CASE WHEN p.created_at IS NOT NULL THEN p.id END) AS dated, SUBSTR(MAX(p.created_at), 1, 10) AS newest,
    COUNT(DISTINCT r.post) AS read, COUNT(s.id) AS statements
FROM target t LEFT JOIN post p ON p.target = t.id LEFT JOIN reading r ON r.post = p.id
    LEFT JOIN statement s ON s.post = p.id
GROUP BY t.city, t.source, t.kind ORDER BY t.city, t.source, t.kind
"""
_DROPPED = "SELECT reason, SUM(n) AS n FROM dropped GROUP BY reason ORDER BY n DESC, reason"
_LAST_CRAWLS = """
SELECT COALESCE(target, origin) AS target, ended_at, outcome, new FROM crawl
WHERE id IN (SELECT MAX(id) FROM crawl GROUP BY COALESCE(target, origin)) ORDER BY 1
"""
