"""The whole way: a database in, a folder out."""

from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest
from report_world import World, study_of

from citystudy.config import Analysis
from citystudy.errors import InputError
from citystudy.store import Store
from reports import build
from reports.report import LANGUAGES

MORE = {
    "segments": [{"id": "parents", "label": {"en": "Parents"}, "words": {"en": ["my kids"]}}],
    "brands": [{"name": "Box <b>"}],
    "offers": [{"name": "Bus", "themes": ["transport"]}, {"name": "Hotel", "themes": ["leisure"]}],
}


class Page(HTMLParser):
    """The ids, links and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src"}:
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def full(world: World) -> World:
    """Two cities that differ in one thing, are alike in another, and hold what a report must survive."""
    world.study = study_of(world.study.folder, **MORE)
    for city, saying in (("alfa", 60), ("beta", 12)):
        for number in range(140):
            codes = [("problem", "utilities")] if number < saying else []
            codes += [("problem", "transport")] if number % 3 else []
            world.post(
                city,
                f"{city}{number}",
                f"2026-0{3 + number % 3}-{1 + number % 28:02d}",
                codes,
                words="<script>alert(1)</script> \u202e=cmd()",
                mentions=[("segment", "parents"), ("brand", "Box <b>"), ("district", "Old & New")][: number % 4],
                topic="no <water>" if codes and codes[0][1] == "utilities" else "",
            )
        for number in range(20):
            world.post(city, None, None, [("wish", "leisure")] if number < 9 else [], rows="maps")
    world.post("alfa", "long", "2026-04-01", [("problem", "transport")], words="W" * 100_000)
    return world


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_planted_need_is_found_and_the_shared_one_is_common(world: World) -> None:
    with full(world).store() as store:
        report = build(world.study, store)
    assert [(finding.city, finding.need.theme) for finding in report.headline] == [("alfa", "utilities")]
    assert report.headline[0].comparison.index == 496
    common = {(f.city, f.need.theme) for f in report.findings if f.comparison.verdict == "common"}
    assert common == {("alfa", "transport"), ("beta", "transport")}
    assert report.claim(report.headline[0]).startswith("Alfa: 43% of 141 voices tell of problems with water")


def test_the_same_database_makes_the_same_bytes_whatever_the_order_of_gathering(world: World, tmp_path: Path) -> None:
    with full(world).store() as store:
        first = build(world.study, store, languages=["en", "ar"])
        before = files(first.folder)
        again = build(world.study, store, languages=["en", "ar"])
    assert files(again.folder) == before
    assert again.id == first.id
    world.study = study_of(tmp_path / "other", **MORE)
    with world.store(order=lambda posts: random.Random(5).sample(posts, len(posts))) as store:
        other = build(world.study, store, languages=["en", "ar"])
    assert files(other.folder) == before


def test_previous_is_the_last_report_with_another_id(world: World) -> None:
    with full(world).store() as store:
        old = build(world.study, store, as_of="2026-04-30")
        new = build(world.study, store)
        again = build(world.study, store)
        assert (old.previous, new.previous, again.previous) == (None, old.id, old.id)
        assert store.count("report") == 2
    assert new.folder.name.startswith("2026-05-")
    pointer = (world.study.reports_path / "latest.html").read_text()
    assert f'url={new.folder.name}/index.html"' in pointer


def test_every_link_resolves_and_nothing_is_asked_of_the_network(world: World) -> None:
    with full(world).store() as store:
        folder = build(world.study, store, languages=["en", "ar", "fa", "ru"]).folder
    pages = {path: Page(path.read_text()) for path in folder.rglob("*.html")}
    assert len(pages) == 4 * (1 + 1 + 2 * 2) + 1
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            target, _, anchor = link.partition("#")
            assert "//" not in link
            found = (path.parent / unquote(target)).resolve() if target else path
            assert found.exists(), (path, link)
            if anchor:
                assert anchor in pages[found].ids, (path, link)
        text = path.read_text()
        assert not re.search(r"@import|url\((?!\w+/index)", text)


def test_posts_do_no_harm_in_any_page(world: World) -> None:
    with full(world).store() as store:
        folder = build(world.study, store, languages=["en", "fa"]).folder
    for path in folder.rglob("*.html"):
        text = path.read_text()
        page = Page(text)
        assert not page.handlers
        assert "script" not in page.tags
        assert not set("\u202a\u202b\u202d\u202e\u2066") & set(text)
    assert "&lt;script&gt;alert(1)" in (folder / "en/evidence-alfa.html").read_text()
    assert "W" * 300 not in (folder / "en/evidence-alfa.html").read_text()


def test_pages_run_the_way_of_their_language(world: World) -> None:
    with full(world).store() as store:
        folder = build(world.study, store, languages=["en", "ar"]).folder
    assert '<html lang="ar" dir="rtl">' in (folder / "ar/index.html").read_text()
    assert '<html lang="en" dir="ltr">' in (folder / "en/city-alfa.html").read_text()
    assert "ألفا" in (folder / "ar/index.html").read_text()
    assert not {p for p in folder.rglob("*") if p.suffix not in {"", ".html", ".md", ".csv", ".json"}}


LLM = {"url": "https://host.example/v1", "model": "acme-7b", "input_price": 1, "output_price": 1, "max_cost": 1}
CODERS = {
    "default": ({}, ("ships with citystudy", "المرفق ببرنامج", "همراه", "поставляется с")),
    "llm": ({"llm": LLM}, ("language model", "النموذج اللغوي", "مدل زبانی", "языковая модель")),
    "transformers": (
        {"transformers": {"model": "acme-7b", "head": "h.npz"}},
        ("sentence-embedding model", "تضمين الجمل", "بازنمایی جمله", "векторных представлений"),
    ),
}


@pytest.mark.parametrize("coder", get_args(Analysis.model_fields["coder"].annotation))
def test_the_coder_is_named_in_every_language_and_is_part_of_the_id(world: World, coder: str) -> None:
    table, words = CODERS[coder]
    with full(world).store() as store:
        usual = build(world.study, store)
        named = study_of(world.study.folder, **MORE, analysis={"coder": coder, **table})
        report = build(named, store, languages=LANGUAGES)
    for language, said in zip(LANGUAGES, words, strict=True):
        method = (report.folder / language / "method.html").read_text(encoding="utf-8")
        assert said in method
        assert ("acme-7b" in method) == (coder != "default")
    assert (report.id == usual.id) == (coder == "default")
    read = json.loads((report.folder / "findings.json").read_text(encoding="utf-8"))
    assert (read["coder"], read["coder_model"]) == (coder, "acme-7b" if table else None)


def test_one_language_needs_no_folder_of_its_own(world: World) -> None:
    with full(world).store() as store:
        folder = build(world.study, store).folder
    assert sorted(files(folder)) == [
        "city-alfa.html", "city-beta.html", "evidence-alfa.html", "evidence-beta.html", "findings.csv",
        "findings.json", "index.html", "method.html", "summary.md",
    ]  # fmt: skip


def test_no_figure_under_k_is_shown(world: World) -> None:
    world.crowd("alfa", 100, 4, ("problem", "safety"))
    world.crowd("alfa", 100, 5, ("problem", "health"), author=None)
    with world.store() as store:
        report = build(world.study, store)
    assert {finding.need.theme for finding in report.findings} == {"health"}
    assert "safety" not in (report.folder / "city-alfa.html").read_text()
    assert "problem safety" not in (report.folder / "evidence-alfa.html").read_text()


def test_what_nearly_all_say_is_closed_too(world: World) -> None:
    world.crowd("alfa", 50, 48)
    with world.store() as store:
        assert build(world.study, store).findings == ()


def test_a_larger_k_of_the_study_holds(world: World) -> None:
    world.study = study_of(world.study.folder, privacy={"k": 20})
    world.crowd("alfa", 100, 19)
    world.crowd("alfa", 100, 25, ("wish", "food"))
    with world.store() as store:
        assert {finding.need.theme for finding in build(world.study, store).findings} == {"food"}


def test_a_study_can_forbid_quotes(world: World) -> None:
    full(world).study = study_of(world.study.folder, **MORE, privacy={"exact_quotes": False})
    with world.store() as store:
        report = build(world.study, store)
    assert all(not finding.verbatims for finding in report.findings)
    assert all(finding.evidence for finding in report.findings)
    text = b"".join(files(report.folder).values()).decode()
    assert "alert(1)" not in text
    assert report.findings[0].evidence[0].id in text


def test_cities_that_share_nothing_are_shown_alone_and_told_why(world: World) -> None:
    for city in ("alfa", "beta"):
        for number in range(60):
            world.post(city, None, None, [("problem", "transport")] if number < 20 + 30 * (city == "beta") else [])
    with world.store() as store:
        report = build(world.study, store)
    assert report.headline == ()
    assert {(f.comparison.verdict, f.comparison.reason, f.trend.direction) for f in report.findings} == {
        ("not_compared", "no_dates", "no_dates")
    }
    text = (report.folder / "index.html").read_text()
    assert "because no two cities could be compared" in text
    assert "posts, authors unknown" in text
    assert report.folder.name.startswith("undated-")


def test_an_empty_study_gets_a_report_that_says_so(world: World) -> None:
    with world.store() as store:
        report = build(world.study, store, languages=["ru"])
    assert report.findings == ()
    assert "ни о чём не написало столько голосов" in (report.folder / "index.html").read_text()


def test_offers_brands_and_segments_are_answered(world: World) -> None:
    with full(world).store() as store:
        report = build(world.study, store)
    offers = {(answer.city, answer.offer): len(answer.findings) for answer in report.results.offers}
    assert offers == {("alfa", "Bus"): 1, ("alfa", "Hotel"): 1, ("beta", "Bus"): 1, ("beta", "Hotel"): 1}
    assert {(row.city, row.segment) for row in report.results.segments} == {("alfa", "parents"), ("beta", "parents")}
    assert {row.brand for row in report.results.brands} == {"Box <b>"}
    assert "Box &lt;b&gt;" in (report.folder / "city-alfa.html").read_text()


def test_every_post_is_accounted_for(world: World) -> None:
    full(world)
    world.post("alfa", "ad", advert=True)
    world.post("alfa", "x", lang="tl", coded=False)
    world.dropped = {"no_text": 4}
    with world.store() as store:
        row = build(world.study, store).results.coverage[0]
    assert row.posts == 163 == sum(part.posts for part in row.rows)
    assert dict(row.left_out) == {"advert": 1, "language_not_coded": 1}
    assert all(part.posts >= 5 for part in row.rows)
    assert (row.with_author, row.dated, row.voices_known, row.voices_unknown) == (143, 143, 141, 20)
    assert row.dropped == (("no_text", 4),)


def test_findings_are_kept_in_the_database(world: World) -> None:
    with full(world).store() as store:
        report = build(world.study, store)
        kept = json.loads(next(store.query("SELECT findings FROM report"))["findings"])
    assert [row["finding"] for row in kept] == [finding.id for finding in report.findings]


def test_a_wrong_language_is_told(world: World) -> None:
    with world.store() as store, pytest.raises(InputError, match="found 'de', expected one of en, ar, fa, ru"):
        build(world.study, store, languages=["de"])


def test_progress_is_told_to_the_end(world: World) -> None:
    told: list[tuple[str, int, int]] = []
    with full(world).store() as store:
        build(world.study, store, languages=["en", "ru"], on_progress=lambda *step: told.append(step))
    assert {stage for stage, _, _ in told} == {"comparisons", "findings", "pages"}
    assert told[-1][1] == told[-1][2]


def test_a_theme_no_longer_in_the_codeframe_is_still_told(world: World) -> None:
    world.crowd("alfa", 40, 20, ("problem", "gardens"))
    with world.store() as store:
        report = build(world.study, store)
    assert "gardens" in (report.folder / "city-alfa.html").read_text()


def test_a_database_opened_elsewhere_is_only_read(world: World, tmp_path: Path) -> None:
    full(world).store().close()
    with Store(world.study.database_path) as store:
        before = store.count("post"), store.count("statement")
        build(world.study, store)
        assert (store.count("post"), store.count("statement")) == before
