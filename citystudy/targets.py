"""The targets of a study: one model a source, with what tells a target from others and where it is asked.

A source's keys stand here and in `docs/sources/<source>.md`; how it is read stands in `crawlers/spiders/<source>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from hashlib import sha256
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from citystudy.config_types import CountryCode, LanguageCode, Latitude, Longitude, StrictModel, WebAddress

TargetKind = Literal[
    "forum", "microblog", "community", "reviews", "portal", "news_comments", "news", "chat", "video_comments"
]

Handle = Annotated[str, Field(pattern=r"^[^\s@/?#]+$", description="a name without '@', '/' or spaces")]


class Target(StrictModel, ABC):
    """What every target has; `name` tells it from its city's others, `address` which server is asked for it."""

    source: str
    kind: TargetKind
    comparable: bool = True
    note: str = ""

    @property
    @abstractmethod
    def name(self) -> str:
        """What tells this target from its city's others."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The address of the server that is asked."""

    @property
    def post_source(self) -> str:
        """The source name that its posts carry and their ids are keyed by."""
        return self.source

    @property
    def on_network(self) -> bool:
        """Whether a crawl reads it."""
        return True


TargetT = TypeVar("TargetT", bound=Target)


class _AtUrl(Target):
    """A target that is an address."""

    url: WebAddress

    @property
    def name(self) -> str:
        """The address."""
        return self.url

    @property
    def address(self) -> str:
        """The address."""
        return self.url


class _AtServer(Target):
    """A target of a service with one usual server."""

    server: WebAddress

    @property
    def address(self) -> str:
        """The server that is asked."""
        return self.server


class _AtInstance(Target):
    """A target of one of many servers that speak alike."""

    instance: WebAddress

    @property
    def address(self) -> str:
        """The server that is asked."""
        return self.instance


class _Category(_AtUrl):
    """A forum, or one category of it."""

    category: int | None = Field(default=None, gt=0)

    @property
    def name(self) -> str:
        """The forum and category."""
        return f"{self.url} category {self.category}" if self.category else self.url


class FeedTarget(_AtUrl):
    """An RSS, Atom or JSON feed, or the posts or comments of a WordPress REST API."""

    source: Literal["feed"]


class TelegramTarget(_AtServer):
    """The public preview pages of one channel."""

    source: Literal["telegram"]
    kind: TargetKind = "chat"
    channel: str = Field(pattern=r"^[A-Za-z]\w{3,31}$", description="a channel's name without '@' or 't.me/'")
    server: WebAddress = "https://t.me"

    @property
    def name(self) -> str:
        """The channel."""
        return self.channel.lower()


class YoutubeTarget(_AtServer):
    """Comments on the videos that a search around the city, a channel or a list of videos brings."""

    source: Literal["youtube"]
    kind: TargetKind = "video_comments"
    query: str = ""
    channel: str | None = Field(default=None, pattern=r"^UC[\w-]{22}$", description="a channel id: UC and 22 letters")
    videos: list[Annotated[str, Field(pattern=r"^[\w-]{11}$", description="a video id of 11 letters")]] = []
    radius_km: int = Field(default=25, ge=1, le=1000)
    language: LanguageCode | None = None
    daily_units: int = Field(default=10_000, ge=1, description="the units a day that the key's project may spend")
    daily_searches: int = Field(default=100, ge=0, description="the searches a day that the key's project may make")
    server: WebAddress = "https://www.googleapis.com"

    @property
    def name(self) -> str:
        """The videos, channel or search."""
        if self.videos:
            return "videos " + " ".join(self.videos)
        where = self.channel or f"{self.radius_km} km"
        return " ".join(filter(None, [where, self.query, self.language]))


