"""Runs `crawlers.run` in a process of its own and reads what it tells."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from citystudy import errors
from citystudy.config import Study
from citystudy.errors import CityStudyError

LOG_NAME = "crawl.log"
STOP_SECONDS = 10.0


def log_path(study: Study) -> Path:
    """Return where the log of a study's last crawl is: beside its database."""
    return study.database_path.with_name(LOG_NAME)


def lines_of_child(study_path: Path, log: Path, *options: str) -> Generator[dict[str, Any], None, None]:
    """Yield what a crawl tells, line by line; its log overwrites `log`.

    Raises the error that the child met, or CityStudyError when it crashed. When the caller stops early or is
    interrupted the child is stopped first.
    """
    try:
        log_file = log.open("wb")
    except OSError as error:
        raise CityStudyError(
            f"{log}: the crawl's log can't be written: {error.strerror}; make its folder writable"
        ) from None
    command = [sys.executable, "-m", "crawlers.run", str(study_path), *options]
    # A session of its own: Ctrl-C reaches the parent alone, which then stops the child in order.
    with (
        log_file,
        subprocess.Popen(  # noqa: S603  nothing in the command comes from outside
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log_file, start_new_session=True
        ) as child,
    ):
        try:
            assert child.stdout is not None
            for line in child.stdout:
                told = json.loads(line)
                _raise_if_failed(told)
                yield told
            code = child.wait()
        except BaseException:
            _stop(child)
            raise
        finally:
            with contextlib.suppress(OSError):
                child.stdin.close()  # type: ignore[union-attr]
    if code != 0:
        raise CityStudyError(
            f"the crawl stopped unexpectedly (exit {code}); what it gathered is stored. See {log}, "
            "then run the same command again, which goes on from here"
        )


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()


def _raise_if_failed(told: dict[str, Any]) -> None:
    if "error" in told:
        kind: type[CityStudyError] = getattr(errors, told["error"], CityStudyError)
        raise kind(told["message"])
