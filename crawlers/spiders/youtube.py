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
from crawlers.around import centre_of
from crawlers.dates import as_stored, parse_date
from crawlers.parking import Held, Parked
from crawlers.spiders.base import TargetSpider
from crawlers.visits import AGAIN, Found, Step, Visit
from crawlers.youtube_answers import MEND_KEY, MEND_QUOTA, QUOTA, SpentError, answer_of, comments_of, threads_of

SEARCH_PAGES = 5  # of 50 videos; the API shows no more than ten
WATCHED_VIDEOS = 100  # whose new comments later visits look for
PACIFIC = ZoneInfo("America/Los_Angeles")  # the quota's day begins at midnight there


class YoutubeSpider(TargetSpider[YoutubeTarget]):
    """Reads what is new below the videos it knows, then the comments of new ones, each down to a comment that is stored.

    Mark: `after`, when the newest video was published; `videos`, when each of those known was. Steps: `search` or
    `uploads` from a page's token, `pages` read so far; the threads of a `video`; `replies` to a comment `of` a video;
    `check`, whether the key is accepted.
    """

    name = "youtube"
    target_type = YoutubeTarget
    look_batch = 50
    keep_days = 30  # API Services Terms, Developer Policies III.E.4: refresh or delete

    def opening(self, visit: Visit[YoutubeTarget]) -> list[Step]:
        """Begin with the videos known, then look for new ones; raises Parked without a key, or a place to search around.

        A search comes last: where the day's searches are spent, what is known is read all the same.
        """
        target = visit.target
        if self.credential() is None:
            raise Parked("no key for YouTube's API", MEND_KEY)
        if not target.channel and not target.videos:
            centre_of(visit.city)
        if self.probing:
            return [{"check": True}]  # searches are too few to probe with
        known: dict[str, str] = visit.mark.get("videos", {})
        watched = sorted(known, key=lambda video: known[video], reverse=True)
        watched += [video for video in target.videos if video not in known]
        steps = [_threads_step(video, known.get(video, ""), to_the_end=video not in known) for video in watched]
        if not target.videos:
            steps.append({"uploads" if target.channel else "search": "", "after": visit.mark.get("after"), "pages": 0})
        return steps

    def request(self, visit: Visit[YoutubeTarget], step: Step) -> scrapy.Request:
        """Ask a method of the API, its cost booked before; raises Parked where the day's quota does not suffice."""
        method, query = _method(visit, step)
        bucket, most = _bucket(visit.target, step)
        if not self.probing:
            day = _day()
            if self.store.spent(self.name, bucket, day) >= most:
                raise Held(QUOTA, MEND_QUOTA)
            self.store.spend(self.name, bucket, day, 1)  # before it is sent, so that no kill forgets it
        url = f"{visit.target.server.rstrip('/')}/youtube/v3/{method}?{urlencode(query)}"
        headers = {"X-Goog-Api-Key": self.credential() or "", "Accept": "application/json"}
        return self.ask(visit, step, url, headers=headers, meta={"own_key": True})

    def read(self, visit: Visit[YoutubeTarget], step: Step, response: Response) -> Found:
        """Return what a method answered."""
        try:
            answer = answer_of(response, single="video" in step or "replies" in step)
        except SpentError:
            self._spend_all(visit.target, step)
            raise Held(QUOTA, MEND_QUOTA) from None
        by_place = not visit.target.channel and not visit.target.videos
        found = Found(quiet=True)
        if "video" in step:
            found.mark["videos"] = _watched(visit, step)
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
            found.posts = comments_of(answer["items"], by_place=by_place, video=step["of"])
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
                found.next.append({"replies": more, "of": step["video"], "page": ""})
        if following and (step["to_the_end"] or not stored) and not self.too_old(found.posts):
            found.next.append({**step, "page": following})

    def _spend_all(self, target: YoutubeTarget, step: Step) -> None:
        """Write down that a bucket is empty, so that nothing more is asked of it today."""
        if self.probing:
            return
        bucket, most = _bucket(target, step)
        day = _day()
        left = most - self.store.spent(self.name, bucket, day)
        if left > 0:
            self.store.spend(self.name, bucket, day, left)


def _bucket(target: YoutubeTarget, step: Step) -> tuple[str, int]:
    """Return which of the project's two quotas a step takes one from, and how much that holds a day."""
    return ("searches", target.daily_searches) if "search" in step else ("units", target.daily_units)


def _threads_step(video: str, published: str, *, to_the_end: bool) -> Step:
    return {"video": video, "published": published, "page": "", "to_the_end": to_the_end}


def _watched(visit: Visit[YoutubeTarget], step: Step) -> dict[str, str]:
    """Return when each video was published whose new comments later visits look for, this step's among them."""
    videos: dict[str, str] = {**visit.mark.get("videos", {}), step["video"]: step["published"]}
    if visit.target.videos:
        return videos
    return dict(sorted(videos.items(), key=lambda video: video[1])[-WATCHED_VIDEOS:])


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
    known = visit.mark.get("videos", {})
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
            found.next.append(_threads_step(video, as_stored(published) if published else "", to_the_end=True))
    if moments:
        found.mark["after"] = as_stored(max(moments))
    if following and fresh and step["pages"] + 1 < SEARCH_PAGES:
        key = "uploads" if "uploads" in step else "search"
        found.next.append({**step, key: following, "pages": step["pages"] + 1})


def _day() -> str:
    return datetime.now(UTC).astimezone(PACIFIC).date().isoformat()
