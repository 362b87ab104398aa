"""robots.txt and back-off, as a site sees them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from crawlers.crawl import crawl

FEED = '<rss version="2.0"><channel><item><guid>https://x.example/1</guid><description>Text</description></item></channel></rss>'


def target(url: str) -> str:
    return f'source = "feed"\nkind = "news"\nurl = "{url}"'


def test_robots_txt_is_asked_first_and_obeyed(new_site: Any, folder: Any) -> None:
    sites = {}
    times: list[float] = []

    def timed(asked: Any) -> Any:
        times.append(time.monotonic())
        return other.Reply(FEED)

    def set_up(name: str, robots: Any) -> None:
        sites[name] = new_site()
        sites[name].answers["/feed"] = sites[name].Reply(FEED)
        if robots is not None:
            sites[name].answers["/robots.txt"] = robots(sites[name])

    other = new_site()
    other.answers["/rules"] = other.Reply("User-agent: *\nDisallow: /feed\n")
    set_up("none", None)
    set_up("allows", lambda s: s.Reply("User-agent: *\nDisallow: /private\n"))
    set_up("forbids", lambda s: s.Reply("User-agent: citystudy\nDisallow: /feed\n"))
    set_up("error", lambda s: s.Reply(status=500))
    set_up("refuses", lambda s: s.Reply(status=403))
    set_up("limits", lambda s: s.Reply(status=429, headers={"Retry-After": "0"}))
    set_up("moved", lambda s: s.Reply(status=302, headers={"Location": f"{other.url}/rules"}))
    set_up("circle", lambda s: s.Reply(status=302, headers={"Location": "/robots.txt"}))
    set_up("silent", lambda s: s.Reply(wait=60))
    set_up("patient", lambda s: s.Reply("User-agent: *\nCrawl-delay: 0.7\n"))
    sites["patient"].answers |= {"/feed": timed, "/more": timed}
    set_up("slow", lambda s: s.Reply("User-agent: *\nCrawl-delay: 500\n"))

    addresses = [f"{s.url}/feed" for s in sites.values()] + [f"{sites['patient'].url}/more"]
    results = crawl(folder.write(*map(target, addresses)))

    assert {name: result.parked for name, result in zip(sites, results, strict=False)} == {
        "none": None,
        "allows": None,
        "forbids": "robots.txt forbids it",
        "error": "robots.txt answered HTTP 500",
        "refuses": "robots.txt answered HTTP 403",
        "limits": "robots.txt answered HTTP 429",
        "moved": "robots.txt forbids it",
        "circle": "robots.txt redirects without end",
        "silent": "robots.txt gave no answer",
        "patient": None,
        "slow": "robots.txt asks for 500 s between requests",
    }
    for name, site in sites.items():
        allowed = {"none": ["/feed"], "allows": ["/feed"], "patient": ["/feed", "/more"]}
        assert site.paths() == allowed.get(name, []), name
        assert site.asked[0].path == "/robots.txt"
        assert site.asked[0].headers["user-agent"].endswith("(+tests@example.org)")
        assert "cookie" not in site.asked[-1].headers
    assert times[1] - times[0] > 0.65
    assert len([a for a in sites["error"].asked if a.path == "/robots.txt"]) == 2, "retried once, as the study says"
    assert len([a for a in sites["circle"].asked if a.path == "/robots.txt"]) == 6


def test_what_may_pass_is_tried_again_as_late_as_asked_then_parked(new_site: Any, folder: Any) -> None:
    busy, dated, failing, patient, silent, fine = (new_site() for _ in range(6))
    times: list[float] = []

    def once(site: Any, header: Any) -> Any:
        def answer(asked: Any) -> Any:
            times.append(time.monotonic())
            if len([a for a in site.asked if a.path == "/feed"]) == 1:
                return site.Reply(status=429, headers={"Retry-After": header()})
            return site.Reply(FEED)

        return answer

    busy.answers["/feed"] = once(busy, lambda: "1")
    dated.answers["/feed"] = lambda asked: (
        dated.Reply(FEED)
        if len(dated.paths()) > 1
        else dated.Reply(
            status=503,
            headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)},
        )
    )
    failing.answers["/feed"] = failing.Reply(status=502)
    patient.answers["/feed"] = patient.Reply(status=429, headers={"Retry-After": "3600"})
    silent.answers["/feed"] = silent.Reply(FEED, wait=60)
    fine.answers["/feed"] = fine.Reply(FEED)
    sites = (busy, dated, failing, patient, silent, fine)

    results = crawl(folder.write(*(target(f"{s.url}/feed") for s in sites)))

    assert [result.parked for result in results] == [
        None,
        None,
        "HTTP 502",
        "HTTP 429: asks to be left alone for 3600 s",
        "no answer in time",
        None,
    ]
    assert times[1] - times[0] >= 1
    assert [len(s.paths()) for s in sites] == [2, 2, 2, 1, 2, 1]


def test_a_host_is_asked_one_thing_at_a_time(site: Any, folder: Any) -> None:
    running = 0
    most = 0

    def feed(asked: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.1)
        running -= 1
        return site.Reply("[]" if "timelines" in asked.path else FEED)

    paths = [f"/{n}" for n in range(4)]
    site.answers |= dict.fromkeys([*paths, "/api/v1/timelines/public", "/api/v2/instance"], feed)
    mastodon = f'source = "mastodon"\nkind = "microblog"\ninstance = "{site.url}"'
    results = crawl(folder.write(*(target(site.url + path) for path in paths), mastodon))
    assert [result.parked for result in results] == [None] * 5
    assert most == 1
