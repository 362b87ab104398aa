"""Answers of YouTube's Data API: comments read into posts, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrapy.http import Response

from crawlers.answers import TRY_LATER, object_of, objects, refuse, whole, words
from crawlers.dates import parse_date
from crawlers.intake import DATE_UNREADABLE
from crawlers.items import RawPost
from crawlers.markup import plain
from crawlers.parking import Held, Parked

QUOTA = "the day's quota is spent"
MEND_QUOTA = "nothing to do: the first crawl after midnight Pacific time goes on from here"
MEND_KEY = (
    'set [credentials] youtube = "env:NAME" to a key of your own project with the YouTube Data API v3 switched on'
)

_SPENT = {"quotaExceeded", "dailyLimitExceeded"}
_TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_BAD_KEY = {"keyInvalid", "keyExpired", "accessNotConfigured", "ipRefererBlocked", "API_KEY_INVALID", "authError"}
# One video or comment that can't be read ends neither the target nor the crawl.
_PASSED_OVER = {
    "commentsDisabled",
    "videoNotFound",
    "commentNotFound",
    "processingFailure",
    "playlistNotFound",
    "forbidden",
}


class SpentError(Exception):
    """The API says that the day's quota is spent."""


def answer_of(response: Response, *, single: bool) -> dict[str, Any] | None:
    """Return what a method answered; None where a `single` video or comment can't be read.

    Raises SpentError when the quota is spent, Parked for every other refusal.
    """
    if response.status in {400, 401, 403, 404, 429}:
        error = _error_of(response)
        reasons = _reasons(error)
        # Since quotas are kept by method, a spent one bears the reason of mere haste; only its message tells the day.
        if reasons & _SPENT or " per day" in words(error.get("message")):
            raise SpentError
        if reasons & _TOO_FAST:
            raise Held("too many requests", "nothing to do: the next crawl goes on from here")
        if reasons & _BAD_KEY:
            raise Parked(f"the key is not accepted ({min(reasons & _BAD_KEY)})", MEND_KEY)
        if single and reasons & _PASSED_OVER:
            return None
        if reasons:
            raise Parked(f"refused ({min(reasons)})", "check the target's keys in the study file")
    refuse(response, "server")
    answer = object_of(response)
    if not isinstance(answer.get("items"), list):
        raise Parked("answered JSON of another shape", TRY_LATER)
    return answer


def _error_of(response: Response) -> dict[str, Any]:
    """Return the error that the API describes; empty where the refusal is not the API's own."""
    try:
        error = object_of(response).get("error")
    except Parked:
        return {}
    return error if isinstance(error, dict) else {}


def _reasons(error: Mapping[str, Any]) -> set[str]:
    told = {words(entry.get("reason")) for key in ("errors", "details") for entry in objects(error.get(key))}
    return told - {""}


def threads_of(answer: Mapping[str, Any], *, by_place: bool) -> Iterator[tuple[list[RawPost], str | None]]:
    """Yield each thread's comments, and the id of the first where it has more replies than came along."""
    for thread in objects(answer.get("items")):
        told = thread.get("snippet")
        snippet = told if isinstance(told, dict) else {}
        first = comment_post(
            snippet.get("topLevelComment"), by_place=by_place, replies=whole(snippet.get("totalReplyCount"))
        )
        if first is None:
            continue
        held = thread.get("replies")
        told_replies = held.get("comments") if isinstance(held, dict) else None
        replies = comments_of(told_replies, by_place=by_place, video=words(snippet.get("videoId")))
        more = (whole(snippet.get("totalReplyCount")) or 0) > len(replies)
        yield [first, *replies], first.native_id if more else None


def comments_of(items: object, *, by_place: bool, video: str = "") -> list[RawPost]:
    """Return the comments of a list as posts; `video` is theirs where they name none, as a list of replies does."""
    return [post for item in objects(items) if (post := comment_post(item, by_place=by_place, video=video))]


def comment_post(comment: object, *, by_place: bool, replies: int | None = None, video: str = "") -> RawPost | None:
    """Return a comment as a post; None for what is none. A reply's id begins with that of the comment above it."""
    if not isinstance(comment, dict) or not isinstance(comment.get("snippet"), dict) or not words(comment.get("id")):
        return None
    snippet, name = comment["snippet"], words(comment["id"])
    channel = snippet.get("authorChannelId")
    shown = words(snippet.get("authorDisplayName"))
    video = words(snippet.get("videoId")) or video
    above = words(snippet.get("parentId")) or (name.rpartition(".")[0] if "." in name else "")
    written, changed = snippet.get("publishedAt"), snippet.get("updatedAt")
    created_at, edited_at = parse_date(written), parse_date(changed)
    counts = {"likes": whole(snippet.get("likeCount")), "replies": replies}
    return RawPost(
        native_id=name,
        text=words(snippet.get("textOriginal")) or plain(words(snippet.get("textDisplay"))),
        author=words(channel.get("value")) or None if isinstance(channel, dict) else None,
        author_names=tuple(filter(None, (shown, shown.removeprefix("@")))),
        url=f"https://www.youtube.com/watch?v={video}&lc={name}" if video else None,
        thread=f"video {video}" if video else None,
        parent=above or None,
        created_at=created_at,
        edited_at=edited_at if edited_at and created_at and edited_at > created_at else None,
        counts={key: count for key, count in counts.items() if count is not None} or None,
        basis="coordinates" if by_place else "target",
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )
