from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.folder import ReportError, point_to, publish


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "one"
    publish(folder, [("a.html", "old"), ("gone.html", "x")])
    publish(folder, [("a.html", "new"), ("ar/b.html", "ب\n")])
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.html")) == ["a.html", "ar/b.html"]
    assert (folder / "ar/b.html").read_bytes() == "ب\n".encode()
    assert [entry.name for entry in folder.parent.iterdir()] == ["one"]


def test_a_failure_midway_leaves_the_last_report_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    publish(folder, [("a.html", "old")])

    def breaking() -> Iterator[tuple[str, str]]:
        yield "a.html", "half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(folder, breaking())
    assert (folder / "a.html").read_text() == "old"
    publish(folder, [("a.html", "new")])
    assert [entry.name for entry in tmp_path.iterdir()] == ["one"], "what was left behind is cleared"


def test_a_place_that_cannot_be_written_names_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match=r"can't be written.*then run the same command again"):
        publish(tmp_path / "file" / "one", [("a.html", "x")])
    with pytest.raises(ReportError, match="make its folder writable"):
        point_to(tmp_path / "file" / "latest.html", "x")
