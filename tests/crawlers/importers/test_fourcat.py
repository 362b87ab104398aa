from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from citystudy.errors import InputError
from tests.crawlers.importers.conftest import Exports, ndjson


def table(*rows: dict[str, Any]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


TIKTOK = {
    "id": "7180000000000000001",
    "thread_id": "7180000000000000001",
    "author": "salma_test_q",
    "author_full": "سلمى تجربة",
    "author_id": "6600",
    "body": "سلمى تجربة: الشارع مظلم",
    "timestamp": "2023-01-02 15:00:30",
    "unix_timestamp": 1672660830,
    "tiktok_url": "https://www.tiktok.com/@salma_test_q/video/7180000000000000001",
    "likes": 4,
    "comments": 0,
    "shares": "",
    "plays": 300,
}
TWEET = {
    "id": "1610000000000000002",
    "thread_id": "1609000000000000000",
    "timestamp": "2023-01-02 12:00:30",
    "body": "Автобуса нет",
    "author": "lada_test_q",
    "author_fullname": "Лада Нетакова",
    "author_id": "7700",
    "link": "https://x.com/lada_test_q/status/1610000000000000002",
    "language_guess": "qme",
    "like_count": 1,
    "reply_count": 0,
    "retweet_count": 2,
    "impression_count": 40,
    "is_retweet": "no",
}


@pytest.mark.parametrize("write", [table, ndjson])
def test_posts_of_tiktok(exports: Exports, write: Any) -> None:
    result = exports(write(TIKTOK))
    assert (result.format, result.new) == ("fourcat", 1)
    post = exports.posts()["7180000000000000001"]
    assert post["text"] == "[HANDLE]: الشارع مظلم"
    assert post["created_at"] == "2023-01-02T12:00:30Z"
    assert post["counts"] == {"likes": 4, "replies": 0, "views": 300}
    assert post["author"] == exports.pseudonym("tiktok", "6600")
    assert exports.named("salma", "سلمى", "6600", "7180000000000000001", "tiktok.com") == []


def test_tweets_and_retweets(exports: Exports) -> None:
    result = exports(table(TWEET, {**TWEET, "id": "1610000000000000003", "is_retweet": "yes"}))
    assert result.dropped == {"repost of another's post": 1}
    post = exports.posts()["1610000000000000002"]
    assert post["declared_lang"] is None
    assert post["counts"] == {"likes": 1, "replies": 0, "reposts": 2, "views": 40}
    assert post["thread"] == exports.key("twitter", "1609000000000000000")


def test_reddit_is_known_by_its_column_and_its_links_lead_elsewhere(exports: Exports) -> None:
    row = {
        "id": "c1",
        "thread_id": "s1",
        "timestamp": "1672660830",
        "body": "Парк закрыт",
        "subject": "Вопрос",
        "author": "invented_rider_q",
        "url": "https://i.example/x.jpg",
        "subreddit": "kazan",
        "parent": "c0",
        "score": "-3",
    }
    exports(table(row))
    post = exports.posts()["c1"]
    assert (post["title"], post["text"], post["counts"]) == ("Вопрос", "Парк закрыт", {"likes": -3})
    assert post["parent"] == exports.key("reddit", "c0")
    assert "url" not in post["opened"]


def test_telegram_is_known_by_its_columns(exports: Exports) -> None:
    row = {
        "id": "kazanchat-5",
        "thread_id": "kazanchat",
        "chat": "kazanchat",
        "author": "7700",
        "author_username": "lada_test_q",
        "author_name": "Лада Нетакова",
        "author_is_bot": "no",
        "body": "Лада Нетакова спрашивает",
        "reply_to": "4",
        "timestamp": "2023-01-02 12:00:30",
        "timestamp_edited": "2023-01-02 13:00:30",
        "views": "",
    }
    exports(table(row))
    post = exports.posts()["kazanchat-5"]
    assert post["text"] == "[HANDLE] спрашивает"
    assert post["parent"] == exports.key("telegram", "kazanchat-4")
    assert post["edited_at"] == "2023-01-02T13:00:30Z"
    assert exports.named("lada_test", "7700", "kazanchat") == []


def test_instagram_and_comments_on_tiktok(exports: Exports) -> None:
    photo = {
        "id": "CxTest1",
        "thread_id": "CxTest1",
        "parent_id": "CxTest1",
        "body": "حديقة بلا ظل",
        "author": "salma_test_q",
        "timestamp": "2023-01-02 12:00:30",
        "url": "https://www.instagram.com/p/CxTest1",
        "num_likes": -1,
        "num_comments": 2,
        "location_latlong": "55.79,49.12",
    }
    comment = {
        "id": "9",
        "thread_id": "1",
        "author": "salma_test_q",
        "body": "نعم",
        "timestamp": "2023-01-02 12:00:30",
        "post_url": "https://www.tiktok.com/@x/video/1",
        "comment_url": "https://www.tiktok.com/@x/video/1?comment=9",
        "is_comment_on_comment": "no",
    }
    exports(table(photo))
    exports(table(comment))
    post = exports.posts()["CxTest1"]
    assert (post["parent"], post["counts"]) == (None, {"replies": 2})
    assert (post["latitude"], post["longitude"]) == (55.79, 49.12)
    assert exports.posts()["9"]["author"] == exports.pseudonym("tiktok-comments", "salma_test_q")


def test_a_platform_that_shows_nowhere_must_be_named(exports: Exports) -> None:
    row = {
        "id": "5",
        "thread_id": "1",
        "body": "Где рынок?",
        "author": "q",
        "timestamp": "1672660830",
        "link": "http://[",
    }
    with pytest.raises(InputError, match=r"do not say which platform they are of; give it with --source NAME"):
        exports(table(row))
    assert exports(table(row), values={"city": "Kazan", "source": "Forum"}).new == 1
