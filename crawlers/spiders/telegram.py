"""Public preview pages of Telegram channels (docs/sources/telegram.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import scrapy
from parsel import Selector
from scrapy.http import Response

from citystudy.targets import TelegramTarget
from crawlers.answers import refuse, text_of
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit

SERVICE = "service message"
MEDIA_ONLY = "media without text"
APP_ONLY = "shown in Telegram's app only"
ANOTHER_CHANNEL = "message of another channel"
PREVIEW_OFF = "preview off: this channel shows nothing to strangers"
FELL_SILENT = 'says "No posts found" where there are posts'

REDIRECTS = range(300, 400)
MOST_GAPS = 5_000
_CHOOSE = "check `channel` in the study file, or choose another channel"
_WAIT = "wait a day: Telegram answers so, too, to who asks too often; if it stays so, the channel was emptied"
_OPEN_APP = "open telegram to view"
_MESSAGE = re.compile(r"([A-Za-z]\w{3,31})/(\d{1,12})", re.ASCII)
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}
_COUNT = re.compile(r"(\d+(?:\.\d+)?)([KM]?)")
_PLACE = re.compile(r"[?&]q=(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)")


class TelegramSpider(TargetSpider[TelegramTarget]):
    """Reads what is newer than the newest message seen; the newest page is read at each visit, for edits and deletions.

    Mark: `newest`, the number of the newest message seen. A step is a stretch of messages, `before` a number (None: from
    the newest) and `above` another; `more` says that the page before it led there.
    """

    name = "telegram"
    target_type = TelegramTarget
    look_batch = 20

    def opening(self, visit: Visit[TelegramTarget]) -> list[Step]:
        """Begin with the newest messages."""
        return [{"before": None, "above": visit.mark.get("newest", 0)}]

    def request(self, visit: Visit[TelegramTarget], step: Step) -> scrapy.Request:
        """Ask for a page of previews; a redirect is an answer here, not a way."""
        before = max(_numbers(step)) + 1 if AGAIN in step else step["before"]
        query = f"?before={before}" if before else ""
        url = f"{visit.target.server.rstrip('/')}/s/{visit.target.channel}{query}"
        return self.ask(visit, step, url, meta={"dont_redirect": True})

    def read(self, visit: Visit[TelegramTarget], step: Step, response: Response) -> Found:
        """Return the messages of a page, those missing between them, and the page before it."""
        if response.status in REDIRECTS:
            raise Parked(PREVIEW_OFF, _CHOOSE)
        refuse(response, "channel")
        page = Selector(text=text_of(response))
        if not page.css(".tgme_channel_history"):
            raise Parked("answered another page than a channel's preview", _CHOOSE)
        channel = visit.target.channel.lower()
        found = messages_of(page, channel)
        shown = sorted(_shown(page, channel))
        if not _is_whole(response.body):
            found.broken = "the page broke off"
            return found
        if not shown:
            return _nothing_shown(page, step)
        if AGAIN in step:
            return _looked_again(step, found, shown)
        end = step["before"] - 1 if step["before"] else shown[-1]
        found.gone = _missing(shown, end, channel)
        if step["before"] is None:
            found.mark["newest"] = max(shown[-1], step["above"])
        if shown[0] > max(step["above"] + 1, 1) and not self.too_old(found.posts):
            more = bool(page.css("a.tme_messages_more[data-before]"))
            found.next = [{"before": shown[0], "above": step["above"], "more": more}]
        return found


def messages_of(page: Selector, channel: str) -> Found:
    """Return the messages of a preview page as posts; service messages and media without words are counted."""
    found = Found()
    for message in page.css(".tgme_widget_message[data-post]"):
        number = _number(message.attrib["data-post"], channel)
        if number is None:
            found.dropped[ANOTHER_CHANNEL] += 1
            continue
        if "service_message" in message.attrib.get("class", ""):
            found.dropped[SERVICE] += 1
            continue
        text = _text(message)
        if not text:
            found.dropped[APP_ONLY if _for_the_app(message) else MEDIA_ONLY] += 1
            continue
        found.posts.append(_post(message, channel, number, text))
    return found


def _post(message: Selector, channel: str, number: int, text: str) -> RawPost:
    written = message.css(".tgme_widget_message_date time::attr(datetime)").get()
    created_at = parse_date(written)
    signed = message.css(".tgme_widget_message_from_author::text").get()
    views = read_count(message.css(".tgme_widget_message_views::text").get())
    place = _PLACE.search(message.css(".tgme_widget_message_location_wrap::attr(href)").get() or "")
    answered = message.css(".tgme_widget_message_reply::attr(href)").get() or ""
    above = re.search(rf"/{re.escape(channel)}/(\d+)", answered, re.IGNORECASE)
    return RawPost(
        native_id=f"{channel}/{number}",
        text=text,
        # Whoever signs or is forwarded, it is the channel that says it to the city.
        author=f"channel {channel}",
        author_names=(signed,) if signed else (),
        url=f"https://t.me/{channel}/{number}",
        parent=f"{channel}/{above[1]}" if above else None,
        created_at=created_at,
        counts={"views": views} if views is not None else None,
        latitude=float(place[1]) if place else None,
        longitude=float(place[2]) if place else None,
        flaws=(DATE_UNREADABLE,) if written and created_at is None else (),
    )


def _text(message: Selector) -> str:
    """Return what a message says: its text, else a poll's question."""
    texts = message.css(".js-message_text") or message.css(".tgme_widget_message_poll_question")
    return html_to_text(texts[-1].get()) if texts else ""


