from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from fault_server import Reply
from scrapy.http import Request, TextResponse

from citystudy.targets import VkTarget
from crawlers.around import NO_PLACE
from crawlers.crawl import crawl
from crawlers.items import RawPost
from crawlers.parking import Parked
from crawlers.spiders.vk import COMMENTS_CLOSED, VkSpider
from crawlers.visits import AGAIN, Step, Visit

KEY = "CITYSTUDY_TEST_VK_TOKEN"
CREDENTIALS = f'\n[credentials]\nvk = "env:{KEY}"\n'

Spider = Callable[..., tuple[VkSpider, Visit[VkTarget]]]


@pytest.fixture
def spider(folder: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spider]:
    """Make a spider and its visit of one target."""
    monkeypatch.setenv(KEY, "service-token")
    made: list[VkSpider] = []

    def make(keys: str = 'community = "kazan"', *, limits: str = "", mark: dict[str, Any] | None = None) -> Any:
        study = folder.write(f'source = "vk"\n{keys}', limits=f"{limits}\n{CREDENTIALS}", delay=1)
        text = study.read_text().replace('country = "RU"', 'country = "RU"\nlatitude = 55.79\nlongitude = 49.12', 1)
        study.write_text(text)
        made.append(VkSpider(study))
        (visit,) = made[-1].visits.values()
        visit.mark = mark or {}
        return made[-1], visit

    yield make
    for vk in made:
        vk.store.close()


def says(told: Any) -> TextResponse:
    return TextResponse(
        "https://api.vk.com/method/x",
        body=json.dumps({"response": told}).encode(),
        request=Request("https://api.vk.com"),
    )


def refuses(code: int) -> TextResponse:
    error = {"error": {"error_code": code, "error_msg": "no", "request_params": [{"key": "q", "value": "secret"}]}}
    return TextResponse("https://api.vk.com/method/x", body=json.dumps(error).encode(), request=Request("https://x"))


def post(number: int, comments: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "owner_id": -5, "from_id": 70 + number, "date": 1_790_000_000 + number,
        "text": f"Яма {number}", "comments": {"count": comments}, **fields,
    }  # fmt: skip


def comment(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "from_id": 9, "date": 1_790_000_000 + number, "text": f"Да {number}", **fields}


def asked(vk: VkSpider, visit: Visit[VkTarget], step: Step) -> tuple[str, dict[str, str]]:
    request = vk.request(visit, step)
    assert "token" not in request.url
    assert (request.method, request.meta["own_key"], request.meta["dont_redirect"]) == ("POST", True, True)
    return request.url.rsplit("/", 1)[1], dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def ids(posts: list[RawPost]) -> list[str]:
    return [raw.native_id for raw in posts]


def test_a_wall_is_read_below_what_is_read_and_above_what_was(spider: Spider) -> None:
    vk, visit = spider(mark={"newest": 60})
    (top,) = vk.opening(visit)
    method, query = asked(vk, visit, top)
    assert (method, query["domain"], query["offset"], query["count"]) == ("wall.get", "kazan", "0", "100")
    pinned = post(3, is_pinned=1)
    first = vk.read(visit, top, says({"count": 200, "items": [pinned, *(post(n) for n in range(160, 61, -1))]}))
    assert first.mark["newest"] == 160
    assert first.next == [{"wall": 98, "below": 62, "above": 60}]
    second = vk.read(visit, first.next[0], says({"count": 200, "items": [post(n) for n in range(63, 40, -1)]}))
    assert ids(second.posts)[0] == "wall-5_61"
    assert second.next == []


def test_a_stretch_left_unread_is_found_again_however_far_the_wall_has_moved(spider: Spider) -> None:
    vk, visit = spider(mark={"newest": 900})
    left = {"wall": 98, "below": 103, "above": 0}
    pushed_down = vk.read(visit, left, says({"count": 900, "items": [post(n) for n in range(802, 702, -1)]}))
    assert (pushed_down.posts, pushed_down.next) == ([], [{"wall": 196, "below": 103, "above": 0}])
    moved_up = vk.read(visit, left, says({"count": 900, "items": [post(n) for n in range(99, 0, -1)]}))
    assert (moved_up.posts, moved_up.next) == ([], [{"wall": 0, "below": 103, "above": 0, "back": 98}])
    (back,) = moved_up.next
    found = vk.read(visit, back, says({"count": 150, "items": [post(n) for n in range(150, 50, -1)]}))
    assert ids(found.posts) == [f"wall-5_{n}" for n in range(102, 50, -1)]
    assert found.next == [{"wall": 98, "below": 51, "above": 0}]
    assert "comments" in found.mark
    assert "newest" not in found.mark


def test_a_page_that_stays_empty_does_not_lead_in_circles(spider: Spider) -> None:
    vk, visit = spider(mark={"newest": 900})
    steps: list[Step] = [{"wall": 298, "below": 103, "above": 0}]
    walls = []
    while steps:
        step = steps.pop()
        walls.append(step["wall"])
        assert len(walls) < 20
        items = [post(n) for n in range(300, 200, -1)] if step["wall"] == 0 else []
        steps += vk.read(visit, step, says({"count": 900, "items": items})).next
    assert walls == [298, 198, 98, 0, 98]


