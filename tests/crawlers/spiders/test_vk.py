from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.crawl import crawl
from crawlers.vk_posts import (
    ADVERT,
    REPOST,
    comment_id,
    comment_post,
    place_of,
    post_id,
    reason_to_leave_out,
    wall_post,
)

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
KEY = "CITYSTUDY_TEST_VK_TOKEN"


def recorded(name: str) -> dict[str, Any]:
    path = SHARED / "data/api-samples/vk" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    told = json.loads(path.read_text(encoding="utf-8"))
    return told.get("response", told)  # type: ignore[no-any-return]


@pytest.mark.shared
def test_a_recorded_wall_is_read() -> None:
    items = recorded("vk_wall_response.json")["items"]
    names = [post_id(item) for item in items]
    assert None not in names
    assert len(set(names)) == len(items)
    read = [
        wall_post(i, n, by_place=False) for i, n in zip(items, names, strict=True) if n and not reason_to_leave_out(i)
    ]
    assert len(read) >= 5
    for post in read:
        assert post.created_at is not None
        assert post.author
        assert post.author.startswith(("id", "club"))
        assert post.counts is not None
        assert post.counts["likes"] >= 0


@pytest.mark.shared
def test_recorded_comments_are_read() -> None:
    items = recorded("vk_comment_response.json")["items"]
    post = f"wall{items[0]['owner_id']}_{items[0]['post_id']}"
    read = [comment_post(item, comment_id(item, post) or "", post) for item in items]
    assert [item.parent for item in read] == [post] * len(read)
    assert {item.author for item in read} == {"id548882227", "id681212075", "club220870455"}
    assert all(item.text for item in read)


@pytest.mark.parametrize(
    ("geo", "place"),
    [
        ({"type": "point", "coordinates": "55.79 49.12"}, (55.79, 49.12)),
        ({"coordinates": {"latitude": 55.79, "longitude": 49.12}}, (55.79, 49.12)),
        ("55.79, 49.12", (55.79, 49.12)),
        ("-33.9 18.4", (-33.9, 18.4)),
        ({"coordinates": {"latitude": True, "longitude": 1}}, (None, None)),
        ({"coordinates": "Казань"}, (None, None)),
        (None, (None, None)),
        (7, (None, None)),
    ],
)
def test_a_place_is_read_in_each_form_that_vk_gives_it(geo: object, place: tuple[float | None, float | None]) -> None:
    assert place_of(geo) == place


def test_what_says_nothing_of_its_own_is_left_out() -> None:
    assert reason_to_leave_out({"text": "", "copy_history": [{"text": "чужое"}]}) == REPOST
    assert reason_to_leave_out({"text": "Согласен", "copy_history": [{"text": "чужое"}]}) is None
    assert reason_to_leave_out({"text": "Скидки", "marked_as_ads": 1}) == ADVERT
    assert reason_to_leave_out({"text": "Вода ржавая", "marked_as_ads": 0}) is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["count", "coordinates", "x"]), inner),
    max_leaves=5,
)
KEYS = [
    "id",
    "owner_id",
    "from_id",
    "signer_id",
    "date",
    "edited",
    "text",
    "likes",
    "views",
    "geo",
    "copy_history",
    "comments",
]


@given(st.dictionaries(st.sampled_from(KEYS), ODD))
def test_no_post_is_too_odd_to_be_read(post: dict[str, Any]) -> None:
    reason_to_leave_out(post)
    name = post_id(post)
    if name:
        assert wall_post(post, name, by_place=True).native_id == name
    if comment_id(post, "wall-1_2"):
        comment_post(post, "c", "wall-1_2")


def wall(url: str, community: str = "kazan") -> str:
    return f'source = "vk"\ncommunity = "{community}"\nserver = "{url}"'


CREDENTIALS = f'\n[credentials]\nvk = "env:{KEY}"\n'


ERRORS = [
    (6, "too many requests a second (VK error 6)", 4),
    (9, "flood control (VK error 9)", 1),
    (29, "the rate limit is spent (VK error 29)", 1),
    (14, "VK asks for a captcha (error 14)", 1),
    (5, "the key is not accepted (VK error 5)", 1),
    (15, "closed (VK error 15)", 1),
    (100, "VK error 100", 1),
]


def test_errors_come_with_200_and_are_told_apart(new_site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "service-token")
    sites = [new_site() for _ in ERRORS]
    for site, (code, _, _) in zip(sites, ERRORS, strict=True):
        error = {"error": {"error_code": code, "error_msg": "no", "captcha_sid": "1"}}
        site.answers["/method/wall.get"] = site.Reply(json.dumps(error))
    targets = [wall(site.url, f"kazan{number}") for number, site in enumerate(sites)]
    results = crawl(folder.write(*targets, cities=CREDENTIALS))
    assert [result.parked for result in results] == [parked for _, parked, _ in ERRORS]
    assert [len(site.paths()) for site in sites] == [asked for _, _, asked in ERRORS]
    assert b"service-token" not in folder.database_bytes() + (folder.path / "crawl.log").read_bytes()


def test_a_search_is_around_the_city_goes_on_from_where_it_ended_and_asks_only_for_what_is_new(
    site: Any, tmp_path: Path, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "service-token")
    posts = [
        {"id": n, "owner_id": 1000 + n, "from_id": 1000 + n, "date": 1_790_000_000 + n, "text": f"Пробка на мосту {n}",
         "geo": {"coordinates": "55.79 49.12"}}
        for n in range(1, 7)
    ]  # fmt: skip

    def search(asked: Any) -> Any:
        assert (asked.form["latitude"], asked.form["longitude"], asked.form["q"]) == ("55.79", "49.12", "мост")
        since = int(asked.form.get("start_time", 0))
        shown = sorted((p for p in posts if int(p["date"]) >= since), key=lambda post: -int(str(post["date"])))
        begin = int(asked.form.get("start_from", "0").rpartition("/")[2] or 0)
        told: dict[str, Any] = {"items": shown[begin : begin + 2], "total_count": len(shown)}
        if begin + 2 < len(shown):
            told["next_from"] = f"x/{begin + 2}"
        return site.Reply(json.dumps({"response": told}))

    site.answers["/method/newsfeed.search"] = search
    study = folder.write(f'source = "vk"\nquery = "мост"\nserver = "{site.url}"', cities=CREDENTIALS)
    text = study.read_text().replace('country = "RU"', 'country = "RU"\nlatitude = 55.79\nlongitude = 49.12', 1)
    study.write_text(text)
    [result] = crawl(study)
    assert (result.new, result.parked) == (6, None)
    assert {post["city_basis"] for post in folder.posts()} == {"coordinates"}
    posts.append({**posts[0], "id": 99, "date": 1_790_000_100, "text": "Новая пробка"})
    before = len(site.asked)
    [again] = crawl(study)
    assert (again.new, again.unchanged) == (1, 0)
    assert len(site.asked) - before == 1


def test_without_a_key_nothing_is_asked(site: Any, folder: Any) -> None:
    [result] = crawl(folder.write(wall(site.url)))
    assert result.parked == "no key for VK's API"
    assert site.asked == []
