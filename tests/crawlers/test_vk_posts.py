from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.privacy import redact
from crawlers.visits import Found, Step
from crawlers.vk_comments import read_comments
from crawlers.vk_posts import (
    ADVERT,
    NOT_A_POST,
    REPOST,
    comment_post,
    names_of,
    place_of,
    post_id,
    readable,
    reason_to_leave_out,
    wall_post,
)

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def recorded(name: str) -> dict[str, Any]:
    path = SHARED / "data/api-samples/vk" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    told = json.loads(path.read_text(encoding="utf-8"))
    return told.get("response", told)  # type: ignore[no-any-return]


@pytest.mark.shared
def test_a_recorded_wall_is_read() -> None:
    told = recorded("vk_wall_response.json")
    items, people = told["items"], names_of(told)
    names = [post_id(item) for item in items]
    assert None not in names
    assert len(set(names)) == len(items)
    read = [
        wall_post(item, name, people, by_place=False)
        for item, name in zip(items, names, strict=True)
        if name and not reason_to_leave_out(item)
    ]
    assert len(read) >= 5
    for post in read:
        assert post.created_at is not None
        assert post.author
        assert post.author.startswith(("id", "club"))
        assert post.counts is not None
        assert post.counts["likes"] >= 0
        assert "[#alias" not in post.text
    assert sum(bool(post.author_names) for post in read) >= 1
    assert [post.edited_at is not None for post in read].count(True) == 1


@pytest.mark.shared
def test_recorded_comments_are_read() -> None:
    told = recorded("vk_comment_response.json")
    post = f"wall{told['items'][0]['owner_id']}_{told['items'][0]['post_id']}"
    found = read_comments({"comments": post, "offset": 0}, told)
    assert [item.parent for item in found.posts] == [post] * 3
    assert {item.author for item in found.posts} == {"id548882227", "id681212075", "club220870455"}
    assert all(item.text for item in found.posts)
    assert (found.next, found.gone) == ([], [])
    assert [len(item.author_names) >= 2 for item in found.posts] == [True, True, False]  # a community is no person


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
    assert reason_to_leave_out({"text": "Поддерживаю", "post_type": "reply"}) == NOT_A_POST


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[id123|Тимур Валеев], спасибо", "[HANDLE], спасибо"),
        ("[id123:bp-1_2|Тимур Валеев], спасибо", "[HANDLE], спасибо"),
        ("[club5|ЖКХ Казань] молчит", "[HANDLE] молчит"),
        ("شكرا [event7|ليلى الحسن]", "شكرا [HANDLE]"),
        ("Запись: [#alias|t.me/kazan_b...|https://t.me/kazan_bot] тут", "Запись: https://t.me/kazan_bot тут"),
        ("Пишет [https://vk.com/id55|Тимур Валеев]", "Пишет https://vk.com/id55"),
        ("#Казань@kazan_live дороги", "#Казань дороги"),
        ("آب [قطع] است", "آب [قطع] است"),
        ("a [b|c] d", "a [b|c] d"),
    ],
)
def test_vks_own_marks_leave_no_name_and_no_litter(written: str, read: str) -> None:
    assert readable(written) == read
    assert not {"Валеев", "الحسن", "alias"} & set(redact(readable(written)).replace("|", " ").split())


def test_who_speaks_is_the_signer_and_both_orders_of_the_name_are_known() -> None:
    told = {
        "profiles": [
            {"id": 7, "first_name": "Тимур", "last_name": "Валеев", "screen_name": "tvaleev"},
            {"id": 8, "first_name": "Лейла", "last_name": "", "screen_name": "id8"},
        ]
    }
    names = names_of(told)
    assert names == {7: ("Тимур Валеев", "Валеев Тимур", "tvaleev"), 8: ()}
    by = {"id": 1, "owner_id": -5, "from_id": -5, "text": "Вода ржавая"}
    assert wall_post(by, "wall-5_1", names, by_place=False).author == "club5"
    signed = wall_post({**by, "signer_id": 7}, "wall-5_1", names, by_place=False)
    assert (signed.author, signed.author_names) == ("id7", names[7])


def test_a_poll_without_text_asks_its_question() -> None:
    poll = {"id": 1, "text": "", "attachments": [{"type": "photo"}, {"type": "poll", "poll": {"question": "Где яма?"}}]}
    assert wall_post(poll, "wall-5_1", {}, by_place=False).text == "Где яма?"


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


@given(st.dictionaries(st.sampled_from(KEYS), ODD), ODD)
def test_no_post_is_too_odd_to_be_read(post: dict[str, Any], other: object) -> None:
    reason_to_leave_out(post)
    name = post_id(post)
    if name:
        assert wall_post(post, name, {}, by_place=True).native_id == name
    comment_post(post, "wall-1_2_r3", names_of({"profiles": [post, other]}), None)
    read_comments({"comments": "wall-1_2", "offset": 0}, {"items": [post, other, {"id": 4, "thread": post}], **post})


def comment(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "from_id": 9, "date": 1_790_000_000 + number, "text": f"Да {number}", **fields}


LOOK: Step = {"comments": "wall-5_1", "offset": 0, "look": [[2, 0], [3, 2], [6, 2], [8, 0], [9, 8]]}


def look(step: Step, told: dict[str, Any]) -> Found:
    return read_comments(step, told)


def test_comments_that_are_looked_for_are_gone_when_nothing_shows_them() -> None:
    whole = {"count": 2, "current_level_count": 1, "items": [comment(2, thread={"count": 1, "items": [comment(3)]})]}
    assert look(LOOK, whole).gone == ["wall-5_1_r6", "wall-5_1_r8", "wall-5_1_r9"]
    longer = {**whole, "items": [comment(2, thread={"count": 12, "items": [comment(3)]})]}
    found = look(LOOK, longer)
    assert found.gone == ["wall-5_1_r8", "wall-5_1_r9"]
    assert found.next == [{"comments": "wall-5_1", "thread": 2, "offset": 0, "look": [[6, 2]]}]
    thread = look(found.next[0], {"count": 12, "current_level_count": 2, "items": [comment(3), comment(6)]})
    assert (thread.gone, [raw.native_id for raw in thread.posts]) == ([], ["wall-5_1_r3", "wall-5_1_r6"])


def test_nothing_is_gone_before_the_last_page_or_on_a_page_that_came_up_empty() -> None:
    first = look(LOOK, {"count": 9, "current_level_count": 5, "items": [comment(n) for n in (2, 10, 11)]})
    assert first.gone == []
    assert first.next == [{"comments": "wall-5_1", "offset": 1, "look": [[3, 2], [6, 2], [8, 0], [9, 8]]}]
    assert look(first.next[0], {"count": 9, "current_level_count": 5, "items": []}).gone == []
    last = look(first.next[0], {"count": 9, "current_level_count": 5, "items": [comment(n) for n in (10, 11, 8, 12)]})
    assert (last.gone, last.next) == (["wall-5_1_r3", "wall-5_1_r6", "wall-5_1_r9"], [])
