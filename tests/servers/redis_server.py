"""A Redis server, installed by `make servers`."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from loopback import NotHereError, free_port, serving, wait_until

# Debian's package redis-tools holds the server too, as one program that looks at the name it is called by; only the
# package redis-server, which starts a service, has it under its own name.
PROGRAMS = ("redis-server", "redis-check-rdb")


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a server on the `dump.rdb` of a folder, empty where there is none; return its port. Raises NotHereError."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise NotHereError("Redis not installed")
    port, socket, log = free_port(), folder / "redis.sock", folder / "redis.log"
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--unixsocket", socket, "--save", ""]
    with serving([*command, "--dir", folder], log, executable=program) as process:
        wait_until(socket.exists, process, log)  # it is made after the port is open
        yield port
