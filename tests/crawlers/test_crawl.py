from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from citystudy.errors import CityStudyError, ConfigError, SecretError, StoreError
from crawlers.crawl import Progress, crawl

FEED = '<rss version="2.0"><channel><item><guid>https://x.example/1</guid><author>Zulfiya</author><description>Text</description></item></channel></rss>'


def target(url: str) -> str:
    return f'source = "feed"\nkind = "news"\nurl = "{url}"'


def test_a_study_without_targets_on_the_network_needs_no_child(folder: Any) -> None:
    assert crawl(folder.write('source = "import"\nkind = "community"\nrows = "reddit"')) == []
    assert not (folder.path / "crawl.log").exists()


def test_a_study_that_can_not_be_read_is_an_error(folder: Any) -> None:
    with pytest.raises(ConfigError, match="no such study file"):
        crawl(folder.path / "none.toml")


def test_a_missing_secret_is_named(site: Any, folder: Any) -> None:
    study = folder.write(target(f"{site.url}/feed"))
    (folder.path / "study.secret").unlink()
    with pytest.raises(SecretError, match=r"study\.secret: the study's secret is missing"):
        crawl(study)
    assert site.asked == []


def test_progress_is_told_and_another_secret_is_refused(site: Any, folder: Any) -> None:
    site.answers["/feed"] = site.Reply(FEED)
    study = folder.write(target(f"{site.url}/feed"))
    told: list[Progress] = []
    crawl(study, on_progress=told.append)
    assert [(p.city, p.pages, p.new, p.ends) for p in told] == [("kazan", 1, 1, "finished")]
    assert (folder.path / "crawl.log").read_text() == ""
    with folder.store() as store:
        row = next(store.query("SELECT target, origin, outcome, new, ended_at FROM crawl"))
    assert (row["origin"], row["outcome"], row["new"]) == ("crawl", "finished", 1)
    (folder.path / "study.secret").write_text("another secret, long enough")
    with pytest.raises(SecretError, match="another secret"):
        crawl(study)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only files")
def test_a_read_only_database_is_named(site: Any, folder: Any) -> None:
    study = folder.write(target(f"{site.url}/feed"))
    folder.store().close()
    (folder.path / "study.db").chmod(0o400)
    with pytest.raises(StoreError, match="read-only"):
        crawl(study)


def test_a_database_that_fails_on_the_way_ends_the_crawl_and_moves_no_cursor(site: Any, folder: Any) -> None:
    pages: list[str] = []

    def feed(asked: Any) -> Any:
        pages.append(asked.path)
        if len(pages) == 1:  # the child has opened the database; now it goes wrong under its hands
            with folder.store() as store:
                store._db.execute("DROP TABLE post_fts")
        link = f'<atom:link rel="next" href="/feed?{len(pages)}"/>' if len(pages) < 5 else ""
        item = f"<item><guid>https://x.example/{len(pages)}</guid><description>Text</description></item>"
        return site.Reply(
            f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>{link}{item}</channel></rss>'
        )

    site.answers["/feed"] = feed
    study = folder.write(target(f"{site.url}/feed"))
    with pytest.raises(StoreError, match=r"study\.db"):
        crawl(study)
    with folder.store() as store:
        assert store.count("post") == 0
        assert next(store.query("SELECT cursor FROM target"))["cursor"] == "{}"


def test_a_child_that_crashes_is_a_clear_error(site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = folder.write(target(f"{site.url}/feed"))
    broken = folder.path / "broken" / "scrapy"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('not installed well')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    with pytest.raises(
        CityStudyError, match=r"stopped unexpectedly .* See .*crawl\.log, then run the same command again"
    ):
        crawl(study)
    assert "not installed well" in (folder.path / "crawl.log").read_text()


def test_an_interruption_stops_the_child_and_the_next_crawl_goes_on(site: Any, folder: Any) -> None:
    asked_pages: list[float] = []

    def feed(asked: Any) -> Any:
        asked_pages.append(time.monotonic())
        n = int(asked.query.get("page", 1))
        item = f"<item><guid>https://x.example/{n}</guid><description>Text</description></item>"
        link = f'<atom:link rel="next" href="/feed?page={n + 1}"/>' if n < 40 else ""
        reply = f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>{link}{item}</channel></rss>'
        return site.Reply(reply, wait=0.02)

    def interrupt(progress: Progress) -> None:
        if progress.pages == 3:
            raise KeyboardInterrupt

    site.answers["/feed"] = feed
    study = folder.write(target(f"{site.url}/feed"))
    with pytest.raises(KeyboardInterrupt):
        crawl(study, on_progress=interrupt)
    stopped = len(asked_pages)
    time.sleep(0.3)
    assert len(asked_pages) == stopped < 40
    with folder.store() as store:
        assert "interrupted" in next(store.query("SELECT outcome FROM crawl"))["outcome"]
    result = crawl(study)[0]
    assert result.outcome == "finished"
    assert len(folder.posts()) == 40


def test_the_child_ends_when_its_parent_is_gone(site: Any, folder: Any) -> None:
    site.answers["/feed"] = site.Reply(FEED, wait=60)
    study = folder.write(target(f"{site.url}/feed"))
    child = subprocess.Popen(
        [sys.executable, "-m", "crawlers.run", str(study)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not site.paths():
        time.sleep(0.05)
        assert child.poll() is None
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(5) == 130


def test_the_settings_close_what_scrapy_leaves_open() -> None:
    from crawlers import settings

    assert settings.REMOTE_CONTROL_ENABLED is False
    assert settings.TELNETCONSOLE_ENABLED is False
    assert settings.DOWNLOAD_VERIFY_CERTIFICATES is True
    assert settings.COOKIES_ENABLED is False
    assert "crawlers.settings" in (Path(__file__).parents[2] / "scrapy.cfg").read_text()
