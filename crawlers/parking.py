"""Setting a target aside: the crawl goes on without it, and its reason is kept."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class Parked(IgnoreRequest):
    """Raised where a target can't be read on; names the reason and what the operator can do."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


class Held(Parked):
    """Raised where a host or a quota asks for time: what was being asked is no failure and stays to be asked."""
