"""The report's pages, rendered with Jinja2 (autoescape) from templates in the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from citystudy import __version__
from citystudy.codeframe import KINDS
from citystudy.config import Study
from reports.findings.evidence import shown
from reports.findings.model import Finding, Results
from reports.findings.ranking import strongest
from reports.site import sentences
from reports.site.charts import axis_for, last_day, step_curve
from reports.site.views import CityView, city_file, city_views, columns, common_needs, different_needs, evidence_file
from reports.site.words import Language


@dataclass(frozen=True, slots=True)
class _Link:
    name: str
    href: str
    current: bool = False
    lang: str = ""


def render(study: Study, results: Results, report_id: str, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each page as relative path and text; a folder per language where there are several."""
    several = len(languages) > 1
    for code in languages:
        language = Language(code, study)
        for name, text in _pages(study, results, report_id, language, languages):
            yield (f"{code}/{name}" if several else name), text
    if several:
        links = [_Link(Language(code, study).name, f"{code}/index.html", lang=code) for code in languages]
        yield "index.html", redirect(f"{languages[0]}/index.html", study.study.name, links)


def redirect(href: str, title: str, links: Sequence[_Link] = ()) -> str:
    """Return a page that leads to another one."""
    template = _environment().get_template("redirect.html")
    return template.render(href=quote(href), title=title, links=links)


def _pages(
    study: Study, results: Results, report_id: str, language: Language, languages: Sequence[str]
) -> Iterator[tuple[str, str]]:
    environment = _environment()
    words = _words(language)
    views = city_views(study, results)
    tables = "../" if len(languages) > 1 else ""

    def page(template: str, name: str, **context: Any) -> tuple[str, str]:
        text = environment.get_template(template).render(
            study=study.study,
            results=results,
            report_id=report_id,
            version=__version__,
            views=views,
            tables=tables,
            k=results.k,
            as_of_day=date.fromisoformat(results.as_of[:10]) if results.as_of else None,
            href_of={view.id: view.href for view in views},
            deepest=max((finding.share.estimate for view in views for finding in view.findings()), default=1.0),
            pages=_page_links(language, views, name),
            languages=[
                _Link(Language(code, study).name, f"../{code}/{quote(name)}", code == language.code, code)
                for code in languages
            ],
            **words,
            **context,
        )
        return name, text

    order = {theme: place for place, theme in enumerate(study.themes)}
    needs = sorted(
        {finding.need for view in views for finding in view.findings()},
        key=lambda need: (order.get(need.theme, len(order)), need),
    )
    yield page(
        "index.html",
        "index.html",
        columns=columns(views),
        needs={kind: [need for need in needs if need.kind == kind] for kind in KINDS},
        common=common_needs(results),
        different=[(view, different_needs(results, view.id)) for view in views],
        headline=strongest(results.findings),
        exact_quotes=study.privacy.exact_quotes,
    )
    for view in views:
        axis = axis_for(view.highest, mirrored=language.direction == "rtl")
        yield page(
            "city.html",
            city_file(view.id),
            view=view,
            axis=axis,
            offers=study.offers,
            quotes=study.privacy.exact_quotes,
        )
        yield page("evidence.html", evidence_file(view.id), view=view, quotes=study.privacy.exact_quotes)
    yield page("method.html", "method.html", coder=study.analysis.coder, model=study.analysis.model)


def _page_links(language: Language, views: Sequence[CityView], current: str) -> list[_Link]:
    cities = [_Link(language.city(view.id), view.href, current == city_file(view.id)) for view in views]
    return [
        _Link(language.text("nav.overview"), "index.html", current == "index.html"),
        *cities,
        _Link(language.text("nav.method"), "method.html", current == "method.html"),
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["shown"] = shown
    return environment


def _words(language: Language) -> Mapping[str, Any]:
    def curve(finding: Finding) -> str:
        return step_curve(finding.trend.periods, mirrored=language.direction == "rtl")

    def share_alt(finding: Finding) -> str:
        return language.text(
            "city.alt_share",
            need=sentences.need_name(language, finding.need, finding.label),
            share=language.percent(finding.share.estimate),
            low=language.percent(finding.share.low),
            high=language.percent(finding.share.high),
        )

    def curve_alt(finding: Finding) -> str:
        first, last = finding.trend.periods[0], finding.trend.periods[-1]
        return language.text(
            "trend.alt",
            first=language.day(first.start),
            last=language.day(last_day(last)),
            start=language.percent(first.share),
            end=language.percent(last.share),
        )

    def link(href: str) -> Markup:
        return Markup('<a href="{}">{}</a>').format(href, language.mark(href.rpartition("/")[2]))

    return {
        "language": language,
        "link": link,
        "last_day": last_day,
        "city_names": lambda cities: [language.city(city) for city in cities],
        "t": language.html,
        "plain": language.text,
        "claim": lambda finding: sentences.claim(language, finding),
        "against_others": lambda finding: sentences.against_others(language, finding),
        "need_name": lambda need, label="": sentences.need_name(language, need, label),
        "subject": lambda need, label="": sentences.subject(language, need, label),
        "counted": lambda finding: sentences.counted(language, finding),
        "index_badge": lambda row: sentences.index_badge(language, row),
        "three_sentences": lambda city, results: sentences.three_sentences(language, city, results),
        "curve": curve,
        "share_alt": share_alt,
        "curve_alt": curve_alt,
    }
