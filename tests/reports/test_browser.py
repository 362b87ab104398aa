"""The report in Debian's Chromium: every sort of page, two directions, light and dark, desk and phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_world import World, study_of

from reports import build

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium")
PHONE, WIDE = 390, 1200
PAGES = ("index.html", "city-alfa.html", "evidence-alfa.html", "method.html")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(study_of(tmp_path_factory.mktemp("study")))
    for city, saying in (("alfa", 60), ("beta", 12)):
        for number in range(140):
            codes = [("problem", "utilities")] if number < saying else []
            codes += [("wish", "leisure")] if number % 3 == 0 else []
            words = "W" * 150 if number == 0 else "<script>alert(1)</script> المي مقطوعة"
            day = f"2026-0{3 + number % 3}-{1 + number % 28:02d}"
            mentions = [("district", "Old Town")] if number % 4 else []
            world.post(city, f"{city}{number}", day, codes, words=words, mentions=mentions)
        world.crowd(city, 40, 12, ("preference", "food"), author=None, rows="maps")
    with world.store() as store:
        return build(world.study, store, languages=["en", "ar"]).folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium here; install it with: make browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, WIDE])
@pytest.mark.parametrize("code", ["en", "ar"])
def test_pages_are_quiet_fit_and_can_be_read_by_all(
    browser: Any, folder: Path, code: str, width: int, scheme: str
) -> None:
    from axe_core_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    for name in PAGES:
        page.goto((folder / code / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width == WIDE:
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found = Axe().run(page)
            assert len(found["passes"]) > 10, "axe has looked"
            assert [rule["id"] for rule in found["violations"] if rule["impact"] in {"serious", "critical"}] == [], name
    assert said == []
    context.close()


def test_the_first_page_leads_to_the_first_language_and_evidence_is_a_click_away(browser: Any, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.wait_for_url("**/en/index.html")
    page.get_by_role("link", name="Alfa").first.click()
    page.locator("blockquote a").first.click()
    page.wait_for_url("**/evidence-alfa.html#e*")
    assert page.locator(":target").count() == 1
    page.get_by_role("link", name="العربية").click()
    assert page.evaluate("document.documentElement.dir") == "rtl"
    page.close()
