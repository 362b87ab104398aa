from __future__ import annotations

from typing import Any

import pytest

from tests.crawlers.importers.conftest import Exports, ndjson

TWEET, PARENT = "1610000000000000002", "1609000000000000000"
ACTIVITY = str((1672660830000 << 22) + 7)  # LinkedIn's ids hold the moment of writing


def captured(platform: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "nav_index": "1:1:0",
        "item_id": data.get("id"),
        "timestamp_collected": 1700000000000,
        "source_platform": platform,
        "source_platform_url": f"https://www.{platform}/search?q=secretsearch",
        "source_url": f"https://www.{platform}/api/",
        "user_agent": "Mozilla/5.0",
        "data": data,
    }


def by_4cat(platform: str, data: dict[str, Any]) -> dict[str, Any]:
    """The same item as 4CAT keeps it."""
    item = captured(platform, data)
    return {**item.pop("data"), "__import_meta": item}


TIKTOK = {
    "id": "7180000000000000001",
    "desc": "الشارع مظلم كل ليلة",
    "createTime": 1672660830,
    "author": {"id": "6600", "uniqueId": "salma_test_q", "nickname": "سلمى تجربة"},
    "textLanguage": "ar",
    "stats": {"diggCount": 4, "commentCount": 1, "shareCount": 0, "playCount": 300},
}
TIKTOK_COMMENT = {
    "id": "7180000000000000009",
    "cid": "7180000000000000009",
    "aweme_id": "7180000000000000001",
    "text": "سلمى تجربة نعم، منذ شهر",
    "create_time": 1672660830,
    "digg_count": 2,
    "reply_id": "0",
    "reply_comment_total": 0,
    "comment_language": "un",
    "user": {"uid": "6600", "unique_id": "salma_test_q", "nickname": "سلمى تجربة"},
    "share_info": {"url": "https://m.tiktok.com/v/7180000000000000001.html?_d=x"},
}
INSTAGRAM = {
    "id": "300_7700",
    "code": "CxTest1",
    "pk": "300",
    "media_type": 1,
    "caption": {"text": "Двор после дождя"},
    "taken_at": 1672660830,
    "user": {"pk": "7700", "username": "lada_test_q", "full_name": "Лада Нетакова"},
    "like_count": -1,
    "comment_count": 0,
    "location": {"lat": 55.79, "lng": 49.12, "name": "Казань"},
}
INSTAGRAM_GRAPH = {
    "__typename": "GraphImage",
    "shortcode": "CxTest2",
    "edge_media_to_caption": {"edges": [{"node": {"text": "Yard after rain"}}]},
    "taken_at_timestamp": 1672660830,
    "owner": {"id": "7700", "username": "lada_test_q"},
    "edge_media_preview_like": {"count": 8},
}
TWITTER = {
    "id": TWEET,
    "rest_id": TWEET,
    "core": {"user_results": {"result": {"core": {"screen_name": "lada_test_q", "name": "Лада Нетакова"}}}},
    "legacy": {
        "id_str": TWEET,
        "full_text": "Автобус &amp; холод",
        "created_at": "Mon Jan 02 12:00:30 +0000 2023",
        "user_id_str": "7700",
        "conversation_id_str": PARENT,
        "in_reply_to_status_id_str": PARENT,
        "lang": "ru",
        "favorite_count": 1,
        "retweet_count": 0,
        "reply_count": 0,
    },
    "views": {"count": "55", "state": "EnabledWithCount"},
    "promoted": False,
}
THREADS = {
    "id": "500_7700",
    "pk": "500",
    "code": "CyTest1",
    "caption": {"text": "مدرسه دور است"},
    "taken_at": 1672660830,
    "user": {"pk": "7700", "username": "lada_test_q", "full_name": "Лада Нетакова"},
    "like_count": 2,
    "text_post_app_info": {"repost_count": 0, "direct_reply_count": 3, "quote_count": 0, "share_info": {}},
}
LINKEDIN = {
    "id": f"urn:li:fsd_update:(urn:li:activity:{ACTIVITY},FEED)",
    "preDashEntityUrn": f"urn:li:fs_feedUpdate:(urn:li:activity:{ACTIVITY},FEED)",
    "actor": {
        "name": {"text": "Lada Netakova"},
        "navigationContext": {"actionTarget": "https://www.linkedin.com/in/lada-test-q?miniProfile=x"},
    },
    "commentary": {"text": {"text": "Lada Netakova: childcare ends at four"}},
    "*socialDetail": {"*totalSocialActivityCounts": {"numLikes": 6, "numComments": 1, "numShares": 0}},
}


