from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from crawlers.crawl import crawl
from crawlers.parking import Parked
from crawlers.visits import AGAIN, Found, Step
from crawlers.wordpress import PROTECTED, Collection, collection_of

POSTS = "https://news.example/wp-json/wp/v2/posts"
COMMENTS = "https://news.example/wp-json/wp/v2/comments"
TOP: Step = {"by": "date", "below": None, "above": None, "page": 1}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def collection(url: str = POSTS) -> Collection:
    found = collection_of(url)
    assert found is not None
    return found


def answer(value: Any, status: int = 200, **headers: Any) -> TextResponse:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return TextResponse(
        POSTS, status=status, body=body, headers={k.replace("_", "-"): str(v) for k, v in headers.items()}
    )


def at(seconds: int) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def article(number: int, seconds: int, changed: int | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "date": at(seconds),
        "date_gmt": at(seconds),
        "modified": at(seconds if changed is None else changed),
        "modified_gmt": at(seconds if changed is None else changed),
        "content": {"rendered": f"<p>Автобус {number}</p>", "protected": False},
        **fields,
    }


def comment(number: int, seconds: int, **fields: Any) -> dict[str, Any]:
    moments = {"date": at(seconds), "date_gmt": at(seconds)}
    return {
        "id": number,
        "post": 40,
        "author": 0,
        "content": {"rendered": f"Комментарий {number}"},
        **moments,
        **fields,
    }


class Site:
    """A collection that answers as WordPress does; one older than 5.7 does not know `modified_…`."""

    def __init__(
        self, entries: list[dict[str, Any]], *, per_page: int = 3, bounds: bool = True, headers: bool = True
    ) -> None:
        self.entries = entries
        self.per_page = per_page
        self.bounds = bounds
        self.headers = headers

    def __call__(self, address: str) -> TextResponse:
        query = dict(parse_qsl(urlsplit(address).query))
        by, page = query["orderby"], int(query["page"])
        prefix = "modified_" if by == "modified" else ""
        before, after = query.get(f"{prefix}before", "9"), query.get(f"{prefix}after", "0")
        known = self.bounds or not prefix
        found = [entry for entry in self.entries if not known or after < entry[by] < before]
        found.sort(key=lambda entry: entry[by], reverse=True)
        pages = -(-len(found) // self.per_page)
        if page > max(pages, 1):
            return answer({"code": "rest_post_invalid_page_number", "message": "", "data": {"status": 400}}, 400)
        shown = found[(page - 1) * self.per_page : page * self.per_page]
        return answer(shown, **({"X_WP_TotalPages": pages} if self.headers else {}))


def visit(
    site: Site, mark: dict[str, Any], url: str = POSTS, meanwhile: Callable[[], None] = lambda: None
) -> tuple[list[str], int]:
    """Read a collection as the spider does, `meanwhile` happening after each page; return the ids and the pages read."""
    reader, seen, ids, pages = collection(url), set[str](), [], 0
    todo = reader.opening(mark)[::-1]
    while todo:
        step = todo.pop()
        found = reader.page(step, site(reader.address(step)), mark, seen)
        mark |= found.mark
        todo += found.next
        ids += [post.ref or "" for post in found.posts]
        pages += 1
        meanwhile()
        assert pages < 200, "paging without end"
    return ids, pages


@pytest.mark.parametrize(
    ("url", "kind", "home"),
    [
        ("https://news.example/wp-json/wp/v2/posts", "posts", "https://news.example"),
        ("https://news.example/wp-json/wp/v2/comments/", "comments", "https://news.example"),
        ("http://127.0.0.1:80/blog/wp-json/wp/v2/posts?categories=5", "posts", "http://127.0.0.1:80/blog"),
        ("https://news.example/index.php/wp-json/wp/v2/comments", "comments", "https://news.example"),
        ("https://news.example/?rest_route=/wp/v2/posts", "posts", "https://news.example"),
        (
            "https://news.example/fa/index.php?lang=fa&rest_route=/wp/v2/comments/",
            "comments",
            "https://news.example/fa",
        ),
        ("https://خبر.example/wp-json/wp/v2/comments", "comments", "https://خبر.example"),
    ],
)
def test_a_collection_is_known_by_its_address(url: str, kind: str, home: str) -> None:
    found = collection(url)
    assert (found.kind, found.home) == (kind, home)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/feed/",
        "https://news.example/wp/v2/posts/feed",
        "https://news.example/wp-json/wp/v2/posts/5",
        "https://news.example/wp-json/wp/v2/users",
        "https://news.example/wp-json/wp/v2/posts?rest_route=/wp/v2/users",
    ],
)
def test_other_addresses_are_feeds(url: str) -> None:
    assert collection_of(url) is None


