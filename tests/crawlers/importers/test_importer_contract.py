"""What every import format must hold: the same posts in each, imported three times."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from doubles import PEOPLE, Written, written

from tests.crawlers.importers.conftest import Exports, ndjson

COUNT = 24
AGAIN = "Всё починили, спасибо / تم الإصلاح / درست شد"
Make = Callable[[Sequence[Written]], bytes]


def stamp(post: Written) -> int:
    return int(post.created_at.timestamp())


def person(post: Written) -> int:
    return 7_700_100 + PEOPLE.index(post.author)


def plain(post: Written) -> dict[str, Any]:
    when = post.created_at.isoformat()
    return {"id": f"n{post.number}", "text": post.text, "author": post.handle, "created_at": when, "source": "forum"}


def plain_csv(posts: Sequence[Written]) -> bytes:
    text = io.StringIO()
    rows = csv.DictWriter(text, list(plain(posts[0])))
    rows.writeheader()
    rows.writerows(plain(post) for post in posts)
    return text.getvalue().encode()


def parquet(posts: Sequence[Written], path: Path) -> bytes:
    file = path / "made.parquet"
    with duckdb.connect() as made:
        made.execute("CREATE TABLE t (id TEXT, text TEXT, author TEXT, created_at TEXT, source TEXT)")
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [list(plain(post).values()) for post in posts])
        made.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


def pushshift(posts: Sequence[Written]) -> bytes:
    return ndjson(
        *(
            {"id": f"c{p.number:03d}", "body": p.text, "link_id": "t3_k1", "author": p.handle, "created_utc": stamp(p),
             "subreddit": "kazan", "score": 1}
            for p in posts
        )
    )  # fmt: skip


def fourcat(posts: Sequence[Written]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["id", "thread_id", "timestamp", "body", "author"])
    for p in posts:
        rows.writerow([p.number, 1, p.created_at.strftime("%Y-%m-%d %H:%M:%S"), p.text, p.handle])
    return text.getvalue().encode()


def twarc(posts: Sequence[Written]) -> bytes:
    return ndjson(
        *(
            {"id_str": str(10**18 + p.number), "full_text": p.text, "lang": "ru",
             "created_at": p.created_at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
             "user": {"id_str": str(person(p)), "screen_name": p.handle, "name": p.author}}
            for p in posts
        )
    )  # fmt: skip


def telegram(posts: Sequence[Written]) -> bytes:
    messages = [
        {"id": p.number, "type": "message", "date": p.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
         "date_unixtime": str(stamp(p)), "from": p.author, "from_id": f"user{person(p)}", "text": [p.text, ""]}
        for p in posts
    ]  # fmt: skip
    return ndjson({"name": "Kazan", "type": "public_supergroup", "id": 5, "messages": messages})


FORMATS: dict[str, Make] = {
    "JSON Lines": lambda posts: ndjson(*map(plain, posts)),
    "CSV": plain_csv,
    "pushshift": pushshift,
    "4CAT": fourcat,
    "twarc": twarc,
    "Telegram Desktop": telegram,
}


def made(name: str, posts: Sequence[Written], folder: Path) -> bytes:
    return parquet(posts, folder) if name == "Parquet" else FORMATS[name](posts)


@pytest.mark.parametrize("name", [*FORMATS, "Parquet"])
def test_a_file_is_taken_in_once_edits_are_edits_and_nobody_is_named(
    exports: Exports, tmp_path: Path, name: str
) -> None:
    posts = [written(number) for number in range(1, COUNT + 1)]
    values = {"city": "Kazan"} | ({"source": "forum"} if name == "4CAT" else {})

    first = exports(made(name, posts, tmp_path), values=values)

    assert (first.new, first.dropped) == (COUNT, {})
    rows = list(exports.posts().values())
    assert {row["text"] for row in rows} == {post.text for post in posts}
    assert len({row["author"] for row in rows}) == len(PEOPLE), "each person is one voice"
    by_text = {post.text: post for post in posts}
    for row in rows:
        post = by_text[row["text"]]
        assert row["created_at"] == post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert row["counts"] != {}
        assert (row["latitude"], row["longitude"], row["city_basis"]) == (None, None, "target")

    again = exports(made(name, posts, tmp_path), values=values)
    assert (again.new, again.edited, again.unchanged) == (0, 0, COUNT)

    posts[4] = replace(posts[4], text=AGAIN)
    edited = exports(made(name, posts, tmp_path), values=values)
    assert (edited.new, edited.edited, edited.unchanged) == (0, 1, COUNT - 1)

    key = next(row["key"] for row in exports.posts().values() if row["text"] == AGAIN)
    with exports.folder.store() as store:
        store.save_posts(store.start_crawl("x"), [], gone=[key])
    buried = exports(made(name, posts, tmp_path), values=values)
    assert (buried.new, buried.unchanged, sum(buried.dropped.values())) == (0, COUNT - 1, 1)

    on_disk = exports.folder.database_bytes()
    for post in posts:
        for readable in (post.handle, str(person(post))):
            assert readable.encode() not in on_disk, readable
