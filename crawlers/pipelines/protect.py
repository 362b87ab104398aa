"""Second: nothing personal goes on in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from citystudy.store import now
from crawlers.intake import protect
from crawlers.items import Page, ReadyPage
from crawlers.spiders.base import gathering_spider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class ProtectPipeline:
    """Makes pseudonyms, seals ids and redacts texts with the study's secret."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the pipeline of a crawler."""
        return cls(crawler)

    def process_item(self, item: Page) -> ReadyPage:
        """Return the page with its posts as they may be stored."""
        spider = gathering_spider(self._crawler)
        place = spider.visits[item.target_id].place
        fetched_at = now()
        posts = [protect(post, place, spider.secret, fetched_at) for post in item.posts]
        gone, looked = ([spider.secret.key(place.source, i) for i in ids] for ids in (item.gone, item.looked))
        return ReadyPage(page=item, posts=posts, gone=gone, looked=looked)
