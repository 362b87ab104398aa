"""The posts and comments of a WordPress site, read through its REST API (developer.wordpress.org/rest-api/reference).

A collection is read newest first in stretches: `below` a moment and `above` another. Pages are asked for by the date
where the page before ended, since page numbers shift when something is deleted meanwhile. The API compares and sorts
by the site's own clock, so moments of steps and marks are its local ones, without a zone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from scrapy.http import Response

from crawlers.answers import header, json_of, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE, NO_ID
from crawlers.items import RawPost
from crawlers.markup import html_to_text
from crawlers.parking import Parked
from crawlers.visits import AGAIN, Found, Step

PER_PAGE = 100  # the most that the API gives at once
PROTECTED = "protected by a password"

# How far later visits read back behind the newest one seen. Comments are dated when they are written and appear when a
# moderator lets them; of posts, two hours cover a site's clock that is put back.
OVERLAP = {"posts": timedelta(hours=2), "comments": timedelta(days=7)}
FIELDS = {
    "posts": "id,date,date_gmt,modified,modified_gmt,link,title,content,author,_links.author,_embedded",
    "comments": "id,post,parent,author,author_name,date,date_gmt,link,content",
}
_OURS = {"per_page", "page", "offset", "order", "orderby", "include", "exclude", "context", "_fields", "_embed"}
_MEND = "name the site's feed (…/feed/, …/comments/feed/) in `url` instead, ask the site's owner, or remove the target"
_REFUSED = frozenset({401, 402, 403, 404, 410, 451})
_ROUTE = re.compile(r"/wp/v2/(posts|comments)/*$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_CODE = re.compile(r"[\w-]{1,60}")
_NEXT = re.compile(r'rel="?next"?', re.IGNORECASE)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Collection:
    """The `posts` or `comments` of the site at `home`; `url` may narrow them by parameters of its own."""

    kind: str
    home: str
    url: str

    @property
    def host(self) -> str:
        """The site's host."""
        return urlsplit(self.home).netloc

    def opening(self, mark: Mapping[str, Any]) -> list[Step]:
        """Return the first steps: what is newer than the newest seen, then what was changed since.

        Both are needed: a post that appears at a time set before was changed before it appeared.
        """
        stretches: list[Step] = [{"by": "date", "below": None, "above": self._back(mark.get("date")), "page": 1}]
        if mark.get("modified"):
            changed = {"by": "modified", "below": None, "above": self._back(mark["modified"]), "page": 1}
            stretches.append(changed)
        return stretches

    def address(self, step: Step) -> str:
        """Return what to ask for a step."""
        asks: dict[str, str | int] = {"per_page": PER_PAGE, "_fields": FIELDS[self.kind]}
        if self.kind == "posts":
            asks["_embed"] = "author"
        if AGAIN in step:
            asks["include"] = ",".join(ref for _, ref in step[AGAIN])
        else:
            asks |= {"orderby": step["by"], "order": "desc", "page": step["page"]}
            prefix = "modified_" if step["by"] == "modified" else ""
            bounds = {f"{prefix}before": step["below"], f"{prefix}after": step["above"]}
            asks |= {name: moment for name, moment in bounds.items() if moment}
        parts = urlsplit(self.url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        own = [(name, value) for name, value in given if name not in _OURS | asks.keys()]
        return urlunsplit(parts._replace(query=urlencode([*own, *asks.items()], safe="/:,"), fragment=""))

    def page(self, step: Step, response: Response, mark: Mapping[str, Any], seen: set[str]) -> Found:
        """Return a page of a stretch and the step below it; adds to `seen`; raises Parked.

        Of what this stretch has shown before, nothing comes again.
        """
        entries = _entries(response, step)
        by, below, above = step["by"], step["below"], step["above"]
        shown = {f"{by} {entry.get('id')}": entry for entry in entries if isinstance(entry, dict)}
        found = Found(quiet=not entries and above is not None)
        found.dropped.update([NO_ID] * (len(entries) - len(shown)))
        for key, entry in shown.items():
            if key in seen:
                continue
            post, reason = self._read(entry)
            if post is not None:
                found.posts.append(post)
            else:
                found.dropped[reason] += 1
        if below is None and step["page"] == 1:
            found.mark = self._mark([*shown.values()], by, mark)
        moments = [moment for entry in shown.values() if (moment := _moment(entry.get(by)))]
        ends = step["page"] > 1 and seen.issuperset(shown)
        seen.update(shown)
        reached = above is not None and any(moment < above for moment in moments)
        if shown and not reached and _goes_on(response, step["page"], otherwise=not ends):
            found.next = [_below(step, moments)]
        return found

    def looked_again(self, step: Step, response: Response) -> Found:
        """Return which of the posts looked at again are there, and which are gone; raises Parked."""
        entries = {str(entry.get("id")): entry for entry in _entries(response, step) if isinstance(entry, dict)}
        asked = {ref: native_id for native_id, ref in step[AGAIN]}
        if not entries.keys() <= asked.keys():
            return Found()  # the site does not know `include` and shows whatever it shows
        found = Found()
        whole_answer = not _goes_on(response, 1, otherwise=False)
        for ref, native_id in asked.items():
            post, reason = self._read(entries[ref]) if ref in entries else (None, None)
            if post is not None:
                found.posts.append(post)
            elif reason == PROTECTED or (ref not in entries and whole_answer):
                found.gone.append(native_id)
        return found

    def _mark(self, entries: Sequence[Mapping[str, Any]], by: str, mark: Mapping[str, Any]) -> dict[str, str]:
        """Return the newest moments of a first page."""
        fields = [by] if "modified" in mark or self.kind == "comments" else [by, "modified"]
        newest = {name: max(_past_moments(entries, name), default=None) for name in fields}
        return {name: max(moment, mark.get(name, "")) for name, moment in newest.items() if moment}

    def _back(self, moment: str | None) -> str | None:
        """Return the moment down to which a later visit reads."""
        return _shifted(moment, -OVERLAP[self.kind]) if moment else None

    def _read(self, entry: Mapping[str, Any]) -> tuple[RawPost | None, str]:
        """Return a post, or None and the reason for leaving it out."""
        number, content = whole(entry.get("id")), entry.get("content")
        if number is None:
            return None, NO_ID
        if isinstance(content, dict) and content.get("protected") is True:
            return None, PROTECTED
        written = entry.get("date_gmt") or entry.get("date")
        created, changed = parse_date(written), parse_date(entry.get("modified_gmt"))
        post, parent = whole(entry.get("post")) or 0, whole(entry.get("parent")) or 0
        thread = f"{self.home}/?p={post}" if self.kind == "comments" and post else None
        author, names = self._author(entry)
        native_id = f"{thread or self.home}#comment-{number}" if self.kind == "comments" else f"{self.home}/?p={number}"
        return RawPost(
            native_id=native_id,
            title=html_to_text(_rendered(entry.get("title"))),
            text=html_to_text(_rendered(content)),
            author=author,
            author_names=names,
            url=words(entry.get("link")) or None,
            thread=thread,
            parent=f"{thread}#comment-{parent}" if thread and parent else None,
            ref=str(number),
            created_at=created,
            edited_at=changed if changed and created and changed > created else None,
            flaws=(DATE_UNREADABLE,) if written and created is None else (),
        ), ""

    def _author(self, entry: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
        """Return who wrote it, by number or, for guests, by name as in feeds; and the names that may stand in texts."""
        name = words(entry.get("author_name")).strip()
        number = whole(entry.get("author")) or 0
        if number > 0:
            return f"{self.host} {number}", (name, *_embedded_names(entry)) if name else _embedded_names(entry)
        return (f"{name} {self.host}", (name,)) if name else (None, ())


def collection_of(url: str) -> Collection | None:
    """Return the collection at an address such as …/wp-json/wp/v2/posts or …/?rest_route=/wp/v2/posts, None elsewhere."""
    parts = urlsplit(url)
    route = dict(parse_qsl(parts.query)).get("rest_route")
    found = _ROUTE.search(parts.path if route is None else route)
    if found is None:
        return None
    # Before the route stands the API's own folder, wp-json or what a site calls it.
    folder = parts.path.rstrip("/") if route is not None else parts.path[: found.start()].rpartition("/")[0]
    return Collection(found[1], f"{parts.scheme}://{parts.netloc}{folder.removesuffix('/index.php')}", url)


def _entries(response: Response, step: Step) -> list[Any]:
    """Return the list in an answer; raises Parked for every other answer."""
    code = "" if response.status == HTTPStatus.OK else _error_code(_json_or_none(response))
    if code == "rest_post_invalid_page_number" and step.get("page", 1) > 1:
        return []
    if code and response.status in _REFUSED:
        raise Parked(f"closed: the site's REST API says {code}", _MEND)
    if code and response.status == HTTPStatus.BAD_REQUEST:
        raise Parked(f"the site's REST API refuses what it is asked ({code})", _MEND)
    refuse(response, "url")
    entries = json_of(response)
    if not isinstance(entries, list):
        code = _error_code(entries)
        raise Parked(f"closed: the site's REST API says {code}" if code else "the answer is not a list of posts", _MEND)
    return entries


def _json_or_none(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def _error_code(answer: object) -> str:
    code = words(answer.get("code")) if isinstance(answer, dict) else ""
    return code if _CODE.fullmatch(code) else ""


def _goes_on(response: Response, page: int, *, otherwise: bool) -> bool:
    """Tell whether the answer has further pages; `otherwise` where its headers do not say."""
    pages = whole(header(response, "X-WP-TotalPages"))
    if pages is not None:
        return page < pages
    links = ", ".join(value.decode("latin-1") for value in response.headers.getlist("Link"))
    return True if _NEXT.search(links) else otherwise


def _below(step: Step, moments: list[str]) -> Step:
    """Return the step of the page below this one.

    It begins a second later than this one ended, since more may be of that second. Where a date leads no further (all
    of one second), a page number does; `numbered` where the site does not know the bound (before WordPress 5.7).
    """
    bound = step["below"]
    if "numbered" in step or (bound is not None and any(moment >= bound for moment in moments)):
        return {**step, "page": step["page"] + 1, "numbered": True}
    below = _shifted(min(moments), _SECOND) if moments else None
    if below is None or (bound is not None and below >= bound):
        return {**step, "page": step["page"] + 1}
    return {**step, "below": below, "page": 1}


def _past_moments(entries: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the moments of entries but for those in the future, which would hide whatever comes before them."""
    latest = datetime.now(UTC) + _DAY
    return [
        moment
        for entry in entries
        if (moment := _moment(entry.get(name))) and (parse_date(entry.get(f"{name}_gmt")) or latest) <= latest
    ]


def _moment(value: object) -> str | None:
    found = _MOMENT.match(value) if isinstance(value, str) else None
    return found[0] if found and parse_date(found[0]) else None


def _shifted(moment: str, by: timedelta) -> str | None:
    try:
        return (datetime.fromisoformat(moment) + by).isoformat(timespec="seconds")
    except OverflowError:
        return None


def _rendered(value: object) -> str:
    return words(value.get("rendered")) if isinstance(value, dict) else ""


def _embedded_names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    embedded = entry.get("_embedded")
    authors = embedded.get("author") if isinstance(embedded, dict) else None
    first = authors[0] if isinstance(authors, list) and authors and isinstance(authors[0], dict) else {}
    return tuple(name for key in ("name", "slug") if (name := words(first.get(key)).strip()))
