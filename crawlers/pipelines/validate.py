"""First: posts that can't be used are left out, each under a named reason."""

from __future__ import annotations

from datetime import UTC, datetime

from crawlers.intake import NO_TEXT, examine
from crawlers.items import Page


class ValidatePipeline:
    """Examines every post of a page."""

    def process_item(self, item: Page) -> Page:
        """Return the page with the posts that are fit, the others counted."""
        now = datetime.now(UTC)
        kept = []
        for raw in item.posts:
            examined = examine(raw, now)
            item.altered.update(examined.altered)
            if examined.post is None:
                item.dropped[examined.dropped or NO_TEXT] += 1
            else:
                kept.append(examined.post)
        item.posts = kept
        return item
