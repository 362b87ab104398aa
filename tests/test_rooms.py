"""The rule of rooms: the contracts of pyproject.toml hold, and they would tell if they did not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ["citystudy", "crawlers", "nlp", "reports"]
# Those that may know all rooms, and the folder of migrations, which holds no code.
FRONT = {"__init__", "__main__", "cli", "migrations"}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms that a test may break."""
    folder = tmp_path_factory.mktemp("rooms")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        for source in (ROOT / room).rglob("*.py"):
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    assert lint_imports(folder).returncode == 0
    return folder


def test_the_rooms_keep_apart() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("nlp/adverts.py", "from crawlers import dates"),
        ("crawlers/dates.py", "import reports"),
        ("reports/corpus.py", "import citystudy.cli"),
        ("citystudy/text.py", "import nlp.clauses"),
        ("citystudy/config_errors.py", "def later():\n    from citystudy import cli"),
    ],
)
def test_a_door_between_rooms_is_seen(copy: Path, module: str, line: str) -> None:
    path = copy / module
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"{whole}\n{line}\n", encoding="utf-8")
        result = lint_imports(copy)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_every_module_of_the_shared_ground_is_under_its_contract() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert config["root_packages"] == ROOMS
    [ground] = [contract for contract in config["contracts"] if contract["type"] == "forbidden"]
    modules = {path.relative_to(ROOT / "citystudy").parts[0] for path in (ROOT / "citystudy").rglob("*.py")}
    ground_modules = {name.removesuffix(".py") for name in modules} - FRONT
    assert {f"citystudy.{name}" for name in ground_modules} == set(ground["source_modules"])
