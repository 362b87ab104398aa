from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from citystudy.errors import ExitCode, LockedError, StoreError
from citystudy.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from citystudy.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    database = tmp_path / "study.db"
    with locked(database), pytest.raises(LockedError) as raised, locked(database):
        pass
    assert f"process {os.getpid()}" in str(raised.value)
    assert "wait until it ends" in str(raised.value)
    assert raised.value.exit_code == ExitCode.LOCKED


def test_it_can_be_held_again_after_its_end_and_after_an_error_inside(tmp_path: Path) -> None:
    database = tmp_path / "study.db"

    def fail() -> None:
        with locked(database):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    with locked(database):
        pass


def test_studies_do_not_lock_one_another(tmp_path: Path) -> None:
    with locked(tmp_path / "one.db"), locked(tmp_path / "two.db"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    database = tmp_path / "study.db"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(database)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid}"), locked(database):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    with locked(database):
        assert (tmp_path / "study.lock").read_text() == str(os.getpid())


def test_a_folder_that_is_not_there_is_told_with_its_mend(tmp_path: Path) -> None:
    said = r"none/study\.lock: can't be written .*check that the folder exists"
    with pytest.raises(StoreError, match=said), locked(tmp_path / "none" / "study.db"):
        pass
