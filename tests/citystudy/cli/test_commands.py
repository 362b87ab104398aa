from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from citystudy.cli import app
from citystudy.cli.gathering import round_figure
from citystudy.lock import locked

COMMANDS = ("init", "check", "crawl", "import", "analyze", "report", "run", "refresh", "demo", "status", "code")
STUDY = """
[study]
name = "test"
question = "?"
contact = "a@example.org"
[[cities]]
name = "Leeds"
country = "GB"
languages = ["en"]
[[cities.targets]]
source = "import"
kind = "forum"
rows = "forum"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    (tmp_path / "study.secret").write_text("a secret of the tests\n")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "citystudy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def rows_file(folder: Path, n: int = 40) -> Path:
    path = folder / "posts.jsonl"
    rows = (
        {
            "id": f"p{i}",
            "city": "Leeds",
            "source": "forum",
            "author": f"person{i}",
            "created_at": f"2026-09-{i % 28 + 1:02}T10:00:00Z",
            "text": f"Number {i}: the bus never came again, I waited {i} minutes in the rain, terrible service.",
        }
        for i in range(n)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Usage" in out
    assert len(out.splitlines()[2].strip()) > 10


def test_the_documented_commands_are_the_commands() -> None:
    documented = Path("docs/command-line.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `{command}" in documented


@pytest.mark.parametrize("wrong", [["crwl"], ["crawl", "--nonsense"], ["import"], ["code", "only-one"]])
def test_wrong_use_ends_with_2_and_says_how_to_get_help(wrong: list[str]) -> None:
    done = process(*wrong)
    assert done.returncode == 2
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_a_study_that_check_accepts_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "new" / "study.toml"
    code, out, _ = run("init", "Amman", "Казань", "--study", path)
    assert code == 0
    assert "Kazan, RU" in out
    assert (path.parent / "study.secret").stat().st_mode & 0o077 == 0
    assert run("check", "--study", path)[0] == 0
    before = path.read_text()
    code, _, err = run("init", "Leeds", "--study", path)
    assert code == 2
    assert "is there already" in err
    assert path.read_text() == before


def test_init_names_close_cities_for_an_unknown_one(tmp_path: Path) -> None:
    code, _, err = run("init", "Ammann", "--study", tmp_path / "study.toml")
    assert code == 2
    assert "did you mean Amman?" in err
    assert not (tmp_path / "study.toml").exists()


@pytest.mark.parametrize("command", ["check", "crawl", "analyze", "report", "run", "refresh", "status"])
def test_a_missing_study_file_is_named_with_the_mend(tmp_path: Path, command: str) -> None:
    code, _, err = run(command, "--study", tmp_path / "none.toml")
    assert code == 2
    assert "none.toml: no such study file" in err
    assert "citystudy init" in err


def test_a_missing_secret_is_named_with_the_mend(study: Path) -> None:
    (study.parent / "study.secret").unlink()
    code, _, err = run("analyze", "--study", study)
    assert code == 2
    assert "study.secret" in err


def test_another_secret_is_refused(study: Path) -> None:
    assert run("analyze", "--study", study)[0] == 0
    (study.parent / "study.secret").write_text("another secret altogether\n")
    code, _, err = run("analyze", "--study", study)
    assert code == 2
    assert "another secret" in err


def test_a_second_writer_is_told_to_wait(study: Path) -> None:
    with locked(study.parent / "study.db"):
        done = process("analyze", "--study", study)
    assert done.returncode == 4
    assert "is working on this study" in done.stderr


def test_a_file_that_is_no_database_is_left_alone(study: Path) -> None:
    (study.parent / "study.db").write_text("these are not the rows you are looking for" * 50)
    done = process("analyze", "--study", study)
    assert done.returncode == 1
    assert "not a SQLite database" in done.stderr
    assert "Traceback" not in done.stderr


def test_import_analyze_report_and_status_go_together(study: Path) -> None:
    posts = rows_file(study.parent)
    code, out, _ = run("import", posts, "--study", study, "--json")
    assert code == 0
    assert json.loads(out)["new"] == 40
    assert json.loads(run("import", posts, "--study", study, "--json")[1])["unchanged"] == 40
    analysed = json.loads(run("analyze", "--study", study, "--json")[1])
    assert analysed["read"] == 40
    report = json.loads(run("report", "--study", study, "--json")[1])
    assert Path(report["index"]).exists()
    again = json.loads(run("report", "--study", study, "--json")[1])
    assert again["id"] == report["id"]
    code, out, _ = run("status", "--study", study)
    assert code == 0
    assert "leeds" in out
    assert report["id"][:8] in out


def test_import_counts_bad_rows_and_stores_the_good_ones(study: Path) -> None:
    posts = rows_file(study.parent, 5)
    with posts.open("ab") as file:
        file.write(b'not json\n{"id": "x", "city": "Atlantis", "source": "forum", "text": "hello there"}\n{"id": "y"')
    code, out, _ = run("import", posts, "--study", study, "--json")
    result = json.loads(out)
    assert code == 0
    assert result["new"] == 5
    assert result["rows"] == 8
    assert sum(result["dropped"].values()) == 3


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_import_of_what_is_no_file_names_it(study: Path, name: str) -> None:
    done = process("import", study.parent / name, "--study", study)
    assert done.returncode in {1, 2}
    assert str(study.parent / name) in done.stderr
    assert "Traceback" not in done.stderr


def test_output_is_quiet_and_plain_in_a_pipe(study: Path) -> None:
    done = process("import", rows_file(study.parent), "--study", study)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_a_reader_that_goes_away_is_no_error(study: Path) -> None:
    run("import", rows_file(study.parent), "--study", study)
    command = f"{sys.executable} -m citystudy status --study {study} --json | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_leaves_a_database_that_the_next_run_continues(study: Path) -> None:
    posts = rows_file(study.parent, 20_000)
    command = [sys.executable, "-m", "citystudy", "import", str(posts), "--study", str(study)]
    # A shell that starts the tests in its background has them ignore the signal, and children inherit that.
    heeding = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, heeding)
    database = study.parent / "study.db"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not _posts(database):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "goes on from there" in err
    stored = _posts(database)
    assert 0 < stored < 20_000
    result = json.loads(run("import", posts, "--study", study, "--json")[1])
    assert (result["unchanged"], result["new"]) == (stored, 20_000 - stored)


def _posts(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM post").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(study: Path) -> None:
    study.parent.chmod(0o500)
    done = process("analyze", "--study", study)
    study.parent.chmod(0o700)
    assert done.returncode == 1
    assert str(study.parent) in done.stderr


def test_code_keeps_order_and_names_bad_lines(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "The bus never came, terrible service."}\nnope\n{"id": 2, "text": "Hello"}\n')
    code, _, err = run("code", source, out)
    assert code == 3
    assert "line 2" in err
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == [1, 2]


def test_code_of_a_missing_file_leaves_no_half_made_result(tmp_path: Path) -> None:
    code, _, err = run("code", tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    assert code == 1
    assert "none.jsonl" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("n", "told"), [(28_941, 29_000), (7, 7), (0, 0), (99_999, 100_000), (1_250, 1_200)])
def test_an_estimate_is_told_as_a_round_figure(n: int, told: int) -> None:
    assert round_figure(n) == told
