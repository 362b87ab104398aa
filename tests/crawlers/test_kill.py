"""SIGKILL at any moment of a crawl: nothing lost, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

from crawlers.crawl import crawl

POSTS = 60
FEED = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>{link}{items}</channel></rss>'


def statuses(asked: Any) -> list[dict[str, Any]]:
    below, above = int(asked.query.get("max_id", 10**6)), int(asked.query.get("since_id", 0))
    shown = [n for n in range(1000 + POSTS, 1000, -1) if above < n < below][:4]
    account = {"acct": "zulfiya"}
    return [{"id": str(n), "uri": f"https://a.example/{n}", "content": f"Post {n}", "account": account} for n in shown]


def feed(asked: Any) -> str:
    page = int(asked.query.get("page", 1))
    items = "".join(
        f"<item><guid>https://f.example/{n}</guid><description>Item {n}</description></item>"
        for n in range(page * 4 - 3, page * 4 + 1)
    )
    link = f'<atom:link rel="next" href="/feed?page={page + 1}"/>' if page * 4 < POSTS else ""
    return FEED.format(link=link, items=items)


def test_a_crawl_killed_again_and_again_ends_equal_to_the_server(site: Any, new_site: Any, folder: Any) -> None:
    second = new_site()
    answered: Counter[str] = Counter()
    reached = threading.Event()
    stop_at = [0]

    def count(reply: Any) -> Any:
        answered["all"] += 1
        if answered["all"] >= stop_at[0]:
            reached.set()
            reply.wait = 0.02  # so that the kill falls into a page on its way, or into the one before being stored
        return reply

    site.answers["/api/v1/timelines/public"] = lambda asked: count(site.Reply(json.dumps(statuses(asked))))
    second.answers["/feed"] = lambda asked: count(
        second.Reply(feed(asked), headers={"Content-Type": "application/rss+xml", "ETag": '"same"'})
        if asked.headers.get("if-none-match") != '"same"' or "page" in asked.query
        else second.Reply(status=304)
    )
    study = folder.write(
        f'source = "mastodon"\nkind = "microblog"\ninstance = "{site.url}"',
        f'source = "feed"\nkind = "news"\nurl = "{second.url}/feed"',
    )
    for pages in (1, 5, 3):
        answered.clear()
        reached.clear()
        stop_at[0] = pages
        child = subprocess.Popen(
            [sys.executable, "-m", "crawlers.run", str(study)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert reached.wait(30)
        child.kill()
        child.wait()
        assert child.stdin is not None
        child.stdin.close()
    stop_at[0] = 10**9
    results = crawl(study)

    assert [result.parked for result in results] == [None, None]
    assert sum(result.new for result in results) < 2 * POSTS, "what was stored before the kills is not read as new"
    ids = Counter(post["opened"]["id"] for post in folder.posts())
    expected = [f"https://a.example/{n}" for n in range(1001, 1001 + POSTS)]
    expected += [f"https://f.example/{n}" for n in range(1, 1 + POSTS)]
    assert ids == Counter(expected)
    with folder.store() as store:
        sums = next(store.query("SELECT SUM(new) AS new, SUM(edited) AS edited FROM crawl"))
    assert sums == {"new": 2 * POSTS, "edited": 0}
