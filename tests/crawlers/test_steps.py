"""How a visit goes on from one crawl to the next: steps that fail, retries that are spent, history that is bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.crawl import crawl
from crawlers.spiders.base import GIVEN_UP
from crawlers.visits import unread

HEAD = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'


def feed(number: int, *, following: str | None = None, days_old: int = 0) -> str:
    link = f'<atom:link rel="next" href="{following}"/>' if following else ""
    written = format_datetime(datetime.now(UTC) - timedelta(days=days_old))
    item = f"<item><guid>https://f.example/{number}</guid><description>Page {number}</description><pubDate>{written}</pubDate></item>"
    return f"{HEAD}{link}{item}</channel></rss>"


def target(url: str) -> str:
    return f'source = "feed"\nkind = "news"\nurl = "{url}"'


def test_a_step_that_always_fails_is_asked_last_and_given_up_after_three_crawls(site: Any, folder: Any) -> None:
    site.answers |= {"/feed": site.Reply(feed(1, following="/broken")), "/broken": site.Reply(status=500)}
    study = folder.write(target(f"{site.url}/feed"))
    outcomes = []
    for _ in range(4):
        [result] = crawl(study)
        outcomes.append((result.parked, result.dropped[GIVEN_UP]))
    assert outcomes == [("HTTP 500", 0), ("HTTP 500", 0), ("HTTP 500", 1), (None, 0)]
    assert [post["opened"]["id"] for post in folder.posts()] == ["https://f.example/1"]


def test_a_host_that_asks_for_time_never_costs_a_step(site: Any, folder: Any) -> None:
    busy = site.Reply(status=429, headers={"Retry-After": "3600"})
    site.answers |= {"/feed": site.Reply(feed(1, following="/2")), "/2": busy}
    study = folder.write(target(f"{site.url}/feed"))
    for _ in range(4):
        [result] = crawl(study)
        assert result.parked == "HTTP 429: asks to be left alone for 3600 s"
        assert result.dropped[GIVEN_UP] == 0
    site.answers["/2"] = site.Reply(feed(2))
    [result] = crawl(study)
    assert (result.parked, result.new) == (None, 1)


def test_a_target_spends_no_more_retries_than_it_may(site: Any, new_site: Any, folder: Any) -> None:
    other = new_site()
    site.answers["/feed"] = site.Reply(status=503)
    other.answers["/feed"] = other.Reply(feed(1))
    study = folder.write(target(f"{site.url}/feed"), target(f"{other.url}/feed"), limits="retries_per_target = 0")
    first, second = crawl(study)
    assert (first.parked, second.parked) == ("HTTP 503", None)
    assert len(site.paths()) == 1


def test_a_first_crawl_reads_no_further_back_than_the_study_wants(site: Any, folder: Any) -> None:
    site.answers |= {
        "/feed": site.Reply(feed(1, following="/2")),
        "/2": site.Reply(feed(2, following="/3", days_old=40)),
        "/3": site.Reply(feed(3, days_old=80)),
    }
    crawl(folder.write(target(f"{site.url}/feed"), limits="history_days = 30"))
    assert site.paths() == ["/feed", "/2"], "the page after one that is all too old is not asked for"


def test_a_page_limit_leaves_the_rest_to_the_next_crawl(site: Any, folder: Any) -> None:
    site.answers |= {
        "/feed": site.Reply(feed(1, following="/2")),
        "/2": site.Reply(feed(2, following="/3")),
        "/3": site.Reply(feed(3)),
    }
    study = folder.write(target(f"{site.url}/feed"), limits="max_pages_per_target = 2")
    assert [(r.outcome, r.new) for r in crawl(study)] == [("page limit reached; the next crawl goes on from here", 2)]
    assert [(r.outcome, r.new) for r in crawl(study)] == [("finished", 1)]


def test_a_key_that_is_not_set_parks_its_targets_and_no_others(
    site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYSTUDY_NO_SUCH_KEY", raising=False)
    site.answers["/feed"] = site.Reply(feed(1))
    study = folder.write(
        f'source = "vk"\ncommunity = "kazan"\nserver = "{site.url}"',
        target(f"{site.url}/feed"),
        cities='[credentials]\nvk = "env:CITYSTUDY_NO_SUCH_KEY"',
    )
    keyed, plain = crawl(study)
    assert keyed.parked == "the key can't be had"
    assert plain.new == 1


STEPS = st.lists(st.fixed_dictionaries({"page": st.integers(0, 5)}), max_size=6)


@given(known=STEPS, opening=st.lists(st.fixed_dictionaries({"top": st.integers(0, 3)}), max_size=3))
def test_what_is_left_of_an_earlier_visit_is_asked_after_the_opening_and_nothing_twice(
    known: list[dict[str, Any]], opening: list[dict[str, Any]]
) -> None:
    todo = unread([*opening, *known], opening)
    assert todo[::-1][: len(opening)] == opening
    assert todo[: len(todo) - len(opening)] == known


def test_a_thousand_targets_of_one_host_that_cannot_be_read_are_each_told(folder: Any) -> None:
    targets = [f'source = "mastodon"\ninstance = "https://mastodon.social"\ntag = "n{n}"' for n in range(1000)]
    results = crawl(folder.write(*targets, delay=1))
    assert len(results) == 1000
    assert {result.parked for result in results} == {"excluded: its terms of service forbid automated collection"}
