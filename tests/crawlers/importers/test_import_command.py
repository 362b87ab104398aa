from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from citystudy.cli import app
from tests.crawlers.importers.conftest import Exports, ndjson
from tests.crawlers.importers.test_telegram_export import chat, document, message


def run(exports: Exports, content: bytes, *options: str) -> Any:
    path = exports.folder.path / "export"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["import", str(path), "--study", str(exports.folder.study_path), *options])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_command_says_what_it_read_the_file_as(exports: Exports) -> None:
    content = document(chat(message(1), message(2, type="service")))
    out = run(exports, content, "--city", "Казань").stdout
    assert "2 rows, read as telegram_export: 1 new, 0 edited, 0 already known, 1 left out" in out
    assert "service message" in out
    told = json.loads(run(exports, content, "--city", "Kazan", "--json").stdout)
    assert told == {
        "format": "telegram_export",
        "rows": 2,
        "new": 0,
        "edited": 0,
        "unchanged": 1,
        "dropped": {"service message": 1},
        "altered": {},
    }


def test_source_and_format_may_be_given(exports: Exports) -> None:
    options = ["--city", "Kazan", "--source", "forum", "--format", "telegram_export"]
    assert run(exports, document(chat(message(1))), *options).exit_code == 0
    assert exports.posts()["1500/1"]["key"] == exports.key("forum", "1500/1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "give it with --city NAME, one of: Kazan"),
        (["--city", "Paris"], "every row is to be of 'Paris': city not in study"),
        (["--city", "Kazan", "--format", "pushshift"], "is not what --format pushshift reads"),
        (["--city", "Kazan", "--source", "vk"], "no import target of Kazan takes them"),
    ],
)
def test_what_is_missing_or_wrong_is_said(exports: Exports, options: list[str], expected: str) -> None:
    row = {"id": "1610000000000000002", "text": "Нет урн", "author_id": "7"}
    result = run(exports, ndjson(row), *options)
    assert result.exit_code == 1
    assert expected in result.stderr
