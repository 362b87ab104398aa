"""zeeschuimer: what the browser extension Zeeschuimer captured, exported as NDJSON by itself or by 4CAT."""

from __future__ import annotations

from collections.abc import Callable

from crawlers.importers.cells import Cells
from crawlers.importers.containers.rows import Row, at
from crawlers.importers.formats import captured
from crawlers.importers.formats.base import Format
from crawlers.importers.formats.tweets import TWITTER

NOT_READ = "platform not read"

META = "__import_meta"  # where 4CAT keeps what Zeeschuimer says of an item

_PLATFORMS: dict[str, tuple[str, Callable[[Row], Cells | str]]] = {
    "tiktok.com": ("tiktok", captured.tiktok),
    "tiktok-comments": ("tiktok-comments", captured.tiktok_comment),
    "instagram.com": ("instagram", captured.instagram),
    "twitter.com": (TWITTER, captured.twitter),
    "x.com": (TWITTER, captured.twitter),
    "threads.net": ("threads", captured.threads),
    "threads.com": ("threads", captured.threads),
    "linkedin.com": ("linkedin", captured.linkedin),
}
_OTHERS = (
    "9gag.com",
    "bilibili.com",
    "douyin.com",
    "facebook.com",
    "gab.com",
    "imgur.com",
    "instagram-comments",
    "parler.com",
    "pinterest.com",
    "rednote.com",
    "truthsocial.com",
    "twitter-comments",
    "xiaohongshu.com",
)


def _platform(row: Row) -> object:
    return row.get("source_platform") or at(row, f"{META}.source_platform")


def _fits(row: Row) -> bool:
    return isinstance(_platform(row), str) and (isinstance(row.get("data"), dict) or META in row)


def _cells(row: Row) -> Cells | str:
    platform = str(_platform(row)).removeprefix("www.")
    if platform not in _PLATFORMS:
        return f"{NOT_READ}: {platform}" if platform in _OTHERS else NOT_READ
    source, read = _PLATFORMS[platform]
    cells = read(row if META in row else row["data"])
    if not isinstance(cells, str):
        cells["source"] = source
    return cells


FORMAT = Format(
    name="zeeschuimer",
    expects="items captured by Zeeschuimer: source_platform and data",
    fits=_fits,
    cells=_cells,
)
