"""Comments on YouTube videos from around a city, of a channel, or of a list (docs/sources/youtube.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import scrapy
from scrapy.http import Response

from citystudy.errors import StoreError
from citystudy.store import Store
from citystudy.targets import YoutubeTarget
from crawlers.answers import objects, words
from crawlers.dates import as_stored, parse_date
from crawlers.parking import Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit
from crawlers.youtube_answers import MEND_KEY, MEND_QUOTA, QUOTA, SpentError, answer_of, comments_of, threads_of

SEARCH_UNITS = 100
SEARCH_PAGES = 5  # of 50 videos; the API shows no more than ten
WATCHED_VIDEOS = 100  # whose new comments later visits look for
PACIFIC = ZoneInfo("America/Los_Angeles")  # the quota's day begins at midnight there

NO_PLACE = "this city has no coordinates"


class YoutubeSpider(TargetSpider[YoutubeTarget]):
    """Reads the comments of new videos, then what is new below those it knows, each down to a comment that is stored.

    Mark: `after`, when the newest video was published; `videos`, those whose comments were read, the newest last. Steps:
    `search` or `uploads` from a page's token, `pages` read so far; the threads of a `video`; `replies` to a comment;
    `check`, whether the key is accepted.
    """

    name = "youtube"
    target_type = YoutubeTarget
    look_batch = 50
    keep_days = 30  # API Services Terms, Developer Policies III.E.4: refresh or delete

    def opening(self, visit: Visit[YoutubeTarget]) -> list[Step]:
        """Begin with new videos, then those known; raises Parked without a key, or a place to search around."""
        target = visit.target
        if self.credential() is None:
            raise Parked("no key for YouTube's API", MEND_KEY)
        if not target.channel and not target.videos and (visit.city.latitude is None or visit.city.longitude is None):
            raise Parked(NO_PLACE, f"give `latitude` and `longitude` to the city {visit.city.name}")
        if self.probing:
            return [{"check": True}]  # a search would cost a hundred times as much
        known = visit.mark.get("videos", [])
        watched = [*reversed(known), *(video for video in target.videos if video not in known)]
        steps: list[Step] = [{"video": video, "page": "", "to_the_end": video not in known} for video in watched]
        if not target.videos:
            steps.insert(
                0, {"uploads" if target.channel else "search": "", "after": visit.mark.get("after"), "pages": 0}
            )
        return steps

    def request(self, visit: Visit[YoutubeTarget], step: Step) -> scrapy.Request:
        """Ask a method of the API, its cost booked before; raises Parked where the day's quota does not suffice."""
        method, query = _method(visit, step)
        self._book(visit.target, units=SEARCH_UNITS if "search" in step else 1, searches=int("search" in step))
        url = f"{visit.target.server.rstrip('/')}/youtube/v3/{method}?{urlencode(query)}"
        headers = {"X-Goog-Api-Key": self.credential() or "", "Accept": "application/json"}
        return self.ask(visit, step, url, headers=headers, meta={"own_key": True})

    def read(self, visit: Visit[YoutubeTarget], step: Step, response: Response) -> Found:
        """Return what a method answered."""
        try:
            answer = answer_of(response, single="video" in step or "replies" in step)
        except SpentError:
            self._book(visit.target, units=visit.target.daily_units, searches=0, even_so=True)
            raise Parked(QUOTA, MEND_QUOTA) from None
        by_place = not visit.target.channel and not visit.target.videos
        found = Found(quiet=True)
        if answer is None or "check" in step:
            return found
        following = words(answer.get("nextPageToken"))
        if AGAIN in step:
            found.posts = comments_of(answer["items"], by_place=by_place)
            still = {post.native_id for post in found.posts}
            found.gone = [native_id for native_id, _ in step[AGAIN] if native_id not in still]
        elif "video" in step:
            self._threads(visit, step, found, answer, following, by_place=by_place)
        elif "replies" in step:
            found.posts = comments_of(answer["items"], by_place=by_place)
            found.next = [{**step, "page": following}] if following else []
        else:
            _videos(visit, step, found, answer, following)
        return found

    def quota(self, visit: Visit[YoutubeTarget]) -> str | None:
        """Return what of the day's quota is spent."""
        try:
            with Store(self.study.database_path, create=False) as store:
                units, searches = (store.spent(self.name, bucket, _day()) for bucket in ("units", "searches"))
        except StoreError:
            units = searches = 0
        return f"{units:,} of {visit.target.daily_units:,} units, {searches} of {visit.target.daily_searches} searches"

    def _threads(
        self,
        visit: Visit[YoutubeTarget],
        step: Step,
        found: Found,
        answer: dict[str, Any],
        following: str,
        *,
        by_place: bool,
    ) -> None:
        threads = list(threads_of(answer, by_place=by_place))
        stored = self.stored(visit, [posts[0].native_id for posts, _ in threads])
        for posts, more in threads:
            found.posts.extend(posts)
            if more and more not in stored:  # to ask for the replies of every known thread would cost a unit each
                found.next.append({"replies": more, "page": ""})
        videos = [video for video in visit.mark.get("videos", []) if video != step["video"]]
        found.mark["videos"] = [*videos, step["video"]][-WATCHED_VIDEOS:]
        if following and (step["to_the_end"] or not stored) and not self.too_old(found.posts):
            found.next.append({**step, "page": following})

    def _book(self, target: YoutubeTarget, *, units: int, searches: int, even_so: bool = False) -> None:
        """Write down what a request costs before it is sent, so that no kill forgets it."""
        if self.probing:
            return
        day = _day()
        for bucket, cost, most in (("searches", searches, target.daily_searches), ("units", units, target.daily_units)):
            if not even_so and self.store.spent(self.name, bucket, day) + cost > most:
                raise Parked(QUOTA, MEND_QUOTA)
        for bucket, cost in (("searches", searches), ("units", units)):
            if cost:
                self.store.spend(self.name, bucket, day, cost)


