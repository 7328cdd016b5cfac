"""SIGKILL at random moments of a run on a real model: what each costs, and whether the end is the same, byte for byte.

    python benchmarks/killed.py MODEL --out FOLDER [--kills 10] [--least 40] [--most 120] [--seed 0]

A small `mathquorum run paper` on GSM8K (full fine-tuning, sampling, an evaluator, scoring) is killed with all its processes so many times,
and goes on each time; another one is left alone. What a kill costs at most is the time since the latest candidate, score, checkpoint or
finished stage was written, or since the start where that is later. Prints a line a kill, and at the end whether all records, figures and weights are equal.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "gsm8k"
SETTINGS = (
    "--train", f"gsm8k:{DATA / 'train.jsonl.gz'}", "--test", f"{{dataset: gsm8k, path: {DATA / 'test.jsonl.gz'}, limit: 16}}",
    "--num-candidates", "8", "--sampling.max-tokens", "160", "--sampling.temperature", "0.8", "--few-shot", "false",
    "--generator.epochs", "1", "--generator.learning-rate", "1e-4", "--batch-size", "4", "--evaluator.num-problems", "12",
    "--evaluator.num-candidates", "8", "--evaluator.objectives", "{cross_entropy: {name: cross_entropy}}",
    "--evaluator.training.epochs", "1", "--evaluator.batch-size", "4", "--mtsft.objectives", "[]", "--signals", "[likelihood]",
)  # fmt: skip
KEPT = ("*.partial.jsonl", "candidates.jsonl", "scores.jsonl", "stage.json", "checkpoint-*")
COMPARED = ("candidates.jsonl", "clusters.jsonl", "labeled.jsonl", "scores.jsonl", "results.json", "model.safetensors")


def main() -> None:
    """Prints what each kill cost, and whether the ends are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--least", type=float, default=40, help="seconds from a start to its kill")
    parser.add_argument("--most", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draws = random.Random(options.seed)
    killed, alone = options.out / "killed", options.out / "alone"
    for number in range(options.kills):
        process, since = started(options.model, killed), time.time()
        try:
            process.wait(draws.uniform(options.least, options.most))
            print(f"kill {number + 1}: the run had ended (status {process.returncode})", flush=True)
            break
        except subprocess.TimeoutExpired:
            began = time.time()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(2)  # processes of its own that noticed late
            what, written = latest(killed)
            print(
                f"kill {number + 1}, {began - since:.0f} s after its start: {began - max(written, since):.0f} s lost "
                f"(kept last: {what})",
                flush=True,
            )
    for folder in (killed, alone):
        status = started(options.model, folder).wait()
        print(f"{folder.name}: ended with status {status}", flush=True)
    one, other = contents(killed), contents(alone)
    different = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    print(f"{len(one)} files compared, different: {', '.join(different) or 'none'}")


def started(model: str, out: Path) -> subprocess.Popen[bytes]:
    """The run, in a session of its own."""
    command = [sys.executable, "-m", "mathquorum", "run", "paper", "--base", model, "--out", str(out), *SETTINGS]
    out.parent.mkdir(parents=True, exist_ok=True)
    with (out.parent / f"{out.name}.log").open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def latest(out: Path) -> tuple[str, float]:
    """What a run last kept, and when it was written, in seconds since the epoch."""
    found = []
    for pattern in KEPT:
        for path in out.rglob(pattern):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime, str(path.relative_to(out))))
    if not found:
        return "anything", out.stat().st_ctime
    written, name = max(found)
    return name, written


def contents(out: Path) -> dict[str, str]:
    """A hash of each file that holds results."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in COMPARED
        for path in sorted(out.rglob(name))
    }


if __name__ == "__main__":
    main()