class VkTarget(_AtServer):
    """The wall of a community with its comments, or a search around the city."""

    source: Literal["vk"]
    kind: TargetKind = "community"
    community: str | None = Field(default=None, pattern=r"^[\w.]+$", description="a community's short name or number")
    query: str | None = Field(default=None, min_length=1)
    comments: bool = True
    server: WebAddress = "https://api.vk.com"

    @property
    def name(self) -> str:
        """The community or search."""
        return self.community or f"search {self.query}"

    @model_validator(mode="after")
    def _one(self) -> VkTarget:
        return _exactly_one(self, "community", "query")


class MastodonTarget(_AtInstance):
    """One hashtag, or the local timeline, of a server that speaks the Mastodon or the Misskey API."""

    source: Literal["mastodon"]
    kind: TargetKind = "microblog"
    tag: str | None = Field(default=None, pattern=r"^[^\s#/?]+$", description="a hashtag without '#'")
    software: Literal["mastodon", "misskey"] = "mastodon"

    @property
    def name(self) -> str:
        """The server, and the tag if there is one."""
        host = urlsplit(self.instance).netloc
        return f"{host}#{self.tag}" if self.tag else f"{host} local"


class BlueskyTarget(Target):
    """A feed, an author, a search, or the repository of one account, of the atproto network."""

    source: Literal["bluesky"]
    kind: TargetKind = "microblog"
    feed: str | None = Field(
        default=None,
        pattern=r"^at://\S+/app\.bsky\.feed\.generator/\S+$",
        description="a feed's address: at://…/app.bsky.feed.generator/…",
    )
    author: Handle | None = None
    query: str | None = Field(default=None, min_length=1)
    repository: Handle | None = None
    language: LanguageCode | None = None
    replies: bool = True
    server: WebAddress = "https://public.api.bsky.app"
    login_server: WebAddress = "https://bsky.social"

    @property
    def name(self) -> str:
        """The search, or a digest of whose feed or posts it is: names of targets stand in the database."""
        if self.query:
            what = f"search {self.query}"
        else:
            sort, whose = next((s, w) for s in ("feed", "author", "repository") if (w := getattr(self, s)))
            label = f"feed {whose.rpartition('/')[2]}" if sort == "feed" else sort
            what = f"{label} {sha256(whose.lower().encode()).hexdigest()[:8]}"
        return " ".join(filter(None, [what, self.language]))

    @property
    def address(self) -> str:
        """The server that is asked: the one that holds the account for a search or a repository."""
        return self.login_server if self.query or self.repository else self.server

    @model_validator(mode="after")
    def _one(self) -> BlueskyTarget:
        return _exactly_one(self, "feed", "author", "query", "repository")


class LemmyTarget(_AtInstance):
    """A community of a Lemmy or PieFed server, posts and comments."""

    source: Literal["lemmy"]
    kind: TargetKind = "community"
    community: str = Field(
        pattern=r"^[\w.]+(@[\w.-]+)?$", description="a community such as 'leeds' or 'leeds@feddit.uk'"
    )
    api: Literal["v3", "v4", "piefed"] = "v3"
    comments: bool = True

    @property
    def name(self) -> str:
        """The server and community."""
        return f"{urlsplit(self.instance).netloc} {self.community}"


class DiscourseTarget(_Category):
    """A Discourse forum, or one category of it."""

    source: Literal["discourse"]
    kind: TargetKind = "forum"


class NodebbTarget(_Category):
    """A NodeBB forum, or one category of it."""

    source: Literal["nodebb"]
    kind: TargetKind = "forum"


class Selectors(StrictModel):
    """Where a forum's pages hold what, as CSS selectors; those left out are found by looking for repeated blocks."""

    topic: str | None = None
    next_page: str | None = None
    post: str | None = None
    author: str | None = None
    date: str | None = None
    text: str | None = None


class ForumTarget(_AtUrl):
    """Any other forum, from the page that lists a section's topics."""

    source: Literal["forum"]
    kind: TargetKind = "forum"
    selectors: Selectors = Selectors()
    timezone: str = Field(
        default="UTC", min_length=1, description="the zone of dates without one, such as 'Asia/Tehran'"
    )