@pytest.mark.parametrize("wrap", [captured, by_4cat])
def test_every_platform_that_is_read(exports: Exports, wrap: Any) -> None:
    result = exports(
        ndjson(
            wrap("tiktok.com", TIKTOK),
            wrap("tiktok-comments", TIKTOK_COMMENT),
            wrap("instagram.com", INSTAGRAM),
            wrap("instagram.com", INSTAGRAM_GRAPH),
            wrap("twitter.com", TWITTER),
            wrap("threads.net", THREADS),
            wrap("linkedin.com", LINKEDIN),
        )
    )
    assert (result.format, result.new) == ("zeeschuimer", 7)
    posts = exports.posts()

    video = posts["7180000000000000001"]
    assert (video["text"], video["declared_lang"]) == ("الشارع مظلم كل ليلة", "ar")
    assert video["counts"] == {"likes": 4, "replies": 1, "reposts": 0, "views": 300}
    assert video["author"] == exports.pseudonym("tiktok", "6600")

    comment = posts["7180000000000000009"]
    assert (comment["text"], comment["declared_lang"]) == ("[HANDLE] نعم، منذ شهر", None)
    assert (comment["thread"], comment["parent"]) == (exports.key("tiktok-comments", "7180000000000000001"), None)
    assert comment["counts"] == {"likes": 2, "replies": 0}

    photo, graph = posts["CxTest1"], posts["CxTest2"]
    assert (photo["text"], graph["text"]) == ("Двор после дождя", "Yard after rain")
    assert (photo["counts"], graph["counts"]) == ({"replies": 0}, {"likes": 8})
    assert (photo["latitude"], photo["longitude"]) == (55.79, 49.12)
    assert photo["author"] == graph["author"] == exports.pseudonym("instagram", "7700")

    tweet = posts[TWEET]
    assert (tweet["text"], tweet["declared_lang"]) == ("Автобус & холод", "ru")
    assert tweet["counts"] == {"likes": 1, "replies": 0, "reposts": 0, "views": 55}
    assert tweet["author"] == exports.pseudonym("twitter", "7700")
    assert tweet["parent"] == tweet["thread"] == exports.key("twitter", PARENT)

    thread = posts["CyTest1"]
    assert (thread["text"], thread["counts"]) == ("مدرسه دور است", {"likes": 2, "replies": 3, "reposts": 0})

    work = posts[ACTIVITY]
    assert work["text"] == "[HANDLE]: childcare ends at four"
    assert work["author"] == exports.pseudonym("linkedin", "https://www.linkedin.com/in/lada-test-q")
    assert work["counts"] == {"likes": 6, "replies": 1, "reposts": 0}

    assert {post["created_at"] for post in posts.values()} == {"2023-01-02T12:00:30Z"}
    named = ("salma_test", "سلمى", "lada_test", "lada-test", "Нетакова", "Netakova", "7700", "CxTest1", ACTIVITY)
    assert exports.named(*named, "tiktok.com", "secretsearch") == []


def test_tweets_of_the_older_interface_and_long_ones(exports: Exports) -> None:
    older = {
        "id": int(TWEET),
        "type": "adaptive",
        "legacy": TWITTER["legacy"],
        "user": {"id_str": "7700", "screen_name": "lada_test_q", "name": "Лада Нетакова"},
    }
    long = {
        **TWITTER,
        "rest_id": "1610000000000000003",
        "note_tweet": {"note_tweet_results": {"result": {"text": "Лада Нетакова: длинно и целиком"}}},
        "edit_control": {"edit_tweet_ids": ["1610000000000000003"]},
    }
    exports(ndjson(captured("x.com", older), captured("x.com", long)))
    assert exports.posts()[TWEET]["text"] == "Автобус & холод"
    assert exports.posts()["1610000000000000003"]["text"] == "[HANDLE]: длинно и целиком"


def test_a_video_embedded_in_a_page_names_its_author_otherwise(exports: Exports) -> None:
    embedded = {**TIKTOK, "author": "salma_test_q", "nickname": "سلمى تجربة", "authorId": "6600"}
    exports(ndjson(captured("tiktok.com", embedded)))
    assert exports.posts()["7180000000000000001"]["author"] == exports.pseudonym("tiktok", "6600")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (captured("twitter.com", {**TWITTER, "promoted": True}), "promoted post"),
        (captured("instagram.com", {**INSTAGRAM, "product_type": "ad"}), "promoted post"),
        (
            captured("x.com", {**TWITTER, "legacy": {**TWITTER["legacy"], "retweeted_status_result": {"result": {}}}}),
            "repost of another's post",
        ),
        (
            captured("threads.com", {**THREADS, "text_post_app_info": {"share_info": {"reposted_post": {"pk": "1"}}}}),
            "repost of another's post",
        ),
        (captured("9gag.com", {"id": "a", "title": "x"}), "platform not read: 9gag.com"),
        (captured("facebook.com", {"id": "a"}), "platform not read: facebook.com"),
        (captured("lada_test_q.example", {"id": "a"}), "platform not read"),
        (captured("linkedin.com", {"id": "urn:li:fsd_update:(urn:li:aggregate:5)"}), "no id"),
        (captured("instagram.com", {"code": "x", "caption": None}), "no text"),
        ({"source_platform": "tiktok.com", "data": "broken"}, "row of another format"),
    ],
)
def test_what_is_left_out_is_named(exports: Exports, row: dict[str, Any], reason: str) -> None:
    assert exports(ndjson(captured("tiktok.com", TIKTOK), row, captured("tiktok.com", TIKTOK))).dropped == {
        reason: 1,
        "repeated id": 1,
    }
    assert exports.named("lada_test") == []
