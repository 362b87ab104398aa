"""A Bluesky network (AT Protocol) of its own: identities, a PDS that people write to, an AppView that others read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback import NotHereError, ask, free_port, run, serving, unpacked, wait_until
from node import node_program
from redis_server import redis_server

HERE = Path(__file__).parent


@dataclass
class Network:
    pds: str
    appview: str
    log: Path


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run an empty database in an empty folder and return its address; raises NotHereError.

    The server refuses to run as root: for root it runs as nobody, who must be able to enter the folder.
    """
    programs = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]), default=None)
    if programs is None:
        raise NotHereError("PostgreSQL not installed")
    port, data, log = free_port(), folder / "data", folder / "postgresql.log"
    data.mkdir()
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)
    ...
