"""The demonstration's study file: four cities, their districts, brands and offers, on the demonstration's server."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from citystudy.privacy import write_new_secret

STUDY_FILE = "study.toml"
_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)")


def demo_port(folder: Path) -> int:
    """Return the port that the folder's demonstration was gathered from, 0 where there is none yet."""
    try:
        found = _PORT.search((folder / STUDY_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    return int(found[1]) if found else 0


def write_demo_study(folder: Path, address: str) -> Path:
    """Write the demonstration's study file and secret into `folder` where they are not there yet; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STUDY_FILE
    if not path.exists():
        template = resources.files("citystudy.demo").joinpath("study.toml").read_text(encoding="utf-8")
        path.write_text(template.replace("http://127.0.0.1", address), encoding="utf-8")
    write_new_secret(folder / "study.secret")
    return path
