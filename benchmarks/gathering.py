"""Pages a second: our `mastodon` spider into a study's database against a bare Scrapy spider into a JSON Lines file.

    python -m benchmarks.gathering [--pages 600] [--runs 5]

Both follow the same timeline of the same server on this machine, 40 posts a page, one page after another, in processes
of their own and in turns (ours, bare, ours, …). Ours validates, makes pseudonyms, seals ids, redacts and stores each
page in one transaction of SQLite, its cursor with it; the bare one yields one item a post to `-O out.jsonl`. A run's
time is that of the whole process less the time the same process takes for one page, so that start-up does not count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

PAGE = 40
START = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = (
    "Автобус {n} опять не пришёл, на остановке ни навеса, ни скамейки, а звонок по номеру +7 843 555 12 34 не помог",
    'ایستگاه {n} آسانسور ندارد <a href="https://social.example/tags/metro" class="mention hashtag">#<span>metro</span></a>',
    "الزحمة على الجسر رقم {n} لا تطاق منذ الصباح ولا أحد ينظم السير",
    "No bench and no shade at stop {n}; see https://example.org/{n} for what it looked like before they took it away",
)
STUDY = """
[study]
name = "benchmark"
question = "How fast?"
contact = "bench@example.org"
[limits]
delay_seconds = 0
max_pages_per_target = {pages}
[[cities]]
name = "Kazan"
country = "RU"
languages = ["ru"]
[[cities.targets]]
source = "mastodon"
instance = "{address}"
"""
BARE = """
import json
import scrapy


class Bare(scrapy.Spider):
    name = "bare"
    custom_settings = {{
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0, "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False,
        "CLOSESPIDER_PAGECOUNT": {pages},
    }}
    start_urls = ["{address}/api/v1/timelines/public?limit=40&local=true"]

    def parse(self, response):
        for status in json.loads(response.body):
            yield {{
                "id": status["uri"], "url": status["url"], "text": status["content"],
                "author": status["account"]["acct"], "created_at": status["created_at"],
                "likes": status["favourites_count"], "replies": status["replies_count"],
            }}
        link = response.headers.get("Link")
        if link:
            yield scrapy.Request(link.decode().split(">")[0][1:], callback=self.parse)
"""


def status(number: int) -> dict[str, Any]:
    person = f"person{number % 500}"
    return {
        "id": str(10**9 + number),
        "uri": f"https://social.example/users/{person}/statuses/{number}",
        "url": f"https://social.example/@{person}/{number}",
        "created_at": (START + timedelta(minutes=number)).isoformat(),
        "content": f"<p>{TEXTS[number % len(TEXTS)].format(n=number)}</p>",
        "visibility": "public",
        "language": "ru",
        "replies_count": number % 3,
        "reblogs_count": 0,
        "favourites_count": number % 7,
        "account": {"acct": person, "display_name": person.title(), "bot": False},
    }


def serve(pages: int, ready: Any) -> None:
    """Serve the timeline: every page is made beforehand, so that the server is not what is timed."""
    last = pages * PAGE
    made = {
        newest: json.dumps([status(n) for n in range(newest, newest - PAGE, -1)], ensure_ascii=False).encode()
        for newest in range(last, 0, -PAGE)
    }

    async def timeline(request: web.Request) -> web.Response:
        newest = int(request.query["max_id"]) - 10**9 - 1 if "max_id" in request.query else last
        headers = {"Content-Type": "application/json"}
        if newest > PAGE:
            address = f"http://{request.host}/api/v1/timelines/public?limit=40&local=true"
            headers["Link"] = f'<{address}&max_id={10**9 + newest - PAGE + 1}>; rel="next"'
        return web.Response(body=made[newest], headers=headers)

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/api/v1/timelines/public", timeline)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.send(runner.addresses[0][1])
        await asyncio.sleep(3600)

    asyncio.run(run())


def ours(address: str, pages: int) -> int:
    """Crawl into a new study; return the posts stored."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.toml"
        study.write_text(STUDY.format(address=address, pages=pages))
        (Path(folder) / "study.secret").write_text("a secret of the benchmark")
        command = [sys.executable, "-m", "crawlers.run", str(study)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            *_, end = child.stdout
        return int(json.loads(end)["new"])


def bare(address: str, pages: int) -> int:
    """Crawl into a JSON Lines file; return the posts written."""
    with tempfile.TemporaryDirectory() as folder:
        spider = Path(folder) / "bare.py"
        spider.write_text(BARE.format(address=address, pages=pages))
        command = [sys.executable, "-m", "scrapy", "runspider", str(spider), "-O", "out.jsonl", "-L", "WARNING"]
        subprocess.run(command, cwd=folder, check=True)
        return sum(1 for _ in (Path(folder) / "out.jsonl").open())


def timed(crawl: Callable[[str, int], int], address: str, pages: int) -> float:
    begin = time.perf_counter()
    posts = crawl(address, pages)
    spent = time.perf_counter() - begin
    assert posts >= pages * PAGE, f"{posts} posts of {pages} pages"
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    receive, send = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(options.pages, send), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{receive.recv()}"
    ratios, speeds = [], {"ours": [], "bare": []}  # type: ignore[var-annotated]
    try:
        for _ in range(options.runs):
            speed = {}
            for name, crawl in (("ours", ours), ("bare", bare)):
                start_up = timed(crawl, address, 1)
                speed[name] = (options.pages - 1) / (timed(crawl, address, options.pages) - start_up)
                speeds[name].append(speed[name])
            ratios.append(speed["ours"] / speed["bare"])
            print(
                f"ours {speed['ours']:.0f} pages/s, bare {speed['bare']:.0f} pages/s, ratio {ratios[-1]:.2f}",
                flush=True,
            )
    finally:
        server.terminate()
    for name, found in speeds.items():
        print(
            f"{name}: median {statistics.median(found):.0f} pages/s of {PAGE} posts ({min(found):.0f}-{max(found):.0f})"
        )
    print(f"ratio ours / bare: median {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    main()
