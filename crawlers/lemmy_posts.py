"""Posts and comments as Lemmy (API v3 and v4) and PieFed show them: the same views under differing names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from crawlers.answers import objects, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markdown import markdown_to_text
from crawlers.parking import Parked

Kind = Literal["post", "comment"]

NOT_A_POST = "not a post"
DELETED = "deleted by its author"
REMOVED = "removed by moderators"
BOT = "bot account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A post or comment as a listing shows it: to be kept, or the reason to leave it out.

    `native_id` is its ActivityPub address, None where it has none; `gone` says that its text must be forgotten.
    """

    native_id: str | None = field(default=None, repr=False)
    post: RawPost | None = None
    reason: str | None = None
    published: datetime | None = None

    @property
    def gone(self) -> bool:
        """Whether it was deleted or removed."""
        return self.reason in {DELETED, REMOVED}


@dataclass(frozen=True, slots=True)
class Community:
    """The community that a target names, and the server that is asked for it."""

    name: str
    home: str | None
    instance: str

    @classmethod
    def of(cls, name: str, instance: str) -> Community:
        """Return the community of a name such as 'leeds' or 'leeds@feddit.uk'."""
        local, _, home = name.partition("@")
        return cls(local.casefold(), home.casefold() or None, (urlsplit(instance).hostname or "").casefold())

    def is_shown_as(self, community: object) -> bool:
        """Tell whether a view's community is this one; a server leaves out what it does not understand of a query."""
        shown = _mapping(community)
        home = urlsplit(_address(shown) or "").hostname
        here = shown.get("local") is True and self.home in {None, self.instance}
        return words(shown.get("name")).casefold() == self.name and (here or (self.home or self.instance) == home)


def read_view(view: Mapping[str, Any], kind: Kind, languages: Mapping[int, str], addresses: Mapping[int, str]) -> Shown:
    """Return a post view or a comment view.

    `languages` are the codes of the server's language numbers, `addresses` those of comments by the server's numbers,
    by which a comment names its parent.
    """
    item, creator = _mapping(view.get(kind)), _mapping(view.get("creator"))
    number, native_id = whole(item.get("id")), _address(item)
    if number is None or native_id is None:
        return Shown(reason=NOT_A_POST)
    stated = item.get("published_at") or item.get("published")
    published = parse_date(stated)
    reason = _reason(item, creator)
    if reason is not None:
        return Shown(native_id=native_id, reason=reason, published=published)
    is_post = kind == "post"
    of_post = None if is_post else _address(_mapping(view.get("post")))
    post = RawPost(
        native_id=native_id,
        title=words(item.get("name") or item.get("title")) if is_post else "",
        text=markdown_to_text(words(item.get("body") or item.get("content"))),
        author=_address(creator),
        author_names=_names(creator),
        url=native_id,
        thread=of_post,
        parent=None if is_post else _parent(words(item.get("path")), of_post, addresses),
        ref=f"{kind}:{number}",
        created_at=published,
        edited_at=parse_date(item.get("updated_at") or item.get("updated")),
        declared_lang=languages.get(whole(item.get("language_id")) or 0),
        counts=_counts({**item, **_mapping(view.get("counts"))}, "comments" if is_post else "child_count"),
        flaws=(DATE_UNREADABLE,) if stated is not None and published is None else (),
    )
    return Shown(native_id=native_id, post=post, published=published)


def addresses_of(views: list[Any]) -> dict[int, str]:
    """Return the addresses of the comments in comment views by the server's numbers."""
    comments = [_mapping(_mapping(view).get("comment")) for view in views]
    found = ((whole(comment.get("id")), _address(comment)) for comment in comments)
    return {number: address for number, address in found if number is not None and address is not None}


def languages_of(site: object) -> dict[int, str]:
    """Return the codes of a server's language numbers, from what it says of itself; the undetermined one is left out."""
    shown = _mapping(site)
    entries = objects(shown.get("all_languages")) or objects(_mapping(shown.get("site")).get("all_languages"))
    found = ((whole(entry.get("id")), words(entry.get("code"))) for entry in entries)
    return {number: code for number, code in found if number is not None and code not in {"", "und"}}


def community_number(body: Mapping[str, Any], community: Community) -> int:
    """Return the server's number of a community from `community_view`; raises Parked when it is another one."""
    shown = _mapping(_mapping(body.get("community_view")).get("community"))
    number = whole(shown.get("id"))
    if number is None or not community.is_shown_as(shown):
        raise Parked("the server showed another community", "check `community` in the study file")
    return number


def _reason(item: Mapping[str, Any], creator: Mapping[str, Any]) -> str | None:
    if item.get("deleted") is True:
        return DELETED
    if item.get("removed") is True:
        return REMOVED
    return BOT if creator.get("bot_account") is True or creator.get("bot") is True else None


def _names(creator: Mapping[str, Any]) -> tuple[str, ...]:
    name = words(creator.get("name") or creator.get("user_name"))
    home = urlsplit(_address(creator) or "").netloc
    display = words(creator.get("display_name") or creator.get("title"))
    return (f"@{name}@{home}", f"{name}@{home}", f"@{name}", display, name) if name else (display,)


def _parent(path: str, of_post: str | None, addresses: Mapping[int, str]) -> str | None:
    """Return what a comment answers: the post, or a comment whose address is known; `path` reads 0.24.27."""
    above = path.split(".")[1:-1]
    if not above:
        return of_post
    number = whole(above[-1])
    return addresses.get(number) if number is not None else None


def _counts(counts: Mapping[str, Any], replies: str) -> dict[str, int] | None:
    fields = {"replies": replies, "likes": "upvotes"}
    return {name: n for name, field in fields.items() if (n := whole(counts.get(field))) is not None} or None


def _address(actor: Mapping[str, Any]) -> str | None:
    """Return an ActivityPub address: `ap_id`, or `actor_id` as v3 and PieFed call that of people and communities."""
    address = words(actor.get("ap_id")) or words(actor.get("actor_id"))
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and parts.hostname else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
