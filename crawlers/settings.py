"""Scrapy's settings: what holds for every study, then what a study's limits set."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citystudy.config import Study

BOT_NAME: str = "citystudy"
SPIDER_MODULES: list[str] = ["crawlers.spiders"]
NEWSPIDER_MODULE: str = "crawlers.spiders"
USER_AGENT: str = f"citystudy/{version('citystudy')}"

# Off: both would let another process of this machine run code in the crawler.
REMOTE_CONTROL_ENABLED: bool = False
TELNETCONSOLE_ENABLED: bool = False

DOWNLOAD_VERIFY_CERTIFICATES: bool = True

# robots.txt is the business of our own, stricter middleware; retries too (Scrapy's knows no Retry-After).
ROBOTSTXT_OBEY: bool = False
RETRY_ENABLED: bool = False
DOWNLOADER_MIDDLEWARES: dict[str, int] = {
    "crawlers.middlewares.robots.StrictRobotsMiddleware": 100,
    "crawlers.middlewares.backoff.BackoffMiddleware": 550,
}
EXTENSIONS: dict[str, int] = {"spidermon.contrib.scrapy.extensions.Spidermon": 500}
SPIDERMON_ENABLED: bool = True
SPIDERMON_SPIDER_CLOSE_MONITORS: tuple[str, ...] = ("crawlers.monitors.CrawlMonitors",)
ITEM_PIPELINES: dict[str, int] = {
    "crawlers.pipelines.validate.ValidatePipeline": 100,
    "crawlers.pipelines.protect.ProtectPipeline": 200,
    "crawlers.pipelines.store.StorePipeline": 300,
}
# One at a time: a page must be stored, with its cursor, before the next page of its target is.
CONCURRENT_ITEMS: int = 1

CONCURRENT_REQUESTS: int = 16
CONCURRENT_REQUESTS_PER_DOMAIN: int = 1
# Jitter would undercut the study's delay, which is a promise to the sites.
DOWNLOAD_DELAY_JITTER: float = 0.0
AUTOTHROTTLE_MAX_DELAY: float = 60.0

# Costs 3 ms an answer to warn of what the type checker sees.
WARN_ON_GENERATOR_RETURN_VALUE: bool = False

# Spiders see every status, since a 304, 403 or 410 tells what to do with the target.
HTTPERROR_ALLOW_ALL: bool = True
# Scrapy drops a request with a longer address without a word, and its visit would never end.
URLLENGTH_LIMIT: int = 0
REDIRECT_MAX_TIMES: int = 5
METAREFRESH_ENABLED: bool = False
REFERRER_POLICY: str = "no-referrer"
# Also keeps tldextract, which only the cookies need, from asking the network for its list.
COOKIES_ENABLED: bool = False
DUPEFILTER_CLASS: str = "scrapy.dupefilters.BaseDupeFilter"

# Warnings name addresses of targets only; the levels below would show responses.
LOG_LEVEL: str = "WARNING"


def settings_of(study: Study) -> dict[str, Any]:
    """Return the settings that a study's limits and contact set."""
    limits = study.limits
    return {
        "USER_AGENT": f"{USER_AGENT} (+{study.study.contact})",
        "DOWNLOAD_DELAY": limits.delay_seconds,
        "AUTOTHROTTLE_ENABLED": limits.delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": limits.delay_seconds,
        "DOWNLOAD_TIMEOUT": limits.timeout_seconds,
        "DOWNLOAD_MAXSIZE": limits.max_response_mb * 1024 * 1024,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": limits.retries,
        "RETRIES_PER_TARGET": limits.retries_per_target,
    }