def read_count(shown: str | None) -> int | None:
    """Return a count as Telegram writes it ('987', '1.2K', '3M'), None where there is none."""
    match = _COUNT.fullmatch((shown or "").strip())
    return round(float(match[1]) * _UNITS[match[2]]) if match else None


def _number(data_post: str, channel: str) -> int | None:
    """Return a message's number from a `data-post` such as kazan_talk/7; None for another channel's."""
    match = _MESSAGE.fullmatch(data_post)
    return int(match[2]) if match and match[1].lower() == channel else None


def _for_the_app(message: Selector) -> bool:
    """Tell whether a page shows a notice in a message's place; one about media alone stands beside each video."""
    return any(_OPEN_APP in label.lower() for label in message.css(".message_media_not_supported_label::text").getall())


def _is_whole(body: bytes) -> bool:
    """Tell whether a page goes on to the end of its list of messages; after </html> comes a comment."""
    history = body[body.find(b"tgme_channel_history") :]
    return b"</section>" in history or b"</html>" in history


def _nothing_shown(page: Selector, step: Step) -> Found:
    """Return that there is nothing; raises Parked where a page that says so can't be believed, or does not say so."""
    if not page.css(".tme_no_messages_found"):
        raise Parked("answered a page without messages", _CHOOSE)
    # Deleting what a second look asked for, or ending a stretch, on such a page would lose posts that are there.
    if AGAIN in step or step.get("more") or (step["before"] is None and step["above"]):
        raise Parked(FELL_SILENT, _WAIT)
    return Found(quiet=True)


def _shown(page: Selector, channel: str) -> Iterator[int]:
    for message in page.css(".tgme_widget_message[data-post]::attr(data-post)").getall():
        number = _number(message, channel)
        if number is not None:
            yield number


def _missing(shown: list[int], end: int, channel: str) -> list[str]:
    """Return the ids of messages that a page passes over between its first and `end`: a gap is a deletion."""
    gaps = set(range(max(shown[0], end - MOST_GAPS), end + 1)) - set(shown)
    return [f"{channel}/{number}" for number in sorted(gaps)]


def _numbers(step: Step) -> list[int]:
    return [int(native_id.rpartition("/")[2]) for native_id, _ in step[AGAIN]]


def _looked_again(step: Step, found: Found, shown: list[int]) -> Found:
    """Return what became of messages that were asked for again; those older than the page are asked for in their turn."""
    asked = dict(zip(_numbers(step), step[AGAIN], strict=True))
    covered = {number for number in asked if number >= shown[0]}
    kept = Found(posts=[post for post in found.posts if int(post.native_id.rpartition("/")[2]) in asked])
    kept.gone = [asked[number][0] for number in sorted(covered - set(shown))]
    older = [pair for number, pair in asked.items() if number not in covered]
    if older:
        kept.next = [{AGAIN: older}]
    return kept