def test_what_is_asked_keeps_the_address_own_parameters() -> None:
    own = "https://news.example/?rest_route=/wp/v2/posts&search=پارک&categories[]=5&categories[]=6&per_page=5&page=7"
    asked = urlsplit(collection(own).address({**TOP, "by": "modified", "below": at(9), "above": at(2), "page": 2}))
    assert asked.path == "/"
    query = parse_qs(asked.query)
    assert (query["rest_route"], query["search"], query["categories[]"]) == (["/wp/v2/posts"], ["پارک"], ["5", "6"])
    assert (query["per_page"], query["page"], query["orderby"], query["order"]) == (
        ["100"],
        ["2"],
        ["modified"],
        ["desc"],
    )
    assert (query["modified_before"], query["modified_after"]) == ([at(9)], [at(2)])
    again = parse_qs(urlsplit(collection(COMMENTS).address({AGAIN: [["a", "7"], ["b", "9"]]})).query)
    assert again.keys() == {"per_page", "_fields", "include"}
    assert again["include"] == ["7,9"]


def test_articles_in_four_languages() -> None:
    entries = [
        article(
            5,
            60,
            changed=90,
            link="https://news.example/avtobusy/",
            author=7,
            title={"rendered": "Автобусы в &#171;час пик&#187;"},
            content={"rendered": "<p>Автобус 10 опоздал.</p>\n<p>Ждали час.</p>", "protected": False},
            _embedded={"author": [{"id": 7, "name": "Зульфия Каримова", "slug": "zulfiya-k"}]},
        ),
        article(6, 61, content={"rendered": "<p>ایستگاه آسانسور ندارد؛ نمی‌شود رفت</p><script>x()</script>"}),
        article(
            8,
            62,
            content={"rendered": "<p>زحمة خانقة على الجسر 😡</p>"},
            author=0,
            _embedded={"author": [{"code": "x"}]},
        ),
        article(9, 63, title={"rendered": "No benches"}, content={"rendered": ""}, author="12"),
    ]
    found = collection().page(TOP, answer(entries, X_WP_TotalPages=1), {}, set())
    russian, persian, arabic, english = found.posts
    assert (russian.native_id, russian.ref) == ("https://news.example/?p=5", "5")
    assert (russian.title, russian.text) == ("Автобусы в «час пик»", "Автобус 10 опоздал.\n\nЖдали час.")
    assert (russian.author, russian.author_names) == ("news.example 7", ("Зульфия Каримова", "zulfiya-k"))
    assert russian.url == "https://news.example/avtobusy/"
    assert russian.created_at == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    assert russian.edited_at == datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)
    assert (persian.text, persian.edited_at) == ("ایستگاه آسانسور ندارد؛ نمی‌شود رفت", None)
    assert (arabic.text, arabic.author, arabic.author_names) == ("زحمة خانقة على الجسر 😡", None, ())
    assert (english.title, english.text, english.author) == ("No benches", "", "news.example 12")
    assert found.mark == {"date": at(63), "modified": at(90)}
    assert {post.counts for post in found.posts} == {None}


