from __future__ import annotations

from typing import Any

import pytest

from tests.crawlers.importers.conftest import Exports, ndjson

ID, FIRST, PARENT = "1610000000000000002", "1609999000000000001", "1609000000000000000"


def v1(n: int = 2, **fields: Any) -> dict[str, Any]:
    return {
        "id_str": f"161000000000000000{n}",
        "id": 1610000000000000000 + n,
        "created_at": "Mon Jan 02 19:20:30 +0000 2023",
        "full_text": "Автобус опять не пришёл &amp; мы шли пешком 1 &lt; 2",
        "lang": "ru",
        "user": {"id_str": "7700", "screen_name": "lada_test_q", "name": "Лада Нетакова"},
        "favorite_count": 3,
        "retweet_count": 0,
        **fields,
    }


def v2(n: int = 2, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"161000000000000000{n}",
        "text": "لا توجد حافلات بعد الثامنة",
        "author_id": "8800",
        "created_at": "2023-01-02T19:20:30.000Z",
        "conversation_id": PARENT,
        "lang": "ar",
        "edit_history_tweet_ids": [f"161000000000000000{n}"],
        "public_metrics": {"like_count": 5, "reply_count": 1, "retweet_count": 0, "impression_count": 90},
        **fields,
    }


USER = {"id": "8800", "username": "salma_test_q", "name": "سلمى تجربة"}


def test_a_tweet_of_the_old_api(exports: Exports) -> None:
    tweet = v1(
        in_reply_to_status_id_str=PARENT,
        coordinates={"type": "Point", "coordinates": [49.12, 55.79]},
        full_text="Лада Нетакова пишет @mayor: автобуса нет &amp; холодно",
    )
    result = exports(ndjson(tweet))
    assert (result.format, result.new) == ("twarc", 1)
    post = exports.posts()[ID]
    assert post["text"] == "[HANDLE] пишет [HANDLE]: автобуса нет & холодно"
    assert (post["created_at"], post["edited_at"], post["declared_lang"]) == ("2023-01-02T19:20:30Z", None, "ru")
    assert (post["latitude"], post["longitude"]) == (55.79, 49.12)
    assert post["counts"] == {"likes": 3, "reposts": 0}
    assert post["author"] == exports.pseudonym("twitter", "7700")
    assert post["parent"] == exports.key("twitter", PARENT)
    assert post["thread"] is None
    assert post["opened"]["url"] == f"https://x.com/i/status/{ID}"
    assert exports.named("lada_test_q", "Нетакова", "7700", ID, PARENT, "x.com") == []


def test_the_whole_text_of_a_long_tweet_is_taken(exports: Exports) -> None:
    exports(
        ndjson(
            v1(2, full_text=None, text="короткий…", extended_tweet={"full_text": "длинный целиком"}),
            v1(3, full_text=None, text="из потока"),
        )
    )
    assert {post["text"] for post in exports.posts().values()} == {"длинный целиком", "из потока"}


def test_pages_of_the_new_api_are_parted_into_their_tweets(exports: Exports) -> None:
    page = {
        "data": [
            v2(2, referenced_tweets=[{"type": "replied_to", "id": PARENT}, {"type": "quoted", "id": "1"}]),
            v2(3, note_tweet={"text": "متن بلند درباره‌ی اتوبوس"}, lang="qme", author_id="9900"),
            v2(4, referenced_tweets=[{"type": "retweeted", "id": PARENT}]),
            "no tweet",
        ],
        "includes": {"users": [USER], "tweets": [v2(9)]},
        "meta": {"result_count": 3},
        "__twarc": {"version": "2.14.0"},
    }
    result = exports(ndjson(page, {"meta": {"result_count": 0}}))
    assert (result.format, result.rows, result.new) == ("twarc", 4, 2)
    assert result.dropped == {"repost of another's post": 1, "not a JSON object": 1}
    post = exports.posts()[ID]
    assert post["text"] == "لا توجد حافلات بعد الثامنة"
    assert post["counts"] == {"likes": 5, "replies": 1, "reposts": 0, "views": 90}
    assert post["author"] == exports.pseudonym("twitter", "8800")
    assert post["thread"] == post["parent"] == exports.key("twitter", PARENT)
    assert post["declared_lang"] == "ar"
    long = exports.posts()["1610000000000000003"]
    assert (long["text"], long["declared_lang"]) == ("متن بلند درباره‌ی اتوبوس", None)
    assert exports.named("salma_test_q", "سلمى", "8800", "9900") == []


@pytest.mark.parametrize("key", ["author", "author_user"])
def test_flattened_tweets_name_their_author(exports: Exports, key: str) -> None:
    tweet = v2(text="سلمى تجربة: أين الحافلة؟", geo={"coordinates": {"type": "Point", "coordinates": [49.1, 55.8]}})
    assert exports(ndjson({**tweet, key: USER})).format == "twarc"
    post = exports.posts()[ID]
    assert post["text"] == "[HANDLE]: أين الحافلة؟"
    assert (post["latitude"], post["longitude"]) == (55.8, 49.1)


def test_a_single_tweet_of_a_stream(exports: Exports) -> None:
    exports(ndjson({"data": v2(), "includes": {"users": [USER]}, "matching_rules": [{"tag": "kazan"}]}))
    assert exports.posts()[ID]["author"] == exports.pseudonym("twitter", "8800")


def test_an_edited_tweet_is_the_same_post(exports: Exports) -> None:
    first = v2(id=FIRST, text="Нет автобуса", edit_history_tweet_ids=[FIRST], created_at="2023-01-02T17:00:00Z")
    edited = v2(text="Нет автобуса уже час", edit_history_tweet_ids=[FIRST, ID])
    assert exports(ndjson(first)).new == 1
    result = exports(ndjson(edited))
    assert (result.new, result.edited) == (0, 1)
    post = exports.posts()[FIRST]
    assert post["text"] == "Нет автобуса уже час"
    assert post["edited_at"] == "2023-01-02T19:20:30Z"


def test_an_edited_tweet_seen_only_once_was_written_when_its_id_says(exports: Exports) -> None:
    # 2023-01-02T12:00:00Z in the bits of the id
    made = str(((1672660800000 - 1288834974657) << 22) + 5)
    exports(ndjson(v2(edit_history_tweet_ids=[made, ID])))
    post = exports.posts()[made]
    assert (post["created_at"], post["edited_at"]) == ("2023-01-02T12:00:00Z", "2023-01-02T19:20:30Z")


def test_retweets_and_what_is_no_tweet_are_named(exports: Exports) -> None:
    result = exports(
        ndjson(
            v1(2),
            v1(3, retweeted_status=v1(4)),
            {"delete": {"status": {"id_str": "5"}}},
            {"limit": {"track": 7}},
            v1(6),
        )
    )
    assert result.new == 2
    assert result.dropped == {"repost of another's post": 1, "row of another format": 2}
