from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from citystudy.errors import InputError
from crawlers.importers.containers import Fault, open_table
from crawlers.importers.containers.json_document import HOLDER, document_table
from tests.crawlers.importers.conftest import Exports, ndjson

PACKINGS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd.compress}


def comment(n: int, body: str = "Нет остановки") -> dict[str, Any]:
    return {"id": f"c{n}", "body": body, "created_utc": 1672660830, "link_id": "t3_s1"}


def message(n: int, text: Any = "Нет остановки") -> dict[str, Any]:
    return {"id": n, "type": "message", "date_unixtime": "1672660830", "from_id": "user7", "text": text}


def chat(*messages: Any, indent: int | None = None) -> bytes:
    value = {"name": "Соседи", "type": "public_supergroup", "id": 1500, "messages": list(messages)}
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()


# zstd


def test_frames_of_zstd_follow_one_another(exports: Exports) -> None:
    content = b"".join(zstd.compress(ndjson(comment(n))) for n in range(3))
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert exports(content).new == 3
    assert exports(skippable + content).unchanged == 3


def test_zstd_with_the_longest_window(exports: Exports) -> None:
    options = {zstd.CompressionParameter.window_log: 31, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    content = packer.compress(ndjson(comment(1))) + packer.compress(ndjson(comment(2)), packer.FLUSH_FRAME)
    with pytest.raises(zstd.ZstdError):
        zstd.ZstdFile(io.BytesIO(content)).read()
    assert exports(content).new == 2


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_packed_file_that_breaks_off_gives_what_came_before(exports: Exports, pack: Any) -> None:
    rows = [comment(n, os.urandom(400).hex()) for n in range(700)]
    result = exports(pack(ndjson(*rows))[:-100_000])
    assert 100 < result.new < 690
    assert result.dropped == {"file broke off": 1}


def test_zstd_with_rubbish_after_it_or_in_its_beginning(exports: Exports) -> None:
    result = exports(zstd.compress(ndjson(comment(1))) + b"rubbish" * 10)
    assert (result.new, result.dropped) == (1, {"file broke off": 1})
    with pytest.raises(InputError, match="is a broken zstd file; make a fresh copy"):
        exports(b"\x28\xb5\x2f\xfd" + b"\xff" * 50)
    with pytest.raises(InputError, match="the file is empty"):
        exports(zstd.compress(b""))


# One JSON document


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_of_any_length_and_packing(exports: Exports, packing: str, indent: int | None) -> None:
    content = chat(*(message(n, f'Кавычка " и \\ скобка ] }} {n}') for n in range(1200)), indent=indent)
    result = exports(PACKINGS[packing](content))
    assert (result.format, result.new) == ("telegram_export", 1200)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_document_with_a_byte_order_mark(exports: Exports, encoding: str) -> None:
    assert exports(chat(message(1), indent=1).decode().encode(encoding)).new == 1


def test_a_document_that_breaks_off_gives_what_came_before(exports: Exports) -> None:
    content = chat(*(message(n) for n in range(700)), indent=1)
    result = exports(content[: len(content) // 2])
    assert 300 < result.new < 400
    assert result.dropped == {"file broke off": 1}


def test_bad_messages_are_counted_and_the_rest_goes_on(exports: Exports) -> None:
    long = message(2, "x" * 9_000_000)
    content = chat(message(1), long, message(3), "MARK", message(4))
    result = exports(content.replace(b'"MARK"', b'{"id": nought, "text": "a ] b"}, [1, {}], null, 7, {"id": "\xff"}'))
    assert result.new == 3
    assert result.dropped == {"line over 8 MB": 1, "not JSON": 1, "not a JSON object": 3, "not UTF-8": 1}


def test_a_document_that_is_no_json_ends_where_that_shows(exports: Exports) -> None:
    result = exports(chat(message(1), message(2))[:-1] + b', "more" nothing]]')
    assert (result.new, result.dropped) == (2, {"not JSON": 1})


@pytest.mark.parametrize(
    "content", [b'{\n "id": 1,\n "text": "x"\n}\n', b'{"messages": []}', b'{"chats": {"list": []}}']
)
def test_a_document_without_messages_names_the_mend(exports: Exports, content: bytes) -> None:
    with pytest.raises(InputError, match=r"one JSON document without a list of messages, expected Telegram Desktop's"):
        exports(content)


def test_a_document_as_deep_as_it_likes(exports: Exports) -> None:
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    assert exports(chat(message(1))[:-1] + b', "deep": ' + deep + b"}").new == 1


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)  # fmt: skip


class InPieces(io.StringIO):
    """A text that is given out in pieces of a few letters, whatever is asked for."""

    def __init__(self, text: str, letters: int) -> None:
        super().__init__(text, newline="")
        self._letters = letters

    def read(self, size: int | None = -1, /) -> str:
        return super().read(self._letters)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), min_size=1, max_size=5),
    st.dictionaries(st.text(max_size=5), VALUES, max_size=3),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.integers(1, 7),
)
def test_a_document_is_read_as_json_reads_it(
    messages: list[dict[str, Any]], around: dict[str, Any], indent: int | None, ascii_only: bool, letters: int
) -> None:
    around = {key: value for key, value in around.items() if key not in {"messages", "chats"}}
    whole = {**around, "messages": messages, "after": around}
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
    rows = list(document_table(Path("result.json"), InPieces(text, letters), io.BytesIO()).rows)
    assert not any(isinstance(row, Fault) for row in rows)
    assert [{key: value for key, value in row.items() if key != HOLDER} for row in rows] == [
        {key: value for key, value in one.items() if key != HOLDER} for one in json.loads(text)["messages"]
    ]