def test_comments_are_read_where_they_are_new_or_their_number_has_changed(spider: Spider) -> None:
    known = {"wall-5_8": 2, "wall-5_7": 1}
    vk, visit = spider(mark={"newest": 8, "comments": known})
    items = [post(9, 1), post(8, 2), post(7, 3), post(6, 0), post(5, 4, marked_as_ads=1)]
    found = vk.read(visit, vk.opening(visit)[0], says({"count": 5, "items": items}))
    assert [step["comments"] for step in found.next] == ["wall-5_9", "wall-5_7"]
    assert found.mark["comments"] == {"wall-5_9": 1, "wall-5_8": 2, "wall-5_7": 3, "wall-5_6": 0}
    deeper = vk.read(visit, {"wall": 98, "below": 50, "above": 0}, says({"count": 5, "items": [post(50), post(7, 9)]}))
    assert deeper.mark["comments"] == {"wall-5_8": 2, "wall-5_7": 9}
    silent, visit = spider('community = "kazan"\ncomments = false')
    assert silent.read(visit, silent.opening(visit)[0], says({"count": 1, "items": [post(9, 1)]})).next == []


def test_below_the_newest_page_stored_posts_are_asked_about_only_while_they_are_watched(
    spider: Spider, monkeypatch: pytest.MonkeyPatch
) -> None:
    vk, visit = spider(mark={"newest": 60, "comments": {"wall-5_49": 1}})
    monkeypatch.setattr(vk, "stored", lambda visit, names: {"wall-5_49", "wall-5_48"})
    items = [post(50), post(49, 2), post(48, 2), post(47, 2)]
    found = vk.read(visit, {"wall": 98, "below": 50, "above": 0}, says({"count": 101, "items": items}))
    assert [step["comments"] for step in found.next] == ["wall-5_49", "wall-5_47"]


def test_threads_are_read_inline_or_on_their_own(spider: Spider) -> None:
    vk, visit = spider()
    step = {"comments": "wall-5_1", "offset": 0}
    method, query = asked(vk, visit, step)
    assert (method, query["owner_id"], query["post_id"], query["thread_items_count"]) == (
        "wall.getComments",
        "-5",
        "1",
        "10",
    )
    short = comment(2, thread={"count": 1, "items": [comment(3, reply_to_comment=2, parents_stack=[2])]})
    long = comment(4, deleted=True, thread={"count": 12, "items": [comment(5)]})
    found = vk.read(visit, step, says({"count": 16, "current_level_count": 3, "items": [short, long]}))
    assert [(raw.native_id, raw.parent, raw.ref) for raw in found.posts] == [
        ("wall-5_1_r2", "wall-5_1", None),
        ("wall-5_1_r3", "wall-5_1_r2", "wall-5_1_r2"),
        ("wall-5_1_r5", "wall-5_1_r4", "wall-5_1_r4"),
    ]
    assert {raw.thread for raw in found.posts} == {"wall-5_1"}
    assert found.gone == ["wall-5_1_r4"]
    thread, onward = found.next
    assert thread == {"comments": "wall-5_1", "thread": 4, "offset": 0, "look": []}
    assert onward == {"comments": "wall-5_1", "offset": 1, "look": []}
    method, query = asked(vk, visit, thread)
    assert (query["comment_id"], "thread_items_count" in query) == ("4", False)


def test_a_second_look_asks_for_posts_at_once_and_for_comments_with_their_post(spider: Spider) -> None:
    vk, visit = spider()
    names = ["wall-5_1", "wall-5_2", "wall-5_3_r7", "wall-5_4_r8"]
    step: Step = {AGAIN: [*([name, name] for name in names), ["wall-5_3_r9", "wall-5_3_r7"]]}
    method, query = asked(vk, visit, step)
    assert (method, query["posts"]) == ("wall.getById", "-5_1,-5_2,-5_3,-5_4")
    items = [post(1, text="Яму засыпали"), post(2, is_deleted=True), post(3, 5), post(99)]
    found = vk.read(visit, step, says({"items": items}))
    assert [(raw.native_id, raw.text) for raw in found.posts] == [("wall-5_1", "Яму засыпали")]
    assert found.gone == ["wall-5_2", "wall-5_4_r8"]
    assert found.next == [{"comments": "wall-5_3", "offset": 0, "look": [[7, 0], [9, 7]]}]
    assert vk.read(visit, step, says(items)).gone == found.gone  # a bare list, as version 5.131 has it


