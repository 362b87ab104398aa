from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from citystudy.errors import StoreError
from citystudy.store import Statement
from nlp.coder.interface import Passage
from nlp.coder.llm.ledger import Ledger, coding_key

STATEMENT = Statement("problem", "transport", 3, 9, 0.75)
# Writes one answer of cost 1 after another, and tells each once it is kept.
WRITER = """
import sys
from pathlib import Path
from citystudy.store import Statement
from nlp.coder.llm.ledger import Ledger
with Ledger(Path(sys.argv[1])) as ledger:
    for n in range(1_000_000):
        request = ledger.reserve("small", 3.0)
        ledger.settle(request, (10, 1), 1.0, {f"{request}": [Statement("problem", "transport", 3, 9, 0.75)]})
        print(request, flush=True)
"""


def test_a_request_counts_at_the_most_until_it_is_settled_or_released(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        first, second = ledger.reserve("small", 3.0), ledger.reserve("small", 4.0)
        assert ledger.spent() == 7
        ledger.settle(first, (10, 1), 1.5, {"a": [STATEMENT], "b": []})
        assert ledger.spent() == 5.5
        ledger.release(second)
        assert ledger.spent() == 1.5
        assert ledger.known(["a", "b", "c"]) == {"a": (STATEMENT,), "b": ()}


def test_what_is_kept_is_found_again_however_many_are_asked_for(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.settle(ledger.reserve("small", 3.0), None, 3.0, {str(n): [STATEMENT] for n in range(1200)})
    with Ledger(tmp_path / "l.db") as again:
        assert len(again.known([str(n) for n in range(2000)])) == 1200


def test_a_coding_is_of_text_clauses_model_and_prompt() -> None:
    passage = Passage("no water", ((0, 8),))
    keys = {
        coding_key(passage, "small", "1"),
        coding_key(passage, "large", "1"),
        coding_key(passage, "small", "2"),
        coding_key(Passage("no water", ((0, 2), (3, 8))), "small", "1"),
        coding_key(Passage("no power", ((0, 8),)), "small", "1"),
    }
    assert len(keys) == 5
    assert coding_key(Passage("no water", ((0, 8),)), "small", "1") in keys


@pytest.mark.parametrize("lived", [0.05, 0.2, 0.5])
def test_a_kill_at_any_moment_loses_no_answer_and_no_cost(tmp_path: Path, lived: float) -> None:
    path = tmp_path / "l.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        told = [writer.stdout.readline()]
        time.sleep(lived)
        os.kill(writer.pid, signal.SIGKILL)
        told += [line for line in writer.stdout if line.endswith("\n")]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        answered = db.execute("SELECT COUNT(*) FROM request WHERE answered").fetchone()[0]
        open_ones = db.execute("SELECT COUNT(*) FROM request WHERE NOT answered").fetchone()[0]
        assert db.execute("SELECT COUNT(*) FROM coding").fetchone()[0] == answered, "an answer and its codings are one"
    assert answered >= len(told) > 1
    assert open_ones <= 1
    with Ledger(path) as ledger:
        assert ledger.spent() == answered + 3 * open_ones
        assert len(ledger.known([line.strip() for line in told])) == len(told)


def test_a_file_that_is_no_ledger_is_named_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"l\.db: file is not a database; .*restored from a copy"):
        Ledger(path)
