from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.crawl import crawl
from crawlers.reddit_posts import BOT, DELETED, fullname, is_bot, is_gone, post_of

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def recorded(name: str) -> list[dict[str, Any]]:
    path = SHARED / "data/api-samples/reddit" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    return [child["data"] for child in json.loads(path.read_text(encoding="utf-8"))["data"]["children"]]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "prefix"),
    [("SubredditListings_test_new_0.json", "t3_"), ("SubredditListings_test_comments_0.json", "t1_")],
)
def test_recorded_listings_are_read(name: str, prefix: str) -> None:
    things = recorded(name)
    assert len(things) >= 90
    for thing in things:
        found = fullname(thing)
        assert found is not None
        assert found.startswith(prefix)
        if is_gone(thing) or is_bot(thing):
            continue
        post = post_of(thing, found)
        assert post.title or post.text
        assert post.created_at is not None
        assert post.created_at.year == 2016
        assert post.author not in {"", "[deleted]"}
        assert (post.parent is None) == (prefix == "t3_")


@pytest.mark.shared
def test_a_recorded_deleted_comment_is_told_as_gone() -> None:
    [thing] = recorded("Comment_test_refresh__deleted_comment_0.json")
    assert is_gone(thing)
    assert post_of(thing, "t1_d7ltvl0").author is None


def submission(number: int, text: str = "", **more: Any) -> dict[str, Any]:
    told = {
        "id": f"k{number:03d}",
        "subreddit": "Kazan",
        "author": "timur_v",
        "title": f"Вопрос {number}",
        "selftext": text,
    }
    return {**told, "created_utc": 1_790_000_000 + number, "score": 0, "num_comments": 0, **more}


def test_fields_are_what_reddit_says_and_nothing_is_made_up() -> None:
    post = post_of(
        submission(1, "Где **поесть** &amp; посидеть?\n\n> чужие слова\n\nشكراً", edited=1_790_000_500.0), "t3_k001"
    )
    assert post.text == "Где поесть & посидеть?\n\nчужие слова\n\nشكراً"
    assert post.counts == {"likes": 0, "replies": 0}, "a stated 0 is a 0"
    assert post.edited_at == datetime.fromtimestamp(1_790_000_500, UTC)
    assert (post.thread, post.parent, post.author, post.author_names) == ("t3_k001", None, "timur_v", ("timur_v",))
    bare = post_of(
        {"id": "c1", "body": "سلام", "link_id": "t3_k001", "parent_id": "t1_c0", "author": "[deleted]"}, "t1_c1"
    )
    assert (bare.counts, bare.created_at, bare.author, bare.parent, bare.thread) == (
        None,
        None,
        None,
        "t1_c0",
        "t3_k001",
    )
    assert bare.flaws == ()


@pytest.mark.parametrize(
    ("more", "gone"),
    [
        ({"selftext": "[deleted]"}, True),
        ({"selftext": "[removed]"}, True),
        ({"removed_by_category": "moderator"}, True),
        ({"_meta": {"removal_type": "deleted"}}, True),
        ({"_meta": {"was_deleted_later": True}}, True),
        ({"_meta": {"removal_type": "moderator", "was_initially_deleted": True}}, False),
        ({"_meta": ["odd"]}, False),
        ({"title": "[deleted by user]"}, True),
        ({"selftext": "[ Removed by Reddit ]"}, True),
        ({"_meta": {"retrieved_2nd_on": 1}}, False),
        ({"selftext": "the post was [deleted] they say"}, False),
        ({}, False),
    ],
)
def test_deletion_flags_are_honoured(more: dict[str, Any], gone: bool) -> None:
    assert (
        is_gone(
            submission(1, "text", **{"selftext": "text", **more}) if "selftext" not in more else submission(1) | more
        )
        == gone
    )


def test_a_crosspost_names_what_it_repeats() -> None:
    post = post_of(submission(2, crosspost_parent="t3_z9"), "t3_k002")
    assert (post.parent, post.thread, post.title, post.text) == ("t3_z9", "t3_k002", "Вопрос 2", "")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
KEYS = [
    "id",
    "name",
    "body",
    "selftext",
    "title",
    "author",
    "created_utc",
    "edited",
    "score",
    "permalink",
    "_meta",
    "link_id",
]


@given(st.dictionaries(st.sampled_from(KEYS), ODD))
def test_no_thing_is_too_odd_to_be_read(thing: dict[str, Any]) -> None:
    name = fullname(thing)
    is_gone(thing)
    is_bot(thing)
    if name:
        assert post_of(thing, name).native_id == name


def target(url: str, **keys: str) -> str:
    told = {"source": "reddit", "subreddit": "Kazan", "server": url, **keys}
    return "\n".join(f'{key} = "{value}"' for key, value in told.items())


