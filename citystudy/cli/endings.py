"""How a command ends: one clear message and a documented exit code, whatever went wrong."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from citystudy.cli.output import warn
from citystudy.errors import CityStudyError, ExitCode

P = ParamSpec("P")
_NO_ROOM_OR_RIGHT = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}


def ends_plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Return `command` with its errors told in the user's words instead of a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except CityStudyError as error:
            warn(f"citystudy: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            warn("citystudy: stopped; what was stored stays, and the same command goes on from there")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            # The reader went away (`| head`): nothing is wrong, and nothing more can be said to it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OK) from None
        except OSError as error:
            if error.errno not in _NO_ROOM_OR_RIGHT:
                raise
            where = error.filename or "a file"
            warn(
                f"citystudy: {where}: {error.strerror}; make room or give rights there, then run the same command again"
            )
            raise typer.Exit(ExitCode.FAILED) from None

    return run
