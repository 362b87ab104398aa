"""A crawl that is killed on its way."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 1.5
PAGE_SECONDS = 0.15  # two or three pages long, so that any step of a page may be hit


def crawl_killed(study: Path, pages: int, chance: random.Random) -> None:
    """Crawl a study and SIGKILL the crawl a random moment after it has told of `pages` pages (0: while it starts)."""
    with subprocess.Popen(
        [sys.executable, "-m", "crawlers.run", str(study)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        for _ in range(pages):
            child.stdout.readline()
        time.sleep(chance.uniform(0, PAGE_SECONDS if pages else START_SECONDS))
        child.kill()
