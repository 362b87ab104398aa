"""robots.txt by RFC 9309, read strictly: no clear answer means stay away."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

AGENT = "citystudy"
PARSED_BYTES = 500 * 1024  # RFC 9309, 2.5
MAX_REDIRECTS = 5  # RFC 9309, 2.3.1.2
CACHE_SECONDS = 24 * 3600  # RFC 9309, 2.4

_REFUSED = {401, 403, 429}


@dataclass(frozen=True, slots=True)
class RobotRules:
    """What a site's robots.txt lets this crawler do."""

    away: str | None = None
    rules: Protego | None = None

    def forbids(self, url: str) -> str | None:
        """Return why `url` may not be asked for, None when it may."""
        if self.away is not None:
            return self.away
        if self.rules is not None and not self.rules.can_fetch(url, AGENT):
            return "robots.txt forbids it"
        return None

    @property
    def delay_seconds(self) -> float:
        """The pause between two requests that the site asks for; 0 when it asks for none."""
        if self.rules is None:
            return 0.0
        delay = self.rules.crawl_delay(AGENT) or 0.0
        rate = self.rules.request_rate(AGENT)
        return max(delay, rate.seconds / rate.requests if rate and rate.requests else 0.0)


def rules_of(status: int | None, body: bytes = b"") -> RobotRules:
    """Return the rules that an answer to robots.txt sets; status None means that no answer came.

    2xx: as written. 5xx, 429, 401, 403, no answer, too many redirects: stay away. Any other 4xx: no rules.
    """
    if status is None:
        return RobotRules(away="robots.txt gave no answer")
    match status // 100:
        case 2:
            return RobotRules(rules=Protego.parse(body[:PARSED_BYTES].decode("utf-8-sig", "replace")))
        case 3:
            return RobotRules(away="robots.txt redirects without end")
        case 4 if status not in _REFUSED:
            return RobotRules()
    return RobotRules(away=f"robots.txt answered HTTP {status}")
