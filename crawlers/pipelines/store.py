"""Third: a page's posts, its counts and its target's cursor are stored together or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from scrapy.exceptions import DropItem

from citystudy.errors import CityStudyError
from crawlers.items import ReadyPage
from crawlers.spiders.base import gathering_spider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StorePipeline:
    """Writes pages to the study's database and tells how far each target is."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the pipeline of a crawler."""
        return cls(crawler)

    def process_item(self, item: ReadyPage) -> ReadyPage:
        """Store the page; when the database fails, the crawl ends and no later page moves a cursor."""
        spider = gathering_spider(self._crawler)
        page = item.page
        if spider.failure is not None:
            raise DropItem("the database failed before")
        visit = spider.visits[page.target_id]
        try:
            saved = spider.store.save_posts(
                visit.crawl,
                item.posts,
                page.dropped,
                altered=page.altered,
                gone=item.gone,
                looked=item.looked,
                target=page.target_id,
                cursor=spider.sealed_cursor(page.cursor),
            )
            if page.ends is not None:
                spider.store.end_crawl(visit.crawl, page.ends)
        except CityStudyError as error:
            spider.failure = error
            self._stop = asyncio.ensure_future(spider.crawler.engine.close_spider_async(reason="database"))
            raise DropItem("the database failed") from None
        visit.tally.add(saved, page)
        spider.tell(visit, page.ends, parked=page.parked)
        return item