class OsmNotesTarget(_AtServer):
    """Notes that people leave on OpenStreetMap within a box around the city."""

    source: Literal["osm_notes"]
    kind: TargetKind = "portal"
    box: tuple[Longitude, Latitude, Longitude, Latitude] | None = Field(
        default=None, description="[west, south, east, north] in degrees"
    )
    radius_km: float = Field(default=10, gt=0, le=50)
    server: WebAddress = "https://api.openstreetmap.org"

    @property
    def name(self) -> str:
        """The box, or the distance from the city's centre."""
        return ",".join(f"{degree:g}" for degree in self.box) if self.box else f"{self.radius_km:g} km"


class Open311Target(_AtUrl):
    """Reports to a city's administration: GeoReport v2, or SeeClickFix around the city."""

    source: Literal["open311"]
    kind: TargetKind = "portal"
    api: Literal["georeport", "seeclickfix"] = "georeport"
    jurisdiction: str | None = Field(default=None, min_length=1)
    services: list[Annotated[str, Field(min_length=1)]] = []
    window_days: int = Field(default=30, ge=1, le=90)

    @property
    def name(self) -> str:
        """The endpoint and jurisdiction."""
        return " ".join(filter(None, [self.url, self.jurisdiction]))


_REDDIT_SERVERS = {
    "arctic_shift": "https://arctic-shift.photon-reddit.com",
    "oauth": "https://oauth.reddit.com",
    "atom": "https://www.reddit.com",
}


class RedditTarget(Target):
    """A subreddit, posts and comments: through the Arctic Shift archive, the operator's own key, or Atom."""

    source: Literal["reddit"]
    kind: TargetKind = "community"
    subreddit: str = Field(pattern=r"^\w{2,21}$", description="a subreddit's name without 'r/'")
    via: Literal["arctic_shift", "oauth", "atom"] = "arctic_shift"
    comments: bool = True
    server: WebAddress | None = None
    login_server: WebAddress = "https://www.reddit.com"

    @property
    def name(self) -> str:
        """The subreddit."""
        return self.subreddit.lower()

    @property
    def address(self) -> str:
        """The server that is asked."""
        return self.server or _REDDIT_SERVERS[self.via]


class AppStoreTarget(_AtServer):
    """Customer reviews of one app in the store of one country."""

    source: Literal["appstore"]
    kind: TargetKind = "reviews"
    app: int = Field(gt=0, description="the number in the app's address after 'id'")
    country: CountryCode | None = None
    server: WebAddress = "https://itunes.apple.com"

    @property
    def name(self) -> str:
        """The app and country."""
        return " ".join(filter(None, [str(self.app), self.country]))


class ImportTarget(Target):
    """Rows of imported files whose source column holds `rows`."""

    source: Literal["import"]
    rows: str = Field(min_length=1)

    @property
    def name(self) -> str:
        """What the rows' source column says."""
        return self.rows

    @property
    def address(self) -> str:
        """Nowhere: files are read when the operator names them."""
        return ""

    @property
    def post_source(self) -> str:
        """What the rows' source column says."""
        return self.rows

    @property
    def on_network(self) -> bool:
        """No crawl reads it."""
        return False


AnyTarget = Annotated[
    FeedTarget
    | TelegramTarget
    | YoutubeTarget
    | VkTarget
    | MastodonTarget
    | BlueskyTarget
    | LemmyTarget
    | DiscourseTarget
    | NodebbTarget
    | ForumTarget
    | OsmNotesTarget
    | Open311Target
    | RedditTarget
    | AppStoreTarget
    | ImportTarget,
    Field(discriminator="source"),
]


def _exactly_one(target: TargetT, *keys: str) -> TargetT:
    given = [key for key in keys if getattr(target, key)]
    if len(given) != 1:
        raise ValueError(f"exactly one of {', '.join(keys)}" + (f", not {' and '.join(given)}" if given else ""))
    return target
