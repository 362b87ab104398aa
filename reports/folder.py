"""The report's folder: written beside its place and moved there whole, so no reader sees half a report."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from citystudy.errors import CityStudyError


class ReportError(CityStudyError):
    """The report can't be written."""


def publish(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write files (relative path, text) as `folder`, in place of what was there; raises ReportError with the mend.

    What an interrupted run left behind is removed first.
    """
    fresh, old = (folder.with_name(f".{folder.name}.{part}") for part in ("part", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in (fresh, old):
            if leftover.exists():
                shutil.rmtree(leftover)
        for name, text in files:
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.replace(old)
        fresh.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ReportError(
            f"{folder}: the report can't be written: {error.strerror or error}; "
            "free some space or make the folder writable, then run the same command again"
        ) from error


def point_to(pointer: Path, text: str) -> None:
    """Replace a small file in one step."""
    fresh = pointer.with_name(f".{pointer.name}.part")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(pointer)
    except OSError as error:
        raise ReportError(
            f"{pointer}: can't be written: {error.strerror or error}; make its folder writable"
        ) from error
