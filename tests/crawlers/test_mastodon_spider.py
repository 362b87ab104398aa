from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from crawlers.crawl import crawl

START = datetime(2026, 1, 1, tzinfo=UTC)


def status(n: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(1000 + n),
        "uri": f"https://social.example/users/zulfiya/statuses/{1000 + n}",
        "url": f"https://social.example/@zulfiya/{1000 + n}",
        "created_at": (START + timedelta(minutes=n)).isoformat(),
        "content": f"<p>Автобус {n} <a class='mention' href='https://social.example/@marat'>@<span>marat</span></a></p>",
        "visibility": "public",
        "language": "ru",
        "replies_count": 0,
        "reblogs_count": 2,
        "account": {"acct": "zulfiya", "display_name": "Zulfiya Karimova", "bot": False},
        **fields,
    }


class Timeline:
    """A timeline that pages as Mastodon does: newest first, max_id, since_id, a Link header."""

    def __init__(self, site: Any, count: int, *, link: bool = True, page_size: int = 4) -> None:
        self.site = site
        self.statuses = [status(n) for n in range(1, count + 1)]
        self.link = link
        self.page_size = page_size

    def __call__(self, asked: Any) -> Any:
        ids = asked.query
        shown = [
            s
            for s in reversed(self.statuses)
            if s["id"] < ids.get("max_id", "9") and s["id"] > ids.get("since_id", "0")
        ][: self.page_size]
        headers = {
            "Content-Type": "application/json",
            "X-RateLimit-Remaining": "200",
            "X-RateLimit-Reset": "2030-01-01T00:00:00Z",
        }
        if self.link and shown:
            headers["Link"] = (
                f'<{self.site.url}{quote(asked.path)}?max_id={shown[-1]["id"]}>; rel="next", '
                f'<{self.site.url}{quote(asked.path)}?min_id={shown[0]["id"]}>; rel="prev"'
            )
        return self.site.Reply(json.dumps(shown), headers=headers)


def target(instance: str, tag: str | None = None) -> str:
    return f'source = "mastodon"\nkind = "microblog"\ninstance = "{instance}"' + (f'\ntag = "{tag}"' if tag else "")


def numbers(folder: Any) -> list[int]:
    return [int(post["opened"]["id"].rsplit("/", 1)[1]) - 1000 for post in folder.posts()]


def test_timelines_of_open_closed_and_odd_servers_over_two_crawls(new_site: Any, folder: Any) -> None:
    main, snac, shut, strict, quiet, hidden, deaf, wrong = (new_site() for _ in range(8))
    tag = Timeline(main, 10)
    main.answers["/api/v1/timelines/tag/Казань"] = tag
    tag.statuses[0] |= {"spoiler_text": "Про транспорт", "edited_at": "2026-01-02T00:00:00Z", "in_reply_to_id": "77"}
    tag.statuses[1] |= {"account": {"acct": "news@other.example", "bot": True}}
    tag.statuses[2] |= {"visibility": "unlisted"}
    tag.statuses[3] |= {"reblog": {"id": "5"}}
    tag.statuses[4] |= {"content": "", "spoiler_text": ""}
    tag.statuses[5] |= {
        "account": {"acct": "zulfiya@far.example"},
        "replies_count": None,
        "reblogs_count": "x",
        "language": None,
    }
    local = Timeline(snac, 9, link=False)
    for s in local.statuses:
        s["uri"] = s["uri"].replace("social.example", "snac.example")
    snac.answers["/api/v1/timelines/public"] = local
    shut.answers["/api/v1/timelines/tag/kazan"] = shut.Reply('{"error":"no"}', status=401)
    strict.answers["/api/v1/timelines/public"] = strict.Reply(
        '{"error":"This method requires an authenticated user"}', status=422
    )
    quiet.answers["/api/v1/timelines/tag/kazan"] = quiet.Reply("[]")
    hidden.answers["/api/v1/timelines/tag/kazan"] = hidden.Reply("[]")
    access = {
        "hashtag_feeds": {"local": "authenticated", "remote": "disabled"},
        "live_feeds": {"local": "public", "remote": "public"},
    }
    hidden.answers["/api/v2/instance"] = hidden.Reply(json.dumps({"configuration": {"timelines_access": access}}))
    hidden.answers["/api/v1/timelines/public"] = hidden.Reply("[]")
    same = json.dumps([*(status(n, uri=f"https://deaf.example/{n}") for n in (902, 901)), {"id": 5}, "odd"])
    deaf.answers["/api/v1/timelines/tag/kazan"] = deaf.Reply(same)
    wrong.answers["/api/v1/timelines/public"] = wrong.Reply('[{"id": "1", "cont')
    study = folder.write(
        target(main.url, "Казань"),
        target(snac.url),
        target(shut.url, "kazan"),
        target(strict.url),
        target(quiet.url, "kazan"),
        target(hidden.url, "kazan"),
        target(hidden.url),
        target(deaf.url, "kazan"),
        target(wrong.url),
    )

    first = crawl(study)
    parked = [result.parked and result.parked.split(":")[0].split(" (")[0] for result in first]
    assert parked == [
        None,
        None,
        "closed",
        "closed",
        None,
        "closed",
        None,
        None,
        "answered JSON that broke off instead of JSON",
    ]
    assert (first[0].new, first[0].pages) == (6, 4)
    assert first[0].dropped == {"bot account": 1, "not public": 1, "reblog": 1, "no text": 1}
    assert (first[1].new, first[1].pages) == (9, 4)
    assert (first[4].new, first[4].outcome) == (0, "finished")
    assert (first[7].new, first[7].pages) == (2, 2)
    assert first[7].dropped == {"not a post": 4}

    posts = {post["opened"]["id"]: post for post in folder.posts()}
    one, six = (posts[f"https://social.example/users/zulfiya/statuses/{1000 + n}"] for n in (1, 6))
    assert (one["title"], one["text"]) == ("Про транспорт", "Автобус 1 [HANDLE]")
    assert (one["created_at"], one["edited_at"]) == ("2026-01-01T00:01:00Z", "2026-01-02T00:00:00Z")
    assert one["parent"] == folder.secret.key("mastodon", f"{main.host} 77")
    assert json.loads(one["counts"]) == {"replies": 0, "reposts": 2}
    assert (six["counts"], six["declared_lang"]) == (None, None)
    assert one["author"] == folder.secret.pseudonym("mastodon", f"zulfiya@{main.host}")
    assert six["author"] == folder.secret.pseudonym("mastodon", "zulfiya@far.example")
    everything = folder.database_bytes()
    for name in (b"zulfiya", b"Zulfiya", b"Karimova", b"marat", b"/statuses/", b"1010"):
        assert name not in everything

    tag.statuses += [status(n) for n in range(11, 21)]
    main.asked.clear()
    second = crawl(study)
    assert (second[0].new, second[0].unchanged) == (10, 0)
    assert main.asked[1].query["since_id"] == "1010"
    assert (second[1].new, second[1].unchanged, second[1].parked) == (0, 0, None)
    assert len([post for post in folder.posts() if post["target"] == first[0].target]) == 16