def test_comments_are_joined_to_their_article_and_to_each_other() -> None:
    entries = [
        comment(3, 9, parent=2, author=7, author_name="Зульфия", content={"rendered": "<p>هیچ <b>جا</b> نیست</p>"}),
        comment(2, 5, parent=0, author_name="Grace Okoro", content={"rendered": "<p>Where can one sit?</p>"}),
        comment(1, 1, post=None, parent=9, author_name="", content={"rendered": "بلا"}, date_gmt="вчера"),
    ]
    found = collection(COMMENTS).page(TOP, answer(entries), {}, set())
    member, guest, stray = found.posts
    [post] = collection(POSTS).page(TOP, answer([article(40, 1)]), {}, set()).posts
    assert member.thread == guest.thread == post.native_id
    assert (member.parent, member.text) == (guest.native_id, "هیچ جا نیست")
    assert (guest.native_id, guest.parent) == ("https://news.example/?p=40#comment-2", None)
    assert (member.author, member.author_names) == ("news.example 7", ("Зульфия",))
    assert (guest.author, guest.author_names) == ("Grace Okoro news.example", ("Grace Okoro",))
    assert (stray.author, stray.thread, stray.parent, stray.flaws) == (None, None, None, ("date unreadable",))
    assert found.mark == {"date": at(9)}


def test_what_is_protected_or_no_post_is_left_out_by_name() -> None:
    hidden = article(3, 3, content={"rendered": "", "protected": True}, title={"rendered": "Secret"})
    found = collection().page(TOP, answer([hidden, article(2, 2), {"date": at(1)}, "odd", None]), {}, set())
    assert [post.ref for post in found.posts] == ["2"]
    assert found.dropped == Counter({PROTECTED: 1, "no id": 3})


moments = st.lists(st.integers(0, 12), min_size=0, max_size=20)


@given(moments, st.integers(1, 4), st.booleans(), st.sets(st.integers(0, 19)))
def test_every_post_is_read_once_even_if_others_are_deleted_meanwhile(
    seconds: list[int], per_page: int, headers: bool, deleted: set[int]
) -> None:
    entries = [article(n, second) for n, second in enumerate(seconds)]
    dates = Counter(entry["date"] for entry in entries)
    # Within one second only page numbers are left, and they shift.
    doomed = [entries[n] for n in sorted(deleted) if n < len(entries) and dates[entries[n]["date"]] < per_page]
    site = Site(list(entries), per_page=per_page, headers=headers)

    def delete_one() -> None:
        if doomed:
            site.entries.remove(doomed.pop())

    first_doomed = {str(entry["id"]) for entry in doomed}
    ids, _ = visit(site, {}, meanwhile=delete_one)
    assert len(ids) == len(set(ids))
    assert {str(n) for n in range(len(entries))} - first_doomed <= set(ids)


@given(moments, moments, st.integers(1, 4), st.booleans(), st.booleans())
def test_a_later_visit_reads_what_is_new_and_what_was_changed(
    seconds: list[int], later: list[int], per_page: int, bounds: bool, headers: bool
) -> None:
    old = [article(n, -100_000 - second) for n, second in enumerate(seconds)]
    site, mark = Site(old, per_page=per_page, bounds=bounds, headers=headers), {}
    visit(site, mark)
    changed = [
        entry | {"modified": at(50 + n), "modified_gmt": at(50 + n)} for n, entry in enumerate(old) if n % 3 == 0
    ]
    new = [article(100 + n, second) for n, second in enumerate(later)]
    unchanged = [entry for n, entry in enumerate(old) if n % 3]
    site.entries = [*unchanged, *changed, *new]
    ids, _ = visit(site, mark)
    assert {str(entry["id"]) for entry in [*changed, *new]} <= set(ids)
    assert Counter(ids).most_common(1)[0][1] <= 2 if ids else True, "once by date, once by change"


