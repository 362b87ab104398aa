from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystudy.config import read_study
from citystudy.errors import InputError
from crawlers.importers import ColumnMap, ImportProgress, ImportResult, import_file, read_column_map
from crawlers.importers.importer import BATCH_ROWS

REDDIT = 'source = "import"\nkind = "community"\nrows = "reddit"'
SHARED = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))


def row(n: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{n}", "text": f"No bus {n}", "city": "Kazan", "source": "reddit", **fields}


def lines(*rows: Any) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode("utf-8", "surrogatepass")) + b"\n" for r in rows)  # fmt: skip


def table(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


class Importing:
    """A study that takes rows of reddit for Kazan, and files to import into it."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder
        self.study = read_study(folder.write(REDDIT))

    def __call__(self, content: bytes, name: str = "rows.jsonl", columns: ColumnMap | None = None) -> ImportResult:
        path = self.folder.path / name
        path.write_bytes(content)
        with self.folder.store() as store:
            result = import_file(self.study, self.folder.secret, store, path, columns)
            assert result.rows == result.new + result.edited + result.unchanged + result.dropped.total()
            crawl = next(store.query("SELECT * FROM crawl ORDER BY id DESC LIMIT 1"))
            assert (crawl["new"], crawl["edited"], crawl["unchanged"]) == (result.new, result.edited, result.unchanged)
            for counts, kind in ((result.dropped, "dropped"), (result.altered, "altered")):
                stored = store.query(f"SELECT reason, n FROM {kind} WHERE crawl = ?", [crawl["id"]])
                assert {r["reason"]: r["n"] for r in stored} == counts
        return result

    def texts(self) -> list[object]:
        with self.folder.store() as store:
            return [r["text"] for r in store.query("SELECT text FROM post ORDER BY id")]


@pytest.fixture
def importing(folder: Any) -> Importing:
    return Importing(folder)


def test_a_row_whole(importing: Importing) -> None:
    importing(
        lines(
            row(
                title="Транспорт",
                text="<p>Автобус <b>не ходит</b></p><script>x()</script> layla@example.org",
                author="layla_k",
                url="https://r.example/u/layla_k/1",
                thread="t1",
                parent="t1",
                created_at="2022-04-27 14:11:18",
                edited_at=1651068700,
                lang="ru",
                rating=0,
                likes=None,
                latitude="55.79",
                longitude=49.12,
            )
        )
    )
    post = importing.folder.posts()[0]
    assert (post["title"], post["text"]) == ("Транспорт", "Автобус не ходит\n\n[EMAIL]")
    assert (post["created_at"], post["edited_at"]) == ("2022-04-27T14:11:18Z", "2022-04-27T14:11:40Z")
    assert json.loads(post["counts"]) == {"rating": 0}
    assert (post["latitude"], post["longitude"], post["declared_lang"]) == (55.79, 49.12, "ru")
    assert post["author"] == importing.folder.secret.pseudonym("reddit", "layla_k")
    assert post["thread"] == post["parent"] == importing.folder.secret.key("reddit", "t1")
    assert post["opened"]["url"] == "https://r.example/u/layla_k/1"
    assert b"layla" not in importing.folder.database_bytes()


def test_rows_are_matched_to_cities_and_sources_or_counted(importing: Importing) -> None:
    result = importing(
        lines(
            row(1, city="  kazan "),
            row(2, city="КАЗАНЬ"),
            row(3, city="the third-capital", source="Reddit"),
            row(4, city="Ufa"),
            row(5, source="vk"),
            row(6, city=None),
            row(7, source=""),
            row(8, city=["Kazan"]),
        )
    )
    assert result.new == 3
    assert result.dropped == {
        "city not in study": 1,
        "source not in study": 1,
        "no city": 1,
        "no source": 1,
        "wrong type": 1,
    }


def test_a_name_that_two_cities_bear_belongs_to_neither(folder: Any) -> None:
    tripoli = '[[cities]]\nname = "{}"\ncountry = "{}"\nlanguages = ["ar"]\naliases = {{ en = ["Tripoli"] }}\n'
    folder.write(REDDIT, cities=tripoli.format("Tarabulus", "LY") + tripoli.format("Trablous", "LB"))
    importing = Importing.__new__(Importing)
    importing.folder, importing.study = folder, read_study(folder.study_path)
    assert importing(lines(row(city="Tripoli"))).dropped == {"two cities of the study bear this name": 1}


def test_bad_rows_are_counted_and_the_rest_goes_on(importing: Importing) -> None:
    result = importing(
        lines(
            row(1),
            b"not json",
            b'{"id": "r2", "text": "half a li',
            b"[1, 2]",
            b'{"a":' * 100_000,
            b'{"id": "r3", "city": "Kazan", "source": "reddit", "text": "' + b"x" * 9_000_000 + b'"}',
            b'{"id": "r4", "city": "Kazan", "source": "reddit", "text": "\xff\xfe"}',
            b"",
            row(5, text=None),
            row(6, text=12),
            row(7, title={"a": 1}),
            {"text": "x", "city": "Kazan", "source": "reddit"},
            row(9, id=True),
            row(1, text="Said again"),
            row(10, text="\x00 \u202e"),
            row(11),
        )
    )
    assert result.rows == 15
    assert result.new == 2
    assert result.dropped == {
        "not JSON": 3,
        "not a JSON object": 1,
        "line over 8 MB": 1,
        "not UTF-8": 1,
        "no text": 2,
        "wrong type": 3,
        "no id": 1,
        "repeated id": 1,
    }
    assert importing.texts() == ["No bus 1", "No bus 11"]


def test_odd_rows_are_kept_and_what_was_altered_is_counted(importing: Importing) -> None:
    result = importing(
        lines(
            row(1, created_at="2099-01-01"),
            row(2, created_at="1969-12-31T23:59:59Z"),
            row(3, created_at={"year": 2020}),
            row(4, text="ы" * 150_000),
            b'{"id": 5, "city": "Kazan", "source": "reddit", "text": "a\\ud800b\\u0000c"}',
            b'{"id": 6, "city": "Kazan", "source": "reddit", "text": "raw\x00nul"}',
            row(
                7, text="1 < 2 & \u200cنان", rating="4.5", author=["x"], lang=7, latitude="far", longitude=float("inf")
            ),
        )
    )
    assert result.new == 7
    assert result.altered == {"date unbelievable": 2, "date unreadable": 1, "text cut at 100,000 characters": 1}
    posts = importing.folder.posts()
    assert {post["created_at"] for post in posts} == {None}
    assert [post["text"] for post in posts][4:] == ["a\ufffdbc", "rawnul", "1 < 2 & \u200cنان"]
    assert (posts[6]["author"], posts[6]["counts"], posts[6]["declared_lang"], posts[6]["latitude"]) == (None,) * 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_and_gzip(importing: Importing, encoding: str, packed: bool) -> None:
    content = lines(row(1, text="Автобус"), row(2, text="اتوبوس")).decode().encode(encoding)
    if encoding == "utf-32" and packed:
        content = table(row(1, text="Автобус"), row(2, text="اتوبوس")).decode().encode(encoding)
    importing(gzip.compress(content) if packed else content, "rows.gz" if packed else "rows.txt")
    assert importing.texts() == ["Автобус", "اتوبوس"]


def test_a_gzip_that_breaks_off_gives_what_came_before(importing: Importing) -> None:
    noise = [row(n, text=os.urandom(40).hex()) for n in range(2000)]
    result = importing(gzip.compress(lines(*noise))[:-20_000], "rows.jsonl.gz")
    assert 500 < result.new < 2000
    assert result.dropped["file broke off"] == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_any_common_delimiter(importing: Importing, delimiter: str) -> None:
    content = table(row(1, text='two\nlines; with, all "of" them\t|', rating="5", lang=""), row(2, rating="", lang="ru"), delimiter=delimiter)  # fmt: skip
    result = importing(b"\xef\xbb\xbf" + content + b"\n\n", "rows.csv")
    assert (result.rows, result.new) == (2, 2)
    posts = importing.folder.posts()
    assert posts[0]["text"] == 'two\nlines; with, all "of" them |'
    assert [post["counts"] for post in posts] == ['{"rating":5}', None]
    assert [post["declared_lang"] for post in posts] == [None, "ru"]


def test_bad_csv_rows_are_counted(importing: Importing) -> None:
    content = (
        b"id,text,city,source\r\n"
        b"1,fine,Kazan,reddit\r\n"
        b"2,one, comma too many,Kazan,reddit\r\n"
        b"3\r\n"
        b"4,nul\x00,Kazan,reddit,,\r\n"
        b"5,\xcf\xf0\xe8,Kazan,reddit\r\n"
        b"6," + b"x" * 9_000_000 + b",Kazan,reddit\r\n"
        b'7,"a quote that never ends,Kazan,reddit\r\n'
    )  # fmt: skip
    result = importing(content, "rows.csv")
    assert importing.texts() == ["fine", "nul"]
    assert result.dropped == {
        "more fields than columns": 1,
        "no city": 2,
        "not UTF-8": 1,
        "line over 8 MB": 1,
    }


def test_a_csv_with_a_million_columns(importing: Importing) -> None:
    names = ["id", "text", "city", "source", *(f"c{n}" for n in range(1_000_000))]
    cells = ["1", "fine", "Kazan", "reddit", *("0" for _ in range(1_000_000))]
    result = importing(",".join(names).encode() + b"\n" + ",".join(cells).encode() + b"\n", "wide.csv")
    assert result.new == 1
    with pytest.raises(InputError, match=r"there are: c0, c1, .* and 999,980 more"):
        importing(",".join(names[4:]).encode() + b"\n", "wide.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.jsonl", b"", "the file is empty"),
        ("rows.csv", b" \n\n", "the file is empty"),
        ("rows.jsonl", b'[{"id": 1}]', r"holds one JSON array, .* jq -c '\.\[\]' rows\.jsonl"),
        ("rows.csv", b"PK\x03\x04rest", "is a ZIP archive or spreadsheet"),
        ("rows.csv", "Текст,Город\n".encode("cp1251"), "line 1: is not UTF-8; save the file as UTF-8"),
        ("rows.gz", b"\x1f\x8b\x08broken", "broken gzip"),
        ("rows.csv", b"identifier,text,city,source\n1,a,Kazan,reddit\n", r"no column 'id'.*\[columns\] id = "),
        ("rows.jsonl", b'{"id": 1, "text": "x", "source": "reddit"}\n', r"no column 'city'.*\[values\] city = "),
        ("rows.jsonl", b"not json at all\n", "no column 'id'"),
    ],
)
def test_a_file_that_can_not_be_read_names_the_mend(
    importing: Importing, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        importing(content, name)


def test_a_missing_file_is_named(importing: Importing) -> None:
    with importing.folder.store() as store, pytest.raises(InputError, match="no such file"):
        import_file(importing.study, importing.folder.secret, store, Path("none.jsonl"))


def test_a_column_map_names_columns_nested_ones_and_fixed_values(importing: Importing) -> None:
    path = importing.folder.path / "map.toml"
    path.write_text(
        '[columns]\nid = "pk"\ntext = "body"\nauthor = "user.name"\nrating = "stats.stars"\n[values]\ncity = "Kazan"\nsource = "reddit"\n'
    )
    rows = [{"pk": n, "body": "x", "city": "Ufa", "user": {"name": "al"}, "stats": {"stars": n}} for n in (0, 1)]
    importing(lines(*rows), columns=read_column_map(path))
    posts = importing.folder.posts()
    assert [post["counts"] for post in posts] == ['{"rating":0}', '{"rating":1}']
    assert {post["author"] for post in posts} == {importing.folder.secret.pseudonym("reddit", "al")}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('[columns]\ntext = "bodi"', r"columns\.text: rows\.jsonl has no column 'bodi'; did you mean 'body'\?"),
        ('[columns]\ntxt = "body"', r"columns\.txt: unknown field; did you mean 'text'\?"),
        ("[columns]\ntext = 5", "found 5, expected a text"),
        ("columns = 5", "expected a table"),
        ("[column]", "unknown table, expected"),
        ("[columns", "not valid TOML"),
        ('[values]\nid = "1"', "unknown field"),
    ],
)
def test_a_map_that_does_not_fit_names_the_mend(importing: Importing, written: str, message: str) -> None:
    path = importing.folder.path / "map.toml"
    path.write_text(written)
    with pytest.raises(InputError, match=message):
        importing(lines({"id": 1, "body": "x", "city": "Kazan", "source": "reddit"}), columns=read_column_map(path))


def test_importing_again_stores_nothing_twice_and_edits_as_edits(importing: Importing) -> None:
    rows = [row(n) for n in range(3 * BATCH_ROWS + 7)]
    assert importing(lines(*rows)).new == len(rows)
    assert importing(lines(*rows)).unchanged == len(rows)
    rows[5]["text"] = "The bus is back"
    result = importing(lines(*rows, rows[0]))
    assert (result.edited, result.unchanged, result.dropped) == (1, len(rows) - 1, {"repeated id": 1})
    with importing.folder.store() as store:
        assert [r["text"] for r in store.query("SELECT text FROM edit")] == ["No bus 5"]


def test_progress_is_told_in_rows_and_bytes(importing: Importing) -> None:
    path = importing.folder.path / "rows.jsonl"
    path.write_bytes(lines(*(row(n) for n in range(2 * BATCH_ROWS + 1))))
    told: list[ImportProgress] = []
    with importing.folder.store() as store:
        import_file(importing.study, importing.folder.secret, store, path, on_progress=told.append)
    assert [p.rows for p in told] == [BATCH_ROWS, 2 * BATCH_ROWS, 2 * BATCH_ROWS + 1]
    assert told[-1].bytes_read == told[-1].bytes_total == path.stat().st_size


def test_an_import_killed_on_the_way_is_finished_by_the_next(importing: Importing) -> None:
    path = importing.folder.path / "rows.jsonl"
    path.write_bytes(lines(*(row(n) for n in range(5 * BATCH_ROWS))))
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom citystudy.config import read_study\n"
        "from citystudy.privacy import Secret\nfrom citystudy.store import Store\nfrom crawlers.importers import import_file\n"
        "study = read_study(Path(sys.argv[1]))\n"
        "kill = lambda p: os.kill(os.getpid(), signal.SIGKILL) if p.rows >= 1000 else None\n"
        "import_file(study, Secret.of(study), Store(study.database_path), Path(sys.argv[2]), None, kill)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(importing.folder.study_path), str(path)], check=False)
    assert killed.returncode == -9
    assert len(importing.texts()) == 1000
    result = importing(path.read_bytes())
    assert (result.new, result.unchanged) == (1500, 1000)
    assert Counter(importing.texts()).most_common(1)[0][1] == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.builds(lambda d: json.dumps(d).encode(), st.dictionaries(st.sampled_from(["id", "text", "city", "source", "created_at"]), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["Kazan", "reddit"])))))))  # fmt: skip
def test_every_row_of_any_file_is_accounted_for(importing: Importing, rows: list[bytes]) -> None:
    importing(lines(row(1), *rows))


@pytest.mark.shared
def test_real_rows_are_all_accounted_for(folder: Any) -> None:
    path = SHARED / "data" / "demo-cities" / "posts.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not here; CITYSTUDY_SHARED names the shared folder")
    folder.write(
        REDDIT, cities='[[cities]]\nname = "Karachi"\ncountry = "PK"\nlanguages = ["en"]\n[[cities.targets]]\n' + REDDIT
    )
    importing = Importing.__new__(Importing)
    importing.folder, importing.study = folder, read_study(folder.study_path)
    with path.open("rb") as file:
        some = b"".join(line for number, line in enumerate(file) if number % 10 == 0)
    result = importing(some)
    assert result.rows == 1468
    assert 0 < result.new < 100
    assert set(result.dropped) <= {"city not in study", "source not in study"}
