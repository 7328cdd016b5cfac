"""Vote, weighted vote and best score on pools of real samples, paired problem by problem.

    python benchmarks/real_pools.py [--data FOLDER]

One row per pool, in Markdown: pass@1, maj1 and pass@N with 95% intervals clustered by problem; where the pool has scores,
what choosing by them adds to the vote, with paired 95% intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mathquorum.choices import is_right
from mathquorum.differences import paired_difference
from mathquorum.evaluation import measure
from mathquorum.metrics import Pool
from mathquorum.metrics.pools import have_scores
from mathquorum.records import Estimate
from mathquorum.report.tables import percent, points
from mathquorum.selection import Majority, PessimisticVerification, Rerank, Strategy, TopScored, WeightedVote
from mathquorum.vote import read_pools

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
    headings = ["pool", "problems", "N", "pass@1", "maj1", "pass@N", *(f"{s.name} - maj1" for s in SCORED)]
    print("| " + " | ".join(headings) + " |\n|" + "---|" * len(headings))
    for path in sorted(options.data.glob("*.jsonl.gz")):
        print("| " + " | ".join(row(path.name.removesuffix(".jsonl.gz"), read_pools([path]).pools)) + " |", flush=True)


def row(name: str, pools: Sequence[Pool]) -> list[str]:
    size = max(pool.num_candidates for pool in pools)
    found = {e.name.partition("@")[0] if e.name != "pass@1" else e.name: e for e in measure(pools, [Majority()])}
    figures = [shown(found["pass@1"]), shown(found["maj1"]), shown(found["pass"])]
    vote = [is_right(Majority(), pool) for pool in pools]
    differences = []
    for strategy in SCORED:
        if not have_scores(pools):
            differences.append("")
            continue
        chosen = [is_right(strategy, pool) for pool in pools]
        e = paired_difference(strategy.name, chosen, vote).estimate
        differences.append(f"{points(e.value)} [{points(e.low)}, {points(e.high)}]")
    return [name, str(len(pools)), str(size), *figures, *differences]


def shown(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


if __name__ == "__main__":
    main()
