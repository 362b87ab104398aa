from __future__ import annotations

from typing import Any

import pytest
from backports import zstd

from tests.crawlers.importers.conftest import Exports, ndjson


def comment(n: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"c{n}",
        "body": "The bus &gt; the metro &amp; cheaper",
        "author": "invented_rider_q",
        "author_fullname": "t2_invented",
        "created_utc": 1672660830,
        "link_id": "t3_s1",
        "parent_id": "t1_c0",
        "subreddit": "kazan",
        "permalink": "/r/kazan/comments/s1/_/c1/",
        "score": -2,
        "edited": False,
        **fields,
    }


def submission(n: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"s{n}",
        "title": "Нет мест в детском саду",
        "selftext": "Очередь на три года",
        "author": "invented_rider_q",
        "created_utc": "1672660830",
        "subreddit": "kazan",
        "permalink": "/r/kazan/comments/s1/title/",
        "url": "https://i.example/picture.jpg",
        "score": 7,
        "num_comments": 0,
        "edited": 1672664430.0,
        **fields,
    }


@pytest.mark.parametrize("packed", [False, True])
def test_comments_and_submissions(exports: Exports, packed: bool) -> None:
    content = ndjson(comment(), submission())
    result = exports(zstd.compress(content) if packed else content)
    assert (result.format, result.new) == ("pushshift", 2)
    one, other = exports.posts()["t1_c1"], exports.posts()["t3_s1"]
    assert (one["title"], one["text"]) == ("", "The bus > the metro & cheaper")
    assert (other["title"], other["text"]) == ("Нет мест в детском саду", "Очередь на три года")
    assert one["thread"] == other["thread"] == exports.key("reddit", "t3_s1")
    assert (one["parent"], other["parent"]) == (exports.key("reddit", "t1_c0"), None)
    assert one["author"] == other["author"] == exports.pseudonym("reddit", "invented_rider_q")
    assert one["created_at"] == other["created_at"] == "2023-01-02T12:00:30Z"
    assert (one["edited_at"], other["edited_at"]) == (None, "2023-01-02T13:00:30Z")
    assert (one["counts"], other["counts"]) == ({"likes": -2}, {"likes": 7, "replies": 0})
    assert other["opened"]["url"] == "https://www.reddit.com/r/kazan/comments/s1/title/"
    assert exports.named("invented_rider", "t2_invented", "t3_s1", "reddit.com", "i.example") == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (comment(body="[deleted]", author="[deleted]"), "deleted by its author"),
        (comment(body="[removed]", author="[deleted]"), "removed by moderators"),
        (submission(selftext="[ Removed by Reddit ]"), "removed by moderators"),
        (submission(removed_by_category="moderator"), "removed by moderators"),
        (submission(removed_by_category="deleted"), "deleted by its author"),
        (comment(_meta={"removal_type": "deleted", "was_deleted_later": True}), "deleted by its author"),
        (comment(_meta={"removal_type": "removed"}), "removed by moderators"),
        (comment(_meta={"was_deleted_later": True}), "deleted by its author"),
    ],
)
def test_what_is_gone_from_reddit_is_left_out_also_where_the_archive_has_it(
    exports: Exports, row: dict[str, Any], reason: str
) -> None:
    assert exports(ndjson(row, comment(2))).dropped == {reason: 1}


def test_odd_rows(exports: Exports) -> None:
    exports(
        ndjson(
            comment(1, author="[deleted]", edited=True, score=None),
            submission(2, selftext="", title="هل من مواقف؟", removed_by_category=None),
            comment(3, id="t1_c3", author=["x"], parent_id=5, _meta={"is_edited": True}),
        )
    )
    posts = exports.posts()
    assert (posts["t1_c1"]["author"], posts["t1_c1"]["edited_at"], posts["t1_c1"]["counts"]) == (None, None, None)
    assert (posts["t3_s2"]["title"], posts["t3_s2"]["text"]) == ("", "هل من مواقف؟")
    assert posts["t1_c3"]["author"] is None