def test_a_later_visit_of_a_long_archive_costs_two_pages() -> None:
    site, mark = Site([article(n, n * 100_000) for n in range(40)]), {}
    assert visit(site, mark)[1] == 20
    site.entries.append(article(41, 4_100_000))
    ids, pages = visit(site, mark)
    assert (set(ids), pages) == ({"39", "41"}, 2)
    # WordPress before 5.7 shows all of the archive by when it was changed, the latest first.
    site.bounds = False
    assert visit(site, mark)[1] == 2
    site.entries = [entry | {"modified": at(5_000_000 + entry["id"])} for entry in site.entries]
    ids, pages = visit(site, mark)
    assert len(set(ids)) == 41
    assert pages == 1 + 14 + 1, "by date, fourteen pages by change, and the first of them twice"


def test_a_post_that_appears_at_a_time_set_before_is_not_missed() -> None:
    site, mark = Site([article(1, 0)]), {}
    visit(site, mark)
    site.entries.append(article(2, 30_000, changed=20_000))
    visit(site, mark)
    # Written and put off before the others were: its change is older than the newest change seen.
    site.entries.append(article(3, 40_000, changed=-90_000))
    assert "3" in visit(site, mark)[0]


def test_a_comment_that_is_let_through_late_is_not_missed() -> None:
    site, mark = Site([comment(n, n * 3600) for n in range(1, 30)]), {}
    visit(site, mark, COMMENTS)
    site.entries.append(comment(99, 1800))
    ids, _ = visit(site, mark, COMMENTS)
    assert "99" in ids
    long_before = comment(100, -8 * 24 * 3600)
    site.entries.append(long_before)
    assert "100" not in visit(site, mark, COMMENTS)[0]


def test_a_date_in_the_future_does_not_hide_what_is_written_until_then() -> None:
    far = "2099-01-01T00:00:00"
    fair = article(1, 0, date=far, date_gmt=far, modified=far, modified_gmt=far)
    site, mark = Site([fair, article(2, 5)]), {}
    visit(site, mark)
    assert mark == {"date": at(5), "modified": at(5)}


def test_a_second_look_tells_what_is_there_from_what_is_gone() -> None:
    step: Step = {AGAIN: [[f"https://news.example/?p={n}", str(n)] for n in (1, 2, 3)]}
    protected = article(3, 3, content={"rendered": "", "protected": True})

    def look(value: Any, **headers: Any) -> tuple[list[str], list[str]]:
        found = collection().looked_again(step, answer(value, **headers))
        return [post.ref or "" for post in found.posts], found.gone

    gone_two, gone_three = "https://news.example/?p=2", "https://news.example/?p=3"
    assert look([article(1, 1), protected]) == (["1"], [gone_two, gone_three])
    assert look([], X_WP_TotalPages=0)[1] == [pair[0] for pair in step[AGAIN]]
    # An answer that is not whole, or not to what was asked, says nothing about what is missing in it.
    assert look([article(1, 1)], X_WP_TotalPages=2) == (["1"], [])
    assert look([article(1, 1), article(77, 1)]) == ([], [])
    with pytest.raises(Parked):
        look({"code": "rest_forbidden"})


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        ({"code": "rest_no_route", "data": {"status": 404}}, 404, "closed: the site's REST API says rest_no_route"),
        ({"code": "rest_forbidden"}, 403, "closed: the site's REST API says rest_forbidden"),
        ({"code": "rest_not_logged_in"}, 401, "closed: the site's REST API says rest_not_logged_in"),
        ({"code": "rest_login_required"}, 200, "closed: the site's REST API says rest_login_required"),
        ({"code": "rest_invalid_param"}, 400, "the site's REST API refuses what it is asked (rest_invalid_param)"),
        ({"code": "rest_post_invalid_page_number"}, 400, "the site's REST API refuses what it is asked (rest_post_inv"),
        ({"code": "Зульфия Каримова"}, 403, "closed (HTTP 403)"),
        (b"<html>no</html>", 401, "closed (HTTP 401)"),
        (b"<html>no</html>", 404, "nothing here (HTTP 404)"),
        (b"<!DOCTYPE html>", 200, "answered a web page instead of JSON"),
        ({"posts": []}, 200, "the answer is not a list of posts"),
        (b"[" * 100_000, 200, "answered JSON that broke off instead of JSON"),
        (b"", 500, "HTTP 500"),
    ],
)
def test_what_is_closed_or_of_another_shape_is_parked(value: Any, status: int, reason: str) -> None:
    with pytest.raises(Parked) as parked:
        collection().page(TOP, answer(value, status), {}, set())
    assert parked.value.reason.startswith(reason)
    assert parked.value.mend


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("post", "parent", "author", "author_name", "date", "date_gmt", "modified", "link", "title", "content")
odd_entries = st.lists(
    json_values
    | st.builds(
        lambda number, fields: {"id": number, **fields},
        json_values | st.integers(0, 5),
        st.dictionaries(st.sampled_from((*FIELDS, "_embedded")), json_values | st.just(at(5)), max_size=11),
    ),
    max_size=4,
)