def _method(visit: Visit[YoutubeTarget], step: Step) -> tuple[str, dict[str, Any]]:
    target, city = visit.target, visit.city
    if AGAIN in step:
        names = ",".join(native_id for native_id, _ in step[AGAIN])
        return "comments", {"part": "snippet", "id": names, "textFormat": "plainText"}
    if "check" in step:
        return "i18nRegions", {"part": "snippet"}
    if "video" in step or "replies" in step:
        query: dict[str, Any] = {"part": "snippet", "maxResults": 100, "textFormat": "plainText"}
        query |= {"pageToken": step["page"]} if step["page"] else {}
        if "replies" in step:
            return "comments", {**query, "parentId": step["replies"]}
        return "commentThreads", {**query, "part": "snippet,replies", "videoId": step["video"], "order": "time"}
    page = step["uploads"] if "uploads" in step else step["search"]
    query = {"part": "snippet", "maxResults": 50, **({"pageToken": page} if page else {})}
    if "uploads" in step:
        return "playlistItems", {**query, "playlistId": f"UU{str(target.channel)[2:]}"}
    query |= {"type": "video", "order": "date", "regionCode": city.country}
    query |= {"location": f"{city.latitude},{city.longitude}", "locationRadius": f"{target.radius_km}km"}
    query |= {"relevanceLanguage": target.language or city.languages[0]}
    query |= {"q": target.query} if target.query else {}
    query |= {"publishedAfter": step["after"]} if step["after"] else {}
    return "search", query


def _videos(visit: Visit[YoutubeTarget], step: Step, found: Found, answer: dict[str, Any], following: str) -> None:
    """Set the steps of the videos that a page names, and the page after it."""
    known = set(visit.mark.get("videos", ()))
    moments = [moment for moment in [parse_date(visit.mark.get("after"))] if moment]
    fresh = False
    for item in objects(answer["items"]):
        snippet = item.get("snippet") if isinstance(item.get("snippet"), dict) else {}
        assert snippet is not None
        named = snippet.get("resourceId") if "uploads" in step else item.get("id")
        video = words(named.get("videoId")) if isinstance(named, dict) else ""
        published = parse_date(snippet.get("publishedAt"))
        moments += [published] if published else []
        if video and video not in known:
            fresh = True
            found.next.append({"video": video, "page": "", "to_the_end": True})
    if moments:
        found.mark["after"] = as_stored(max(moments))
    if following and fresh and step["pages"] + 1 < SEARCH_PAGES:
        key = "uploads" if "uploads" in step else "search"
        found.next.append({**step, key: following, "pages": step["pages"] + 1})


def _day() -> str:
    return datetime.now(UTC).astimezone(PACIFIC).date().isoformat()
