"""The house as it was agreed: what stands at the top, what the lock may hold, docstrings everywhere."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP = {
    "citystudy",
    "crawlers",
    "nlp",
    "reports",
    "tests",
    "benchmarks",
    "docs",
    "scrapy.cfg",
    "pyproject.toml",
    "requirements.lock",
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
}
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SOURCES = sorted(path for room in ("citystudy", "crawlers", "nlp", "reports") for path in (ROOT / room).rglob("*.py"))


def kept_files() -> list[str]:
    """The files that are in the repository, or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what belongs to the repository can't be told")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def requirements() -> dict[str, str]:
    """The requirements of the lock by name, each with its version, marker and hashes."""
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    named: dict[str, str] = {}
    for block in blocks:
        match = re.match(r"([A-Za-z0-9._-]+)==", block)
        assert match, f"not a pinned requirement: {block[:60]!r}"
        named[match[1].lower()] = block
    return named


def test_nothing_else_stands_at_the_top() -> None:
    top = {name.split("/")[0] for name in kept_files()}
    assert {name for name in top if not name.startswith(".")} == TOP
    assert ".ci" in top


def test_no_lock_with_addresses_is_kept() -> None:
    assert "uv.lock" not in {Path(name).name for name in kept_files()}


def test_the_lock_holds_no_address() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*-(?!-hash)", LOCK, re.MULTILINE), "no option but hashes"


def test_every_requirement_is_pinned_with_a_hash() -> None:
    assert len(requirements()) > 100
    for name, block in requirements().items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name


def test_the_lock_leaves_torch_out() -> None:
    heavy = {"torch", "sentence-transformers", "transformers", "triton"}
    names = set(requirements())
    assert not names & heavy
    assert not {name for name in names if name.startswith("nvidia")}


def test_the_lock_holds_what_the_package_asks_for() -> None:
    declared = re.findall(r'^    "([a-z0-9-]+)>=', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(declared) > 15
    assert set(declared) <= set(requirements())


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_every_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or (path.name == "__init__.py" and not tree.body), "no docstring"


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    for name in kept_files():
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".cfg", ".lock", ".yaml", ".txt"} or path.name == "Makefile":
            assert not re.search(r"/(?:work|root|home/\w+)/", path.read_text(encoding="utf-8")), name