@given(odd_entries | json_values, st.sampled_from(["date", "modified"]), st.sampled_from([POSTS, COMMENTS]))
def test_no_answer_breaks_the_reader(value: Any, by: str, url: str) -> None:
    reader, response = collection(url), answer(value)
    for read in (
        lambda: reader.page({**TOP, "by": by, "above": at(0), "below": at(9)}, response, {}, set()),
        lambda: reader.looked_again({AGAIN: [["a", "1"]]}, response),
    ):
        try:
            found = read()
        except Parked:
            continue
        assert isinstance(found, Found)
        json.dumps([found.mark, found.next])


def test_articles_and_comments_over_two_crawls(site: Any, folder: Any) -> None:
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)

    def shift(days: float) -> dict[str, str]:
        moment = (now - timedelta(days=days)).isoformat()
        return dict.fromkeys(("date", "date_gmt", "modified", "modified_gmt"), moment)

    articles = Site([article(n, 0) | shift(n) | {"author": 3} for n in range(1, 6)], per_page=2)
    articles.entries.append(article(6, 0) | shift(200))
    articles.entries.append(article(7, 0) | shift(400))
    guests = Site([comment(n, 0) | shift(1) | {"post": 5, "author_name": "Grace Okoro"} for n in (20, 21)])

    def shown(collection: Site) -> Callable[[Any], Any]:
        def reply(asked: Any) -> Any:
            address = "http://x/?" + "&".join(f"{name}={value}" for name, value in asked.query.items())
            response = collection(address)
            headers = {"X-WP-TotalPages": response.headers.get("X-WP-TotalPages", b"1").decode()}
            return site.Reply(response.body, response.status, headers)

        return reply

    site.answers = {"/wp-json/wp/v2/posts": shown(articles), "/wp-json/wp/v2/comments": shown(guests)}
    study = folder.write(
        *(
            f'source = "feed"\nkind = "news"\nurl = "{site.url}{path}"'
            for path in ("/wp-json/wp/v2/posts", "/wp-json/wp/v2/comments", "/no/wp-json/wp/v2/posts")
        ),
        limits="history_days = 100",
    )

    first, comments, closed = crawl(study)

    assert (first.new, first.parked, first.pages) == (6, None, 5), "the page that goes below the limit is the last"
    assert (comments.new, closed.parked) == (2, "nothing here (HTTP 404)")
    posts = {post["opened"]["id"]: post for post in folder.posts()}
    assert posts[f"{site.url}/?p=5#comment-20"]["thread"] == posts[f"{site.url}/?p=5"]["key"]
    assert posts[f"{site.url}/?p=5"]["author"] == folder.secret.pseudonym("feed", f"{site.host} 3")

    changed = {"modified": now.isoformat(), "modified_gmt": now.isoformat()}
    articles.entries = [entry | changed if entry["id"] in {4, 7} else entry for entry in articles.entries]
    articles.entries[3]["content"] = {"rendered": "<p>Автобус ходит чаще</p>"}

    second, _, _ = crawl(study)

    assert (second.new, second.edited, second.parked) == (0, 1, None)
    assert second.dropped == {"older than the study reads": 1}
