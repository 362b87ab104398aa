"""What Zeeschuimer captures of each platform that is read: the platform's own objects, as cells."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from crawlers.importers.cells import Cells
from crawlers.importers.containers.rows import Row, at
from crawlers.importers.formats.base import PROMOTED, REPOST, inner_of, language
from crawlers.importers.formats.tweets import latitude_and_longitude, unescaped, with_history

_ACTIVITY = re.compile(r"urn:li:activity:(\d{15,19})")


def tiktok(item: Row) -> Cells | str:
    """Return a video and its description."""
    author = item.get("author")
    if isinstance(author, dict):
        handle, names = author.get("uniqueId"), (author.get("uniqueId"), author.get("nickname"))
        author = author.get("id") or handle
    else:  # embedded in a page
        handle, names = author, (author, item.get("nickname"))
        author = item.get("authorId") or handle
    return {
        "id": item.get("id"),
        "text": item.get("desc"),
        "author": author,
        "author_names": names,
        "url": f"https://www.tiktok.com/@{handle}/video/{item.get('id')}" if isinstance(handle, str) else None,
        "thread": item.get("id"),
        "created_at": item.get("createTime"),
        "lang": language(item.get("textLanguage")),
        "likes": at(item, "stats.diggCount"),
        "replies": at(item, "stats.commentCount"),
        "reposts": at(item, "stats.shareCount"),
        "views": at(item, "stats.playCount"),
    }


def tiktok_comment(item: Row) -> Cells | str:
    """Return a comment on a video, or a reply to one."""
    answered = item.get("reply_id")
    return {
        "id": item.get("cid"),
        "text": item.get("text"),
        "author": at(item, "user.uid") or at(item, "user.unique_id"),
        "author_names": (at(item, "user.unique_id"), at(item, "user.nickname")),
        "url": at(item, "share_info.url"),
        "thread": item.get("aweme_id"),
        "parent": None if answered in ("0", 0) else answered,
        "created_at": item.get("create_time"),
        "lang": language(item.get("comment_language")),
        "likes": item.get("digg_count"),
        "replies": item.get("reply_comment_total"),
    }


def instagram(item: Row) -> Cells | str:
    """Return a post and its caption, from an item list or from a graph."""
    if item.get("product_type") == "ad":
        return PROMOTED
    code = item.get("code") or item.get("shortcode")
    owner = inner_of(item, ("user", "owner"))
    captions = at(item, "edge_media_to_caption.edges")
    caption = at(item, "caption.text")
    if caption is None and isinstance(captions, list) and captions and isinstance(captions[0], dict):
        caption = at(captions[0], "node.text")
    return {
        "id": code,
        "text": caption,
        "author": owner.get("pk") or owner.get("id") or owner.get("username"),
        "author_names": (owner.get("username"), owner.get("full_name")),
        "url": f"https://www.instagram.com/p/{code}/" if isinstance(code, str) else None,
        "thread": code,
        "created_at": item.get("taken_at") or item.get("taken_at_timestamp"),
        "latitude": at(item, "location.lat"),
        "longitude": at(item, "location.lng"),
        "likes": _told(item.get("like_count"), at(item, "edge_media_preview_like.count")),
        "replies": _told(item.get("comment_count"), at(item, "edge_media_preview_comment.count")),
        "views": _told(item.get("play_count"), item.get("view_count")),
    }


def twitter(item: Row) -> Cells | str:
    """Return a tweet, from the interface of today or of before 2023."""
    if item.get("promoted") is True:
        return PROMOTED
    tweet = inner_of(item, ("legacy",))
    if tweet.get("retweeted_status_result") or tweet.get("retweeted_status_id_str"):
        return REPOST
    user = at(item, "core.user_results.result") or item.get("user")
    latitude, longitude = latitude_and_longitude(tweet.get("coordinates"))
    cells = {
        "id": item.get("rest_id") or tweet.get("id_str"),
        "text": unescaped(at(item, "note_tweet.note_tweet_results.result.text") or tweet.get("full_text")),
        "author": tweet.get("user_id_str"),
        "author_names": _names(user),
        "created_at": tweet.get("created_at"),
        "lang": language(tweet.get("lang")),
        "thread": tweet.get("conversation_id_str"),
        "parent": tweet.get("in_reply_to_status_id_str"),
        "latitude": latitude,
        "longitude": longitude,
        "likes": tweet.get("favorite_count"),
        "replies": tweet.get("reply_count"),
        "reposts": tweet.get("retweet_count"),
        "views": at(item, "views.count") or at(item, "ext_views.count"),
    }
    history = at(item, "edit_control.edit_control_initial.edit_tweet_ids") or at(item, "edit_control.edit_tweet_ids")
    return with_history(cells, history)


def threads(item: Row) -> Cells | str:
    """Return a post of Threads."""
    if at(item, "text_post_app_info.share_info.reposted_post"):
        return REPOST
    code, handle = item.get("code"), at(item, "user.username")
    return {
        "id": code,
        "text": at(item, "caption.text"),
        "author": at(item, "user.pk") or at(item, "user.id") or handle,
        "author_names": (handle, at(item, "user.full_name")),
        "url": f"https://www.threads.com/@{handle}/post/{code}" if isinstance(handle, str) else None,
        "created_at": item.get("taken_at"),
        "likes": item.get("like_count"),
        "replies": at(item, "text_post_app_info.direct_reply_count"),
        "reposts": at(item, "text_post_app_info.repost_count"),
    }


def linkedin(item: Row) -> Cells | str:
    """Return a post; LinkedIn shows only how long ago it was written, but its id holds the moment."""
    found = _ACTIVITY.search(
        str(at(item, "updateMetadata.urn") or item.get("preDashEntityUrn") or item.get("id") or "")
    )
    activity = found[1] if found else None
    counts = inner_of(inner_of(item, ("*socialDetail",)), ("*totalSocialActivityCounts",))
    profile = at(item, "actor.navigationContext.actionTarget")
    return {
        "id": activity,
        "text": at(item, "commentary.text.text"),
        "author": profile.partition("?")[0] if isinstance(profile, str) else None,
        "author_names": (at(item, "actor.name.text"),),
        "url": f"https://www.linkedin.com/feed/update/urn:li:activity:{activity}",
        "created_at": datetime.fromtimestamp((int(activity) >> 22) / 1000, UTC) if activity else None,
        "likes": counts.get("numLikes", at(item, "*socialDetail.likes.paging.total")),
        "replies": counts.get("numComments", at(item, "*socialDetail.comments.paging.total")),
        "reposts": counts.get("numShares", at(item, "*socialDetail.totalShares")),
    }


def _names(user: Any) -> tuple[Any, ...]:
    """Return what an account is called: where it says so has moved over the years."""
    if not isinstance(user, dict):
        return ()
    return tuple(at(user, f"{place}{name}") for place in ("core.", "legacy.", "") for name in ("screen_name", "name"))


def _told(*counts: Any) -> Any:
    """Return the first count that is told; -1 stands for one that is hidden."""
    return next((count for count in counts if isinstance(count, int) and count >= 0), None)
