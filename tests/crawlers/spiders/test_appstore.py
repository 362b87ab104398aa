from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.crawl import crawl
from crawlers.spiders.appstore import EMPTY, reviews_of

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def entry(number: int, text: str, **labels: str) -> dict[str, Any]:
    told = {"id": str(number), "title": "Отзыв", "content": text, "im:rating": "1", **labels}
    author = {"uri": {"label": "https://itunes.apple.com/ru/reviews/id1"}, "name": {"label": "Зульфия"}}
    return {"author": author, **{name: {"label": label} for name, label in told.items()}}


def paths(page: int, country: str = "ru") -> str:
    return f"/{country}/rss/customerreviews/page={page}/id=7/sortby=mostrecent/json"


@pytest.mark.shared
def test_a_recorded_feed_is_read() -> None:
    path = SHARED / "data/api-samples/appstore/customerreviews_jp.json"
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    found = reviews_of(json.loads(path.read_text(encoding="utf-8"))["feed"], 1404176564)
    assert len(found.posts) == 50
    assert not found.dropped
    assert len({post.native_id for post in found.posts}) == 50
    for post in found.posts:
        assert post.text
        assert post.title
        assert post.counts is not None
        assert 1 <= post.counts["rating"] <= 5
        assert post.author
        assert post.author.startswith("https://itunes.apple.com/jp/reviews/id")
        assert post.basis == "country"


def test_a_review_that_names_the_city_counts_for_it_and_others_stay_with_the_country(site: Any, folder: Any) -> None:
    texts = [
        "В Казани приложение не работает",
        "Не открывается",
        "التطبيق لا يعمل",
        "The Third Capital is not on the map",
    ]
    entries = [entry(n, text) for n, text in enumerate(texts, 1)]
    app_itself = {"id": {"label": "app"}, "im:name": {"label": "App"}, "title": {"label": "App"}}
    site.answers[paths(1)] = site.Reply(json.dumps({"feed": {"entry": [app_itself, *entries]}}))
    site.answers[paths(2)] = site.Reply(json.dumps({"feed": {}}))
    [result] = crawl(folder.write(f'source = "appstore"\napp = 7\nserver = "{site.url}"'))
    assert (result.new, result.parked) == (4, None)
    assert {post["text"]: post["city_basis"] for post in folder.posts()} == {
        texts[0]: "mention",
        texts[1]: "country",
        texts[2]: "country",
        texts[3]: "mention",
    }


def test_an_empty_first_page_is_told_as_a_possible_refusal_and_the_country_may_be_another(
    site: Any, folder: Any
) -> None:
    site.answers[paths(1, "jo")] = site.Reply(json.dumps({"feed": {"author": {}}}))
    [result] = crawl(folder.write(f'source = "appstore"\napp = 7\ncountry = "JO"\nserver = "{site.url}"'))
    assert result.parked == EMPTY
    assert site.paths() == [paths(1, "jo")]


def test_no_more_than_ten_pages_are_asked_for(site: Any, folder: Any) -> None:
    for page in range(1, 12):
        site.answers[paths(page)] = site.Reply(json.dumps({"feed": {"entry": [entry(page, f"Отзыв {page}")]}}))
    [result] = crawl(folder.write(f'source = "appstore"\napp = 7\nserver = "{site.url}"'))
    assert (result.new, result.outcome) == (10, "finished")
    assert len(site.paths()) == 10


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["entry", "id", "label", "author", "im:rating", "content", "name"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_no_answer_is_too_odd_to_be_read(value: Any) -> None:
    found = reviews_of({"entry": value}, 7)
    assert all(post.native_id for post in found.posts)
