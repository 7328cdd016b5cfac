"""The scheduler of a cluster, simulated: 64 workers, lengths of real solutions, stragglers and failures.

    python benchmarks/scheduler.py [--data FOLDER] [--problems 500 12000] [--seeds 5]

What is dealt to whom is decided by the very class that decides on a cluster (`spreading.dealing.Dealer`); only time is simulated. The
model has 7 billion parameters in bfloat16. A step of decoding takes what `engines.embedded.pace` counts with: the weights are read once,
and each text adds its arithmetic. A text that ends makes room for the next of its unit.

One table in Markdown, a row for each size of a unit, and three cases:

 - even: 64 equal workers, which load their model for a minute.
 - stragglers: 4 of them at half the speed.
 - failures, too: each worker is lost every two hours on average, as machines that can be taken back are; its unit is done again by
   another, and a new worker is there and has loaded after five minutes.

Columns: candidates in a unit, units, and by case the share of its time that a worker computes, the time until the last unit is done by the
ideal (no tail, no loss, every step full), and the work that was lost by the work that was kept; mean of the seeds. Then the minutes that
even workers take, and what a run that is killed loses: minutes of each worker, on average.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mathquorum.datasets.samples import read_samples
from mathquorum.spreading.dealing import Dealer

WORKERS, CANDIDATES = 64, 64
LONGEST = 2048  # tokens
READING = 14e9 / 1e12  # seconds: bytes of the weights by bytes a second
ARITHMETIC = 2 * 7e9 / 3e13  # seconds of a step for each text
ROWS = 256  # texts in a step at most
LOADING, REPLACING, LIFE = 60.0, 300.0, 2 * 3600.0  # seconds
SIZES = (1, 8, 32, 64, 128, 256, 512, 1024)
POOLS = {"math_qwen25math_n8_rm": 3.03, "math_l5_zeroeval_multimodel": 2.68}
"""Pools: 8 solutions of one model to each of 48 problems, and about 39 of as many models to each of 342. Characters in a token of
Qwen2.5, counted on six candidates of each problem."""


@dataclass(frozen=True)
class Case:
    """How workers behave.

    Attributes:
        slow: Workers at half the speed.
        lost: Whether they are lost now and then.
    """

    name: str
    slow: int
    lost: bool


CASES = (Case("even", 0, False), Case("stragglers", 4, False), Case("failures, too", 4, True))


@dataclass(frozen=True)
class Outcome:
    """What came of a simulation, in seconds.

    Attributes:
        makespan: Until the last unit is done.
        busy: That workers computed, all together, what was lost included.
        lost: Of these, on units that did not end.
    """

    makespan: float
    busy: float
    lost: float


def main() -> None:
    """Prints a table for each pool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "candidates")
    parser.add_argument("--problems", type=int, nargs="+", default=[500, 12_000])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    headings = " | ".join(f"{case.name}: computing | time by ideal | lost" for case in CASES)
    print(
        f"| lengths | problems | candidates in a unit | units | {headings} | minutes, even | killed: minutes |\n|{'---|' * 15}"
    )
    for pool, characters in POOLS.items():
        measured = lengths_of(options.data / f"{pool}.jsonl.gz", characters)
        for number in options.problems:
            for size in SIZES:
                figures = row(measured, number, size, options.seeds)
                print(f"| {pool} | {number:,} | " + " | ".join(figures) + " |", flush=True)


def lengths_of(file: Path, characters: float) -> list[list[int]]:
    """Tokens of each candidate, by problem."""
    return [
        [min(LONGEST, max(1, round(len(c.text) / characters))) for c in item.candidates]
        for item in read_samples([file]).samples
    ]


def row(measured: Sequence[Sequence[int]], num_problems: int, size: int, seeds: int) -> list[str]:
    by_case: dict[Case, list[tuple[Outcome, float]]] = {case: [] for case in CASES}
    minutes, num_units = [], 0
    for seed in range(seeds):
        lengths = drawn(measured, num_problems, random.Random(seed))
        units = [seconds_of(lengths[start : start + size]) for start in range(0, len(lengths), size)]
        minutes.append(sum(unit**2 for unit in units) / sum(units) / 2 / 60)  # a long unit is more likely under way
        num_units = len(units)
        for case in CASES:
            speeds = [0.5 if worker < case.slow else 1.0 for worker in range(WORKERS)]
            full = sum(lengths) * (READING / ROWS + ARITHMETIC) / sum(speeds) + LOADING
            by_case[case].append((simulated(units, speeds, case.lost, random.Random(seed)), full))
    figures = []
    for outcomes in by_case.values():
        computing = fmean(o.busy / (WORKERS * o.makespan) for o, _ in outcomes)
        figures.append(f"{100 * computing:.0f}%")
        figures.append(f"{fmean(o.makespan / full for o, full in outcomes):.2f}")
        figures.append(f"{100 * fmean(o.lost / (o.busy - o.lost) for o, _ in outcomes):.1f}%")
    even = fmean(o.makespan for o, _ in by_case[CASES[0]]) / 60
    return [f"{size:,}", f"{num_units:,}", *figures, f"{even:.1f}", f"{fmean(minutes):.1f}"]


def drawn(measured: Sequence[Sequence[int]], num_problems: int, draws: random.Random) -> list[int]:
    """Lengths of all candidates, problem by problem: those of a real problem, drawn with replacement."""
    return [length for _ in range(num_problems) for length in draws.choices(draws.choice(measured), k=CANDIDATES)]


def seconds_of(lengths: Sequence[int]) -> float:
    """The time that a unit takes: texts that end make room for the next of the unit, and steps become cheaper as they run out."""
    running = list(lengths[:ROWS])  # the step at which each ends
    heapq.heapify(running)
    waiting, now, seconds = list(lengths[ROWS:]), 0, 0.0
    while running:
        end = running[0]
        seconds += (end - now) * (READING + ARITHMETIC * len(running))
        now = end
        heapq.heappop(running)
        if waiting:
            heapq.heappush(running, now + waiting.pop())
    return seconds


def simulated(units: Sequence[float], speeds: Sequence[float], lost: bool, draws: random.Random) -> Outcome:
    """The units dealt to workers, in simulated time.

    Args:
        units: Seconds of each, on a worker of speed 1.
        speeds: Of each place for a worker; who replaces one that was lost has the same.
    """
    dealer = Dealer(len(units))
    events: list[tuple[float, int]] = []  # the time at which a worker is free
    busy = wasted = now = 0.0
    dies = [draws.expovariate(1 / LIFE) if lost else float("inf") for _ in speeds]
    for place in range(len(speeds)):
        heapq.heappush(events, (LOADING, place))
    while dealer.num_left:
        now, place = heapq.heappop(events)
        if dealer.unit_of(place) is not None:
            dealer.finished(place)
        unit = dealer.deal(place)
        if unit is None:
            if dealer.num_left:  # one that is lost may yet come back
                heapq.heappush(events, (now + LOADING, place))
            continue
        seconds = units[unit] / speeds[place]
        if now + seconds <= dies[place]:
            busy += seconds
            heapq.heappush(events, (now + seconds, place))
            continue
        spent = max(0.0, dies[place] - now)
        busy, wasted = busy + spent, wasted + spent
        dealer.lost(place, "its machine was taken back.")
        back = max(now, dies[place]) + REPLACING
        dies[place] = back + draws.expovariate(1 / LIFE)
        heapq.heappush(events, (back, place))
    return Outcome(now, busy, wasted)


if __name__ == "__main__":
    main()
