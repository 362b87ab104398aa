from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from citystudy.targets import MastodonTarget
from crawlers.items import RawPost
from crawlers.mastodon import looked_again, refuse_if_closed, timeline
from crawlers.parking import Parked
from crawlers.timelines import Timeline
from crawlers.visits import AGAIN, Found, Step

SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
HERE = "https://social.example"
TARGET = MastodonTarget(source="mastodon", instance=HERE, tag="Казань")
TOP: Step = {"below": None, "above": None}
LOOK: Step = {AGAIN: [["uri", "7"]]}


def answer(value: Any, status: int = 200, **headers: str) -> TextResponse:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return TextResponse(HERE, status=status, body=body, headers=dict(headers))


def status(number: int, **fields: Any) -> dict[str, Any]:
    account = {"acct": "Laylah", "display_name": "ليلى :bus:"}
    return {"id": str(number), "uri": f"{HERE}/{number}", "content": "<p>زحمة</p>", "account": account, **fields}


def recorded(name: str) -> Any:
    path = SHARED / "data/api-samples/mastodon" / name
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    return json.loads(path.read_bytes())


@pytest.mark.shared
@pytest.mark.parametrize("name", ["hashtag_tl_1.json", "public_tl_1.json"])
def test_recorded_timelines_are_read_whole(name: str) -> None:
    statuses = recorded(name)
    page = timeline(answer(statuses), TOP, TARGET)
    assert page.ids == [shown["id"] for shown in statuses]
    assert page.strange == 0
    posts = [entry for entry in page.entries if isinstance(entry, RawPost)]
    assert len(posts) == len([s for s in statuses if not s["reblog"] and s["visibility"] == "public"]) > 0
    for post in posts:
        assert post.native_id.startswith("http")
        assert post.created_at is not None
        assert post.counts is not None
        assert post.author is not None
        assert "@" in post.author
        assert "<" not in post.text


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mastodon_social_status_0.json", "mastodon_social_quote_0.json"])
def test_a_recorded_post_is_looked_at_again(name: str) -> None:
    [post] = looked_again(answer(recorded(name)), LOOK, TARGET).posts
    assert post.native_id.startswith("https://")


@pytest.mark.shared
def test_a_recorded_instance_tells_who_may_see_timelines() -> None:
    instance = recorded("hashtag_tl_0.json")
    refuse_if_closed(answer(instance), TARGET)
    instance["configuration"]["timelines_access"]["hashtag_feeds"] = {"local": "disabled", "remote": "authenticated"}
    with pytest.raises(Parked, match=r"^closed"):
        refuse_if_closed(answer(instance), TARGET)


def test_the_quirks_of_pleroma_and_akkoma() -> None:
    restricted = answer({"error": "authorization required for timeline view"}, 401)
    with pytest.raises(Parked, match=r"^closed: .*HTTP 401"):
        timeline(restricted, TOP, TARGET)
    [unknown_parent] = timeline(answer([status(3, in_reply_to_id="_")]), TOP, TARGET).entries
    assert isinstance(unknown_parent, RawPost)
    assert unknown_parent.parent is None
    assert timeline(answer([status(3, visibility="local")]), TOP, TARGET).entries == ["not public"]
    link = f'<{HERE}/api/v1/timelines/tag/x?max_id=AB9&limit=40>; rel="next", <{HERE}/x?min_id=AC1>; rel="prev"'
    assert timeline(answer([status(3)], Link=link), TOP, TARGET).below == "AB9"
    refuse_if_closed(answer(b"not found", 404), TARGET)


def test_what_a_second_look_tells() -> None:
    assert [post.text for post in looked_again(answer(status(7, content="انفرجت")), LOOK, TARGET).posts] == ["انفرجت"]
    assert looked_again(answer(b"", 404), LOOK, TARGET).gone == ["uri"]
    assert looked_again(answer(status(7, visibility="private")), LOOK, TARGET).gone == ["uri"]
    for hidden in (answer(b"", 401), answer(b"", 403), answer(b"", 500), answer(status(7, reblog={"id": "1"}))):
        found = looked_again(hidden, LOOK, TARGET)
        assert (found.posts, found.gone) == ([], [])
    with pytest.raises(Parked):
        looked_again(answer(b"", 503), LOOK, TARGET)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("uri", "content", "account", "visibility", "in_reply_to_id", "created_at", "replies_count", "language")
odd = json_values | st.builds(
    lambda number, fields: {"id": number, **fields},
    json_values | st.text(max_size=4),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
)


@given(st.lists(odd, max_size=4) | json_values, odd, st.sampled_from([200, 401, 404, 422]))
def test_no_answer_breaks_the_reader(value: Any, one: Any, code: int) -> None:
    calls: list[Callable[[], Timeline | Found | None]] = [
        lambda: timeline(answer(value, code), {"below": "9", "above": "1"}, TARGET),
        lambda: looked_again(answer(one, code), LOOK, TARGET),
        lambda: refuse_if_closed(answer(value, code), TARGET),
    ]
    for call in calls:
        with contextlib.suppress(Parked):
            call()
