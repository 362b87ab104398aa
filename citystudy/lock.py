"""One writer a study: a lock that the operating system releases when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citystudy.errors import LockedError, StoreError


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the study's lock while the block runs; raises LockedError when another process holds it."""
    path = database.with_suffix(".lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{path}: can't be written ({error.strerror}); check that the folder exists and that this user may write "
            "there"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise LockedError(
                f"{path}: another citystudy (process {holder}) is working on this study; wait until it ends"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