def test_what_was_deleted_or_comes_from_a_bot_is_counted_and_seconds_that_many_share_are_read_whole(
    site: Any, folder: Any
) -> None:
    things = [submission(n, created_utc=1_790_000_000 + n // 60) for n in range(150)]
    things.append(submission(200, "[removed]"))
    things.append(submission(201, "rules", author="AutoModerator"))
    things.sort(key=lambda thing: (-thing["created_utc"], thing["id"]))

    def search(asked: Any) -> Any:
        before, after = int(asked.query.get("before", 10**10)), int(asked.query.get("after", 0))
        return site.Reply(json.dumps({"data": [t for t in things if after < t["created_utc"] < before][:100]}))

    site.answers |= {"/api/posts/search": search, "/api/comments/search": site.Reply('{"data": []}')}
    study = folder.write(target(site.url))
    [result] = crawl(study)
    assert (result.new, result.parked) == (150, None)
    assert result.dropped[DELETED] >= 1
    assert result.dropped[BOT] >= 1


def test_a_stretch_that_takes_the_archive_too_long_is_asked_for_in_less_and_what_comes_late_is_not_missed(
    site: Any, folder: Any
) -> None:
    things = [submission(n, created_utc=1_790_000_000 + 3_600 * n) for n in range(150)]

    def search(asked: Any) -> Any:
        before, after = int(asked.query.get("before", 10**10)), int(asked.query.get("after", 0))
        shown = sorted((t for t in things if after < t["created_utc"] < before), key=lambda t: -t["created_utc"])
        if asked.query["limit"] == "100" and len(shown) < 100:
            return site.Reply('{"data": null, "error": "Timeout. Maybe slow down a bit"}', status=422)
        return site.Reply(json.dumps({"data": shown[: int(asked.query["limit"])]}))

    site.answers |= {"/api/posts/search": search, "/api/comments/search": site.Reply('{"data": []}')}
    study = folder.write(target(site.url))
    [result] = crawl(study)
    assert (result.new, result.parked) == (150, None)
    things.append(submission(500, created_utc=things[-1]["created_utc"] - 40 * 3_600 + 1))
    before = len(site.asked)
    [again] = crawl(study)
    assert (again.new, again.parked) == (1, None)
    assert len(site.asked) - before <= 8, "only the last two days are read again"


def test_what_cannot_be_read_is_parked_with_its_mend(
    new_site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, busy, wrong, keyless = (new_site() for _ in range(4))
    other.answers["/api/posts/search"] = other.Reply(json.dumps({"data": [submission(1, subreddit="Moscow")]}))
    busy.answers["/api/posts/search"] = busy.Reply('{"error": "Timeout"}', status=422)
    wrong.answers["/api/v1/access_token"] = wrong.Reply(status=401)
    monkeypatch.setenv("CITYSTUDY_TEST_REDDIT_KEY", "id:secret")
    cities = [
        f'\n[[cities]]\nname = "City {n}"\ncountry = "RU"\nlanguages = ["ru"]\n[[cities.targets]]\n{told}'
        for n, told in enumerate([target(busy.url), target(wrong.url, via="oauth", login_server=wrong.url)])
    ]
    keys = '\n[credentials]\nreddit = "env:CITYSTUDY_TEST_REDDIT_KEY"\n'
    results = crawl(folder.write(target(other.url), cities="".join(cities) + keys))
    assert [result.parked for result in results] == [
        "the server showed another subreddit",
        "the archive is busy (HTTP 422)",
        "the key is not accepted (HTTP 401)",
    ]
    [result] = crawl(folder.write(target(keyless.url, via="oauth")))
    assert result.parked == "no key for Reddit's API"
    assert keyless.asked == []


def test_atom_brings_the_newest_under_the_same_names(site: Any, folder: Any) -> None:
    foot = "submitted by &lt;a href='https://www.reddit.com/user/timur_v'&gt; /u/timur_v &lt;/a&gt; &lt;span&gt;[link]&lt;/span&gt;"
    entries = [
        f"<entry><author><name>/u/{author}</name></author><id>{name}</id><title>{title}</title>"
        f"<link href='https://www.reddit.com/r/Kazan/comments/k001/q/{path}'/><updated>2026-11-01T1{n}:00:00+00:00</updated>"
        f"<content type='html'>&lt;p&gt;{text}&lt;/p&gt; {end}</content></entry>"
        for n, (author, name, title, path, text, end) in enumerate(
            [
                ("timur_v", "t3_k001", "Вопрос", "", "Где поесть?", f"{foot} &lt;span&gt;[comments]&lt;/span&gt;"),
                ("[deleted]", "t1_c1", "/u/[deleted] on Вопрос", "c1/", "اینجا خوب است", ""),
                ("AutoModerator", "t1_c2", "/u/AutoModerator on Вопрос", "c2/", "Rules", ""),
            ]
        )
    ]
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Kazan</title>{}</feed>'
    site.answers |= {
        "/r/Kazan/new/.rss": site.Reply(feed.format(entries[0])),
        "/r/Kazan/comments/.rss": site.Reply(feed.format("".join(entries[1:]))),
    }
    [result] = crawl(folder.write(target(site.url, via="atom")))
    assert (result.new, result.parked, result.dropped) == (2, None, {BOT: 1})
    post, comment = folder.posts()
    assert post["opened"]["id"] == post["opened"]["thread"] == comment["opened"]["thread"] == "t3_k001"
    assert (post["title"], post["text"]) == ("Вопрос", "Где поесть?")
    assert post["author"] == folder.secret.pseudonym("reddit", "timur_v")
    assert (comment["opened"]["id"], comment["title"], comment["text"]) == ("t1_c1", "", "اینجا خوب است")
    assert comment["author"] is None
