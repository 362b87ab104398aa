"""A PostgreSQL server, installed by `make servers`."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loopback import NotHereError, free_port, run, serving, wait_until


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """Run an empty server that forgets at a power cut; return its database's address. Raises NotHereError.

    It refuses to run as root; for root it runs as nobody, who then may walk through `folder`.
    """
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    program = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    if program is None:
        raise NotHereError("PostgreSQL not installed")
    port, data, log = free_port(), folder / "postgresql", folder / "postgresql.log"
    data.mkdir(mode=0o700)
    options: dict[str, Any] = {"cwd": data}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        folder.chmod(0o711)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    new = ["--auth=trust", "--username=tests", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    run([program.with_name("initdb"), f"--pgdata={data}", *new], "can't be set up", **options)
    listen = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-c", "fsync=off"]
    with serving([program, "-D", data, *listen], log, **options) as process:
        wait_until(lambda: "ready to accept connections" in log.read_text(), process, log)
        yield f"postgresql://tests@127.0.0.1:{port}/postgres"
