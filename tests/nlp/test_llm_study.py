"""The coder as a study names it: the study file, the pipeline, the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from citystudy.cli import app
from citystudy.config import Study, read_study
from citystudy.errors import ConfigError, CostCapError, ExitCode, SecretError
from citystudy.privacy import Secret
from citystudy.store import Post, Store
from nlp.analyse import analyse
from nlp.pipeline import Pipeline
from tests.nlp.llm_server import Server, code, coding, refusal, serving

STUDY = """
[study]
name = "test"
question = "?"
contact = "a@example.org"
[codeframe.hair_care]
label.en = "Hair care"
words.en = ["curly hair", "shampoo*"]
[[cities]]
name = "Leeds"
country = "GB"
languages = ["en"]
[[cities.targets]]
source = "feed"
kind = "forum"
url = "https://example.org/feed"
[analysis]
coder = "llm"
"""
TABLE = """
[analysis.llm]
url = "{url}"
model = "small"
input_price = 1
output_price = 10
max_cost = 5
"""
BUS = "The bus in Headingley never came again, I waited two hours in the rain, terrible service."
WATER = "Вода во дворе пропала с утра, никто не отвечает на звонки уже второй день."
SKIP = "Please skip what I wrote about the weather in this town yesterday."


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(coding(bus=[code("problem", "transport", 1)], Вода=[code("problem", "utilities", 1)])) as server:
        yield server


def study(folder: Path, table: str, head: str = STUDY) -> Study:
    path = folder / "study.toml"
    path.write_text(head + table, encoding="utf-8")
    (folder / "study.secret").write_text("a secret of the tests\n")
    return read_study(path)


@pytest.fixture
def store(tmp_path: Path, server: Server) -> Iterator[Store]:
    named = study(tmp_path, TABLE.format(url=server.url))
    with Store(named.database_path) as store:
        store.bind(Secret(b"a secret of the tests"))
        store.register(named)
        store.save_posts(
            store.start_crawl("test"),
            [
                Post(key=key, target="leeds/feed/https://example.org/feed", city="leeds", title="", text=text, sealed="", fetched_at="2026-01-01T00:00:00Z")
                for key, text in {"bus": BUS, "water": WATER, "skip": SKIP}.items()
            ],
        )  # fmt: skip
        yield store


def test_a_study_is_coded_by_the_model_and_what_it_left_out_is_unknown_not_zero(
    tmp_path: Path, server: Server, store: Store
) -> None:
    named = study(tmp_path, TABLE.format(url=server.url))
    assert analyse(named, store).statements == 2
    found = store.query("SELECT p.key, s.kind, s.theme, s.score FROM statement s JOIN post p ON p.id = s.post")
    assert sorted(tuple(row.values()) for row in found) == [
        ("bus", "problem", "transport", 0.9),
        ("water", "problem", "utilities", 0.9),
    ]
    coded = store.query("SELECT p.key, r.coded FROM reading r JOIN post p ON p.id = r.post ORDER BY p.id")
    assert [tuple(row.values()) for row in coded] == [("bus", 1), ("water", 1), ("skip", 0)]
    assert (tmp_path / "study.db.llm.db").exists()
    assert "- hair_care: Hair care (curly hair, shampoo*)" in server.asked[0].body["messages"][0]["content"]


def test_prices_and_limits_are_no_reason_to_read_again_and_the_model_is(tmp_path: Path, server: Server) -> None:
    table = TABLE.format(url=server.url)
    before = Pipeline(study(tmp_path, table)).identity
    assert Pipeline(study(tmp_path, table.replace("max_cost = 5", "max_cost = 9"))).identity == before
    assert Pipeline(study(tmp_path, table.replace("small", "large"))).identity != before
    default = STUDY.replace('coder = "llm"', "")
    assert Pipeline(study(tmp_path, "", default)).identity != before


def test_the_cap_ends_the_command_plainly_and_a_higher_one_goes_on(
    tmp_path: Path, server: Server, store: Store
) -> None:
    table = TABLE.format(url=server.url)
    study(tmp_path, table.replace("max_cost = 5", "max_cost = 0.01"))
    ended = CliRunner().invoke(app, ["analyze", "--study", str(tmp_path / "study.toml")])
    assert ended.exit_code == ExitCode.INCOMPLETE
    assert ended.stderr.startswith("citystudy: analysis.llm.max_cost: 0.0000 of 0.01 is spent")
    assert isinstance(ended.exception, SystemExit)
    assert server.asked == []
    study(tmp_path, table)
    assert CliRunner().invoke(app, ["analyze", "--study", str(tmp_path / "study.toml")]).exit_code == 0
    assert store.count("statement") == 2


def test_a_key_that_is_refused_or_missing_ends_the_command_plainly(
    tmp_path: Path, server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    study(tmp_path, TABLE.format(url=server.url) + 'key = "env:MY_MODEL_KEY"\n')
    arguments = ["analyze", "--study", str(tmp_path / "study.toml")]
    monkeypatch.delenv("MY_MODEL_KEY", raising=False)
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == ExitCode.USAGE
    assert "analysis.llm.key: the environment variable MY_MODEL_KEY is not set; set it to your own key" in ended.stderr
    monkeypatch.setenv("MY_MODEL_KEY", "wrong")
    server.replies = [refusal(401, "no such key")]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == ExitCode.FAILED
    assert "401 (no such key)" in ended.stderr
    assert server.asked[0].headers["Authorization"] == "Bearer wrong"


def test_an_error_of_the_coder_comes_through_spacy_as_it_is(tmp_path: Path, server: Server, store: Store) -> None:
    named = study(tmp_path, TABLE.format(url=server.url).replace("max_cost = 5", "max_cost = 0.01"))
    with pytest.raises(CostCapError):
        analyse(named, store)
    with pytest.raises(SecretError):
        Pipeline(study(tmp_path, TABLE.format(url=server.url) + 'key = "env:NO_SUCH_KEY_HERE"\n')).identity  # noqa: B018


@pytest.mark.parametrize(
    ("head", "table", "line"),
    [
        (STUDY, "", "analysis.llm: missing, expected a [analysis.llm] table where analysis.coder is 'llm'"),
        (
            STUDY.replace('coder = "llm"', ""),
            TABLE.format(url="https://host.example/v1"),
            "analysis.coder: found 'default' beside a [analysis.llm] table, expected 'llm'; or remove the table",
        ),
        (STUDY.replace('"llm"', '"lmm"'), "", "analysis.coder: found 'lmm', expected one of"),
        (STUDY, TABLE.replace('url = "{url}"', ""), "analysis.llm.url: missing, expected"),
        (STUDY, TABLE.format(url="https://h.example/v1").replace("max_cost = 5", ""), "analysis.llm.max_cost: missing, expected a number"),
        (STUDY, TABLE.format(url="https://h.example/v1").replace("max_cost = 5", "max_cost = inf"), "analysis.llm.max_cost: found inf, expected"),
        (STUDY, TABLE.format(url="https://h.example/v1").replace("max_cost = 5", "max_cost = -1"), "analysis.llm.max_cost: found -1, expected 0 or more (the most that the study may ever spend)"),
        (STUDY, TABLE.format(url="host.example"), "analysis.llm.url: found 'host.example', expected a full web address"),
        (STUDY, TABLE.format(url="https://h.example/v1") + "max_price = 3", "analysis.llm.max_price: unknown key; did you mean"),
        (STUDY, TABLE.format(url="https://h.example/v1") + 'key = "sk-123"', "analysis.llm.key: found 'sk-123', expected 'env:NAME' or 'keyring:SERVICE/USER'"),
        (STUDY, TABLE.format(url="https://h.example/v1") + "passages_per_request = 0", "analysis.llm.passages_per_request: found 0, expected 1 or more"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_in_the_words_of_the_file(tmp_path: Path, head: str, table: str, line: str) -> None:
    with pytest.raises(ConfigError) as raised:
        study(tmp_path, table, head)
    (told,) = str(raised.value).splitlines()
    assert told.removeprefix(f"{tmp_path / 'study.toml'}: ").startswith(line)
