"""Vote, weighted vote and best score on pools of real samples, paired problem by problem.

    python benchmarks/real_pools.py [--data FOLDER]

One row per pool, in Markdown: pass@1, maj1 and pass@N with 95% intervals clustered by problem; what the vote by equivalence
adds to the vote by equal strings; where the pool has scores, what choosing by them adds to the vote; paired 95% intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mathquorum.datasets.samples import read_samples
from mathquorum.metrics.choices import is_right
from mathquorum.metrics.differences import paired_difference
from mathquorum.metrics.evaluation import measure
from mathquorum.metrics.pools import have_scores
from mathquorum.records import Estimate
from mathquorum.report.tables import percent, points
from mathquorum.selection import Majority, PessimisticVerification, Rerank, Strategy, TopScored, WeightedVote
from mathquorum.study.measured import string_vote
from mathquorum.voting import read_pools

SCORED: tuple[Strategy, ...] = (
    Rerank(),
    Rerank(2),
    WeightedVote(),
    WeightedVote(2),
    TopScored(4),
    PessimisticVerification(),
)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "candidates")
    options = parser.parse_args()
    headings = [
        "pool",
        "problems",
        "N",
        "pass@1",
        "maj1",
        "pass@N",
        "maj1 - vote by string",
        *(f"{s.name} - maj1" for s in SCORED),
    ]
    print("| " + " | ".join(headings) + " |\n|" + "---|" * len(headings))
    for path in sorted(options.data.glob("*.jsonl.gz")):
        print("| " + " | ".join(row(path)) + " |", flush=True)


def row(path: Path) -> list[str]:
    pools, answers = read_pools([path]).pools, written(path)
    size = max(pool.num_candidates for pool in pools)
    found = {e.name.partition("@")[0] if e.name != "pass@1" else e.name: e for e in measure(pools, [Majority()])}
    figures = [shown(found["pass@1"]), shown(found["maj1"]), shown(found["pass"])]
    vote = [is_right(Majority(), pool) for pool in pools]
    strings = [string_vote(answers[pool.problem_id], pool) for pool in pools]
    differences = [added("maj1 - vote by string", vote, strings)]
    for strategy in SCORED:
        if not have_scores(pools):
            differences.append("")
            continue
        chosen = [is_right(strategy, pool) for pool in pools]
        differences.append(added(strategy.name, chosen, vote))
    return [path.name.removesuffix(".jsonl.gz"), str(len(pools)), str(size), *figures, *differences]


def written(path: Path) -> dict[str, dict[int, str]]:
    """By problem the answers as they stand in the texts, by candidate."""
    return {
        item.problem.id: {c.index: c.answer for c in item.candidates if c.answer is not None}
        for item in read_samples([path]).samples
    }


def added(name: str, first: Sequence[float], second: Sequence[float]) -> str:
    e = paired_difference(name, first, second).estimate
    return f"{points(e.value)} [{points(e.low)}, {points(e.high)}]"


def shown(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


if __name__ == "__main__":
    main()