@given(st.text(st.sampled_from('{}[]",:\\ \n1ames\ud83d'), max_size=40), st.integers(1, 7))
def test_no_text_is_too_odd_for_a_document(text: str, letters: int) -> None:
    odd = '{"messages": [{"id": 1}, ' + text
    rows = list(document_table(Path("result.json"), InPieces(odd, letters), io.BytesIO()).rows)
    assert rows[0] == {"id": 1, HOLDER: {}}


# CSV


def test_a_header_below_other_lines_is_found_only_where_it_is_known(exports: Exports) -> None:
    before = b'Report: "a quote that never ends\nFrom;To\n\n' + b"\xff not UTF-8\n" * 20
    header = b"id,thread_id,timestamp,body,author,link\n"
    rows = b"1,1,1672660830,\xd0\x9d\xd0\xb5\xd1\x82,q,https://x.com/q/1\n"
    assert exports(before + header + rows).new == 1
    with pytest.raises(InputError, match="no column 'id'"):
        exports(before.replace(b"\xff", b"") * 3 + header + rows)


def test_a_line_that_is_too_long_before_the_header_is_passed_over(exports: Exports) -> None:
    content = (
        b"Report\n" + b"x" * 9_000_000 + b"\nid,thread_id,timestamp,body,author,link\n2,1,,Net,q,https://x.com/q/1\n"
    )
    assert exports(content).new == 1


# Parquet


def parquet(path: Path, select: str) -> Path:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_of_any_columns(exports: Exports, tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "rows",
        """SELECT 7::BIGINT AS id, 'درمانگاه <b>بسته</b> است' AS text, 'Kazan' AS city, 'forum' AS source,
        TIMESTAMPTZ '2023-01-02 15:00:30+03' AS created_at, TIMESTAMP '2023-01-02 13:00:30' AS edited_at,
        'salma_q' AS author, 4.5::DECIMAL(5, 2) AS latitude, 1.0::DOUBLE AS likes, uuid() AS thread,
        'x'::BLOB AS parent, {'a': DATE '2023-01-01'} AS other, NULL AS lang""",
    )
    result = exports.read(path, values={})
    assert (result.format, result.new, result.altered) == ("plain", 1, {})
    post = exports.posts()["7"]
    assert post["text"] == "درمانگاه بسته است"
    assert (post["created_at"], post["edited_at"]) == ("2023-01-02T12:00:30Z", "2023-01-02T13:00:30Z")
    assert post["counts"] == {"likes": 1}
    assert len(post["opened"]["thread"]) == 36
    assert post["opened"]["parent"] == "x"
    assert exports.named("salma_q") == []


def test_parquet_of_a_known_format_in_a_folder_of_an_odd_name(exports: Exports, tmp_path: Path) -> None:
    made = parquet(
        tmp_path / "made",
        "SELECT 'c' || range AS id, 'Net' AS body, 1672660830 AS created_utc, 't3_s1' AS link_id, "
        "{'removal_type': CASE WHEN range = 5 THEN 'deleted' END} AS _meta FROM range(2500)",
    )
    folder = tmp_path / "a[1] *'b"
    folder.mkdir()
    parquet(tmp_path / "other", "SELECT 'd1' AS id, 'x' AS body, 1 AS created_utc, 't3_s1' AS link_id").rename(
        folder / "dump1.parquet"
    )
    path = made.rename(folder / "dump?.parquet")
    result = exports.read(path)
    assert (result.format, result.rows, result.dropped) == ("pushshift", 2500, {"deleted by its author": 1})


def test_broken_parquet(exports: Exports, tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows", "SELECT md5(range::VARCHAR) AS body, 'c' || range AS id, 't3_s1' AS link_id, 1672660830 AS created_utc FROM range(250000)")  # fmt: skip
    content = path.read_bytes()
    with pytest.raises(InputError, match="is a broken Parquet file; make a fresh copy"):
        exports(content[: len(content) // 2])
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\xff" * 50_000 + content[middle + 50_000 :])
    with open_table(path) as table:
        rows = list(table.rows)
        assert table.position() <= len(content)
    assert rows[-1] == Fault("file broke off")
    assert 0 < len(rows) - 1 < 250_000


def test_parquet_without_rows(exports: Exports, tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows", "SELECT 1 AS id, 'x' AS text, 'Kazan' AS city, 'forum' AS source LIMIT 0")
    assert exports.read(path, values={}).rows == 0
    with open_table(path) as table:
        assert table.position() == path.stat().st_size
