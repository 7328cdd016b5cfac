"""What a person waits for: --help, a vote on 500 x 64 candidates and on ten times as many, and one token of `solve`.

    python benchmarks/start_up.py [--rounds 3]

Whole processes, in turn, so that what else runs on the machine touches all alike; medians with the range.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROBLEMS = 500
SOLUTION = "First we look at what is given, then we compute one step after the other. " * 12


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "64.jsonl", Path(folder) / "640.jsonl"
        write_pools(small, 64)
        write_pools(large, 640)
        commands = {
            "mathquorum --help": ["--help"],
            "vote, 500 x 64 candidates": ["vote", str(small)],
            "vote, 500 x 640 candidates": ["vote", str(large)],
            "solve, one token": ["solve", "Find t if 5t-12=23.", "-n", "1", "--max-tokens", "1"],
        }
        bars = {"mathquorum --help": "0.3", "vote, 500 x 64 candidates": "5", "solve, one token": "3"}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, words in commands.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, "-c", CALL, *words], check=True, capture_output=True)
                times[name].append(time.perf_counter() - began)
    print("| command | seconds (range) | bar |\n|---|---|---|")
    for name, found in times.items():
        print(
            f"| {name} | {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f}) | {bars.get(name, '')} |"
        )
    ratios = [
        b / a for a, b in zip(times["vote, 500 x 64 candidates"], times["vote, 500 x 640 candidates"], strict=True)
    ]
    print(f"| ten times the candidates, times as long | {statistics.median(ratios):.1f} | 11 |")


CALL = "import sys; sys.argv[0] = 'mathquorum'; from mathquorum.cli import main; main()"


def write_pools(path: Path, number: int) -> None:
    """Problems with answers of several kinds; half of the candidates are right, the others share twelve wrong answers."""
    rng = random.Random(0)
    with path.open("w") as file:
        for problem in range(PROBLEMS):
            gold = rng.choice(
                (
                    str(rng.randint(0, 999)),
                    f"\\frac{{{rng.randint(1, 9)}}}{{{rng.randint(2, 9)}}}",
                    f"x={rng.randint(1, 50)}",
                    f"({rng.randint(1, 9)},{rng.randint(1, 9)})",
                    f"{rng.randint(2, 9)}\\sqrt{{{rng.choice((2, 3, 5))}}}",
                )
            )
            wrong = [str(rng.randint(0, 999)) for _ in range(12)]
            answers = [gold if rng.random() < 0.5 else rng.choice(wrong) for _ in range(number)]
            row = {
                "problem": f"Problem {problem}",
                "answer": gold,
                "samples": [f"{SOLUTION}\\boxed{{{answer}}}" for answer in answers],
                "scores": [round(rng.random(), 4) for _ in answers],
            }
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
