"""The main job on real input: import demo-cities of the shared data, analyze, report.

    python -m benchmarks.main_job [--keep FOLDER] [--verbatims]

Prints seconds and peak memory of each command (the operating system's own account of the finished process), whether
every row is accounted for, and the goals beside them. `--verbatims` prints what each city's strongest findings quote,
for reading; nothing of it is kept. Exit code 1 where a goal is missed, 0 with a reason where the data is absent.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL_SECONDS = 240
GOAL_BYTES = 2e9
STUDY = Path(__file__).parent / "demo_cities" / "study.toml"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    parser.add_argument("--verbatims", action="store_true")
    options = parser.parse_args()
    shared = Path(os.environ.get("CITYSTUDY_SHARED", "../shared"))
    posts = shared / "data/demo-cities/posts.jsonl"
    if not posts.exists():
        print(f"skipped: {posts} is absent; set CITYSTUDY_SHARED to the shared folder")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(STUDY, folder / "study.toml")
        if not (folder / "study.secret").exists():
            (folder / "study.secret").write_text("benchmark secret, nothing personal\n")
        return _measure(folder, posts, verbatims=options.verbatims)


def _measure(folder: Path, posts: Path, *, verbatims: bool) -> int:
    total = 0.0
    outputs = {}
    for command in (["import", str(posts)], ["analyze"], ["report"]):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "citystudy", *command, "--study", str(folder / "study.toml"), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            print(done.stderr)
            return 1
        total += seconds
        outputs[command[0]] = json.loads(done.stdout)
        print(f"{command[0]:8} {seconds:7.1f} s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    rows = sum(1 for _ in posts.open("rb"))
    imported = outputs["import"]
    accounted = imported["new"] + imported["edited"] + imported["unchanged"] + sum(imported["dropped"].values())
    print(f"{'together':8} {total:7.1f} s (goal: under {GOAL_SECONDS})")
    print(f"peak memory of the largest process: {peak / 1e6:,.0f} MB (goal: under {GOAL_BYTES / 1e6:,.0f})")
    print(f"rows: {rows:,}; accounted for: {accounted:,} ({imported['new']:,} new; left out: {imported['dropped']})")
    if verbatims:
        _print_verbatims(outputs["report"]["findings"])
    return int(total >= GOAL_SECONDS or peak >= GOAL_BYTES or rows != accounted)


def _print_verbatims(findings: list[dict[str, object]]) -> None:
    for finding in findings:
        if finding["rank"] == 1 and finding["verbatims"]:
            need = " / ".join(str(part) for part in finding["need"].values() if part)  # type: ignore[attr-defined]
            print(f"\n{finding['city']} | {need} | {finding['voices']} of {finding['base']}")
            for verbatim in finding["verbatims"]:  # type: ignore[attr-defined]
                print("   ", verbatim["evidence"], verbatim["before"], f"<<{verbatim['marked']}>>", verbatim["after"])


if __name__ == "__main__":
    sys.exit(main())
