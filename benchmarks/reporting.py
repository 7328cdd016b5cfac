"""What measuring costs once candidates and scores are there: every Evaluate, Report and StudyReport of a finished run, done again.

    python benchmarks/reporting.py RUN [--recipe study-small] [--against OTHER/src] [--rounds 3]

RUN is the directory of a finished run of that recipe; nothing is written there. Prints processor seconds by kind of stage. With
`--against`, another copy of the code does the same in turn, and the files of both are compared byte by byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from mathquorum.answers import explain_match
from mathquorum.config import build, read_settings_file
from mathquorum.recipes import recipe
from mathquorum.run import Run
from mathquorum.stages.base import Stage, no_progress

KINDS = ("Evaluate", "Report", "StudyReport")


class Listed(Run):
    """A run that only notes what it is asked to do."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, dry=True)
        self.stages: dict[str, Stage] = {}

    def do_together(self, stages: Mapping[str, Stage]) -> dict[str, Path]:
        """See `Run`."""
        self.stages |= stages
        return {name: self.directory / name for name in stages}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--recipe", default="study-small")
    parser.add_argument("--stages", default="", help="Only those whose names hold this.")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(measure_again(options.run, options.recipe, options.stages)))
        return
    sources = {"this code": Path(__file__).parents[1] / "src"} | (
        {"the other": options.against} if options.against else {}
    )
    rounds: dict[str, list[Any]] = {name: [] for name in sources}
    for _ in range(options.rounds):
        for name, source in sources.items():
            rounds[name].append(in_a_process_of_its_own(source, options))
    show(rounds)


def in_a_process_of_its_own(source: Path, options: argparse.Namespace) -> Any:
    words = [
        sys.executable,
        __file__,
        str(options.run),
        "--recipe",
        options.recipe,
        "--stages",
        options.stages,
        "--once",
    ]
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout)


def measure_again(run: Path, name: str, stages: str) -> dict[str, Any]:
    """Processor seconds by kind of stage, and a hash of each file."""
    explain_match("x/2 + y", "0.5x + y")  # imports, which are done once whatever is measured, are not counted
    found = recipe(name)
    listed = Listed(run)
    found.follow(listed, build(found.settings, read_settings_file(run / "settings.yaml")))
    seconds: dict[str, float] = {}
    files: dict[str, str] = {}
    for stage_name, stage in listed.stages.items():
        kind = type(stage).__name__
        if kind in KINDS and stages in stage_name and (run / stage_name).is_dir():
            with tempfile.TemporaryDirectory() as out:
                began = time.process_time()
                stage.run(Path(out), no_progress)
                seconds[kind] = seconds.get(kind, 0.0) + time.process_time() - began
                for file in sorted(Path(out).iterdir()):
                    files[f"{stage_name}/{file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"seconds": seconds, "files": files}


def show(rounds: Mapping[str, list[Any]]) -> None:
    """The table in Markdown, and the files that differ."""
    print("| stage | " + " | ".join(f"{name}, s" for name in rounds) + " | share |\n|---|" + "---|" * (len(rounds) + 1))
    first, *others = rounds.values()
    for kind in first[0]["seconds"]:
        times = [[done["seconds"][kind] for done in of_source] for of_source in rounds.values()]
        cells = [f"{median(t):.2f} ({min(t):.2f} to {max(t):.2f})" for t in times]
        shares = [a / b for a, b in zip(times[0], times[-1], strict=True)]
        share = f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})" if others else ""
        print(f"| {kind} | {' | '.join(cells)} | {share} |")
    for other in others:
        mine, theirs = first[0]["files"], other[0]["files"]
        changed = [name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)]
        print(f"\n{len(mine)} files, {len(changed)} differ{': ' if changed else ''}{', '.join(sorted(changed))}")


if __name__ == "__main__":
    main()