def test_an_interrupted_stretch_is_read_later_and_a_spent_rate_limit_only_delays(site: Any, folder: Any) -> None:
    timeline = Timeline(site, 30)
    site.answers["/api/v1/timelines/public"] = timeline
    study = folder.write(target(site.url), limits="max_pages_per_target = 3")
    assert crawl(study)[0].new == 12
    timeline.statuses += [status(n) for n in range(31, 41)]
    result = crawl(study)[0]
    assert (result.new, result.unchanged) == (10, 0)
    assert numbers(folder) == list(range(19, 41))

    asked_at: list[datetime] = []

    def limited(asked: Any) -> Any:
        asked_at.append(datetime.now(UTC))
        reply = timeline(asked)
        if len(asked_at) == 1:
            reset = (asked_at[0] + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
            reply.headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return reply

    site.answers["/api/v1/timelines/public"] = limited
    study = folder.write(target(site.url))
    result = crawl(study)[0]
    assert (result.new, result.outcome) == (18, "finished")
    assert (asked_at[1] - asked_at[0]).total_seconds() >= 1
    assert (asked_at[2] - asked_at[1]).total_seconds() < 1
    assert numbers(folder) == list(range(1, 41))


def test_a_second_look_goes_to_the_posts_own_address_where_the_api_hides_it(new_site: Any, folder: Any) -> None:
    members, restricted, foreign = (new_site() for _ in range(3))
    for server in (members, restricted, foreign):
        timeline = Timeline(server, 4)
        server.answers["/api/v1/timelines/public"] = timeline
        for n, s in enumerate(timeline.statuses, 1):
            if server is not foreign:
                s["uri"] = f"{server.url}/users/zulfiya/statuses/{n}"
            text = f"<p>Автобус {n} ходит, пишет zulfiya" if n == 2 else s["content"]
            note = {
                "id": s["uri"],
                "type": "Note",
                "attributedTo": f"{server.url}/users/zulfiya",
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "content": text,
                **({"updated": "2026-01-03T00:00:00Z"} if n == 2 else {}),
            }
            reply = server.Reply(json.dumps(note), headers={"Content-Type": "application/activity+json"})
            server.answers[f"/users/zulfiya/statuses/{n}"] = reply if n != 3 else server.Reply(status=410)
            if server is members:
                server.answers[f"/api/v1/statuses/{s['id']}"] = server.Reply('{"error": "no"}', status=401)
    study = folder.write(
        *(target(server.url) for server in (members, restricted, foreign)), limits="second_look_hours = 0"
    )
    assert [result.new for result in crawl(study)] == [4, 4, 4]
    for server in (members, restricted, foreign):
        server.asked.clear()

    first, second, third = crawl(study)

    assert [(first.edited, first.deleted), (second.edited, second.deleted)] == [(1, 1)] * 2
    assert third.deleted == 4, "no other server is asked"
    assert (first.parked, second.parked, third.parked) == (None, None, None)
    texts = {post["opened"]["id"]: post["text"] for post in folder.posts()}
    for server in (members, restricted):
        uri = f"{server.url}/users/zulfiya/statuses/"
        assert texts[uri + "2"] == "Автобус 2 ходит, пишет [HANDLE]"
        assert uri + "3" not in texts
    singles = [asked for asked in members.asked if asked.path.startswith("/api/v1/statuses/")]
    addresses = [asked for asked in members.asked if asked.path.startswith("/users/")]
    assert (len(singles), len(addresses)) == (1, 4), "what the API shows to members only it is not asked for again"
    assert {asked.headers["accept"] for asked in addresses} == {"application/activity+json"}
    assert len([asked for asked in restricted.asked if asked.path.startswith("/users/")]) == 4
    assert not [asked for asked in foreign.asked if asked.path.startswith("/users/")]


def test_the_authors_own_names_are_taken_out_of_the_text(site: Any, folder: Any) -> None:
    timeline = Timeline(site, 1)
    timeline.statuses[0] |= {
        "content": "<p>مهرداد صالحی نوشت: پل بسته است. Пишет mehrdads</p>",
        "account": {"acct": "mehrdads@far.example", "display_name": "مهرداد :verified: صالحی"},
    }
    site.answers["/api/v1/timelines/public"] = timeline
    crawl(folder.write(target(site.url)))
    assert [post["text"] for post in folder.posts()] == ["[HANDLE] نوشت: پل بسته است. Пишет [HANDLE]"]
