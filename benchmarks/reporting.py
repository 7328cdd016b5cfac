"""What measuring costs once candidates and scores are there: every Evaluate, Report and StudyReport of a finished run, done again.

    python benchmarks/reporting.py RUN [--recipe study-small] [--against OTHER/src] [--rounds 3]
    python benchmarks/reporting.py --pool FOLDER [--against OTHER/src] [--rounds 5]

RUN is the directory of a finished run of that recipe; nothing is written there. With `--pool` one Evaluate of 500 problems with 64
real candidates each is measured (`shared/data/candidates`; where a problem has fewer, they stand there again, with other scores; scores
are drawn by seed, higher for correct ones); the folder is filled when it is not there. Prints processor seconds by kind of stage.
With `--against`, another copy of the code does the same in turn, and the files of both are compared byte by byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from mathquorum.answers import explain_match, extract_answer
from mathquorum.config import build, read_settings_file
from mathquorum.recipes import recipe
from mathquorum.records import Candidate, Problem, Score
from mathquorum.run import Run
from mathquorum.stages.base import Stage, no_progress
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.store import write_records

KINDS = ("Evaluate", "Report", "StudyReport")
DATA = Path(__file__).parents[2] / "shared" / "data" / "candidates"


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
    parser.add_argument("run", type=Path, nargs="?", default=Path())
    parser.add_argument("--pool", type=Path)
    parser.add_argument("--recipe", default="study-small")
    parser.add_argument("--stages", default="", help="Only those whose names hold this.")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        stages = (
            {"pool": evaluation(options.pool)} if options.pool else listed(options.run, options.recipe, options.stages)
        )
        print(json.dumps(measure_again(stages)))
        return
    if options.pool and not options.pool.is_dir():
        make_pool(options.pool)
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
        *(["--pool", str(options.pool)] if options.pool else []),
        "--once",
    ]
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout)


def listed(run: Path, name: str, part: str) -> dict[str, Stage]:
    """The stages of a run that show something, those whose names hold the part."""
    found = recipe(name)
    noted = Listed(run)
    found.follow(noted, build(found.settings, read_settings_file(run / "settings.yaml")))
    return {
        name: stage
        for name, stage in noted.stages.items()
        if type(stage).__name__ in KINDS and part in name and (run / name).is_dir()
    }


def evaluation(pool: Path) -> Stage:
    """With the strategies that every commit has."""
    files = {name: pool / f"{name}.jsonl" for name in ("problems", "candidates", "clusters", "scores")}
    return Evaluate(**files, strategies=("maj1", "rr.all", "rr.top8", "w.rr", "w.rr.top8", "maj1.top5", "pv"))


def measure_again(stages: Mapping[str, Stage]) -> dict[str, Any]:
    """Processor seconds by kind of stage, and a hash of each file."""
    explain_match("x/2 + y", "0.5x + y")  # imports, which are done once whatever is measured, are not counted
    seconds: dict[str, float] = {}
    files: dict[str, str] = {}
    for name, stage in stages.items():
        with tempfile.TemporaryDirectory() as out:
            began = time.process_time()
            stage.run(Path(out), no_progress)
            kind = type(stage).__name__
            seconds[kind] = seconds.get(kind, 0.0) + time.process_time() - began
            for file in sorted(Path(out).iterdir()):
                files[f"{name}/{file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"seconds": seconds, "files": files}


def make_pool(place: Path) -> None:
    """The hard problems with real answers first, then GSM8K."""
    hard = joined("math_l5_zeroeval_multimodel")
    easy = joined("gsm8k_zeroeval_multimodel", "gsm8k_mathcoder_n8", "gsm8k_rho_tora_n6", "gsm8k_openai_n4")
    held = [*hard.values(), *easy.values()][:500]
    problems = [Problem(row["problem_id"], row["problem"], str(row["gold_answer"])) for row, _ in held]
    candidates, scores = [], []
    for row, found in held:
        draw = random.Random(row["problem_id"])
        ease = draw.gauss(0, 1)
        for index in range(64):
            one = found[index % len(found)]
            text, size = one["text"], max(1, len(one["text"]) // 3)
            candidates.append(Candidate(row["problem_id"], index, text, extract_answer(text), num_tokens=size))
            logit = ease + (1.2 if one["simple_correct"] else -0.3) + draw.gauss(0, 1)
            scores.append(Score(row["problem_id"], index, 1 / (1 + math.exp(-logit))))
    place.mkdir(parents=True)
    write_records(place / "problems.jsonl", problems)
    write_records(place / "candidates.jsonl", candidates)
    write_records(place / "scores.jsonl", scores)
    Cluster(problems=place / "problems.jsonl", candidates=place / "candidates.jsonl").run(place, no_progress)


def joined(*names: str) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """By problem its first row, and the candidates of all files."""
    found: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for name in names:
        with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
            for row in map(json.loads, lines):
                found.setdefault(row["problem_id"], (row, []))[1].extend(row["candidates"])
    return found


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