def test_a_search_names_its_beginning_and_goes_on_by_time_where_vk_shows_no_more(spider: Spider) -> None:
    vk, visit = spider('query = "мост"')
    (top,) = vk.opening(visit)
    method, query = asked(vk, visit, top)
    assert method == "newsfeed.search"
    assert (query["q"], query["start_time"], query["latitude"], query["longitude"]) == ("мост", "1", "55.79", "49.12")
    page = {"items": [post(n) for n in range(300, 100, -1)], "total_count": 5000, "next_from": "200/x"}
    first = vk.read(visit, top, says(page))
    assert first.mark["newest"] == 1_790_000_300
    assert first.next == [{**top, "search": "200/x", "read": 200}]
    assert {raw.basis for raw in first.posts} == {"coordinates"}
    last = vk.read(visit, first.next[0], says({**page, "next_from": ""}))
    assert last.next == [{**top, "search": "", "until": 1_790_000_101, "read": 0}]
    assert asked(vk, visit, last.next[0])[1]["end_time"] == "1790000101"
    same = vk.read(visit, last.next[0], says({"items": [post(101)], "total_count": 5000}))
    assert same.next == []
    again: Step = {AGAIN: [["wall-5_101", "wall-5_101"]]}
    assert vk.read(visit, again, says({"items": [post(101)]})).posts[0].basis == "coordinates"


def test_a_search_begins_an_hour_before_the_newest_post_or_where_the_history_begins(spider: Spider) -> None:
    vk, visit = spider('query = "мост"', mark={"newest": 1_790_000_000})
    assert vk.opening(visit)[0]["since"] == 1_790_000_000 - 3600
    vk, visit = spider('query = "мост"', limits="history_days = 30")
    assert abs(datetime.now(UTC).timestamp() - 30 * 86_400 - vk.opening(visit)[0]["since"]) < 60


def test_a_persons_page_is_not_read(spider: Spider) -> None:
    vk, visit = spider()
    with pytest.raises(Parked, match="a person's page"):
        vk.read(visit, vk.opening(visit)[0], says({"count": 1, "items": [post(1, owner_id=70)]}))


@pytest.mark.parametrize("code", [15, 100, 212])
def test_closed_comments_of_one_post_are_counted_and_the_rest_is_read(spider: Spider, code: int) -> None:
    vk, visit = spider()
    found = vk.read(visit, {"comments": "wall-5_1", "offset": 0, "look": [[2, 0]]}, refuses(code))
    assert (found.dropped, found.gone, found.quiet) == ({COMMENTS_CLOSED: 1}, [], False)


def test_what_may_pass_is_asked_three_times_again_and_a_good_answer_counts_anew(spider: Spider) -> None:
    vk, visit = spider()
    (top,) = vk.opening(visit)
    for _ in range(2):
        assert [vk.read(visit, top, refuses(code)).next for code in (6, 10, 1)] == [[top]] * 3
        vk.read(visit, top, says({"count": 0, "items": []}))
    for _ in range(3):
        vk.read(visit, top, refuses(6))
    with pytest.raises(Parked, match="too many requests a second"):
        vk.read(visit, top, refuses(6))


def wall(url: str, community: str = "kazan") -> str:
    return f'source = "vk"\ncommunity = "{community}"\nserver = "{url}"'


ERRORS = [
    (6, "too many requests a second (VK error 6)", 4),
    (9, "flood control (VK error 9)", 1),
    (29, "the rate limit is spent (VK error 29)", 1),
    (14, "VK asks for a person (VK error 14)", 1),
    (5, "the key is not accepted (VK error 5)", 1),
    (15, "closed (VK error 15)", 1),
    (28, "the key is not accepted (VK error 28)", 1),
    (100, "nothing here (VK error 100)", 1),
    (4711, "VK error 4711", 1),
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
    site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "service-token")
    posts = [
        {"id": n, "owner_id": 1000 + n, "from_id": 1000 + n, "date": 1_790_000_000 + 3600 * n, "text": f"Пробка на мосту {n}",
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
    posts.append({**posts[0], "id": 99, "date": 1_790_090_000, "text": "Новая пробка"})
    before = len(site.asked)
    [again] = crawl(study)
    assert (again.new, again.unchanged) == (1, 2)  # those of the hour before the newest are seen again
    assert len(site.asked) - before == 2


def test_a_redirect_takes_the_token_nowhere(new_site: Any, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "service-token")
    site, other = new_site(), new_site()
    site.answers["/method/wall.get"] = Reply(status=307, headers={"Location": f"{other.url}/method/wall.get"})
    [result] = crawl(folder.write(wall(site.url), cities=CREDENTIALS))
    assert result.parked == "redirects elsewhere (HTTP 307)"
    assert other.asked == []


def test_without_a_key_or_a_place_nothing_is_asked(folder: Any) -> None:
    vk = VkSpider(folder.write('source = "vk"\nquery = "мост"', delay=1))
    (visit,) = vk.visits.values()
    with pytest.raises(Parked, match="no key for VK's API"):
        vk.opening(visit)
    vk.credential = lambda: "service-token"  # type: ignore[method-assign]
    with pytest.raises(Parked, match=NO_PLACE):
        vk.opening(visit)
    vk.store.close()
