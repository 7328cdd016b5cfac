"""How often the strict grader of `mathquorum.reward` accepts what is wrong, and misses what is right, on judged data.

    python benchmarks/reward_accepts.py DATA

DATA holds answer_pairs/*.jsonl.gz (gold, pred, equal), judged by other graders, candidates/*.jsonl.gz and adversarial_dev.jsonl.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

from mathquorum.reward import judge

ATTACKS = {
    "boxes": "\\boxed{{{0}}} \\boxed{{{1}}} \\boxed{{{2}}}",
    "right box first, another last": "\\boxed{{{0}}}, no: \\boxed{{{1}}}",
    "or in a box": "\\boxed{{{1} \\text{{ or }} {0}}}",
    "list in a box": "\\boxed{{{1}, {0}, {2}}}",
    "guesses in words": "It may be {1}, {0} or {2}. The answer is {0}.",
    "last number": "I give up. {1}, {2}, {0}",
    "tags": "<answer>{0}</answer><answer>{1}</answer>",
    "open box": "The answer is \\boxed{{{0}",
    "hash after hash": "#### {1}\n#### {0}",
    "in the thoughts": "<think>\\boxed{{{0}}}</think> I do not know.",
    "box, then another in words": "\\boxed{{{0}}}. So the answer is {1}.",
    "equation of guesses": "\\boxed{{{1} = {0}}}",
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    held = path.read_bytes()
    text = (gzip.decompress(held) if path.suffix == ".gz" else held).decode("utf-8")
    yield from map(json.loads, filter(None, text.split("\n")))


def rate(name: str, hits: int, total: int) -> None:
    """With Wilson's interval at 95%."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    print(f"{name}: {hits} of {total} = {share:.3%} ({max(0, middle - half):.3%} to {middle + half:.3%})")


def main(data: Path) -> None:
    slowest = 0.0
    for name in ("math_model_pairs", "gsm8k_model_pairs"):
        told: Counter[tuple[bool, bool]] = Counter()
        for row in rows(data / "answer_pairs" / f"{name}.jsonl.gz"):
            if row["equal"] is not None:
                began = time.perf_counter()
                said = judge(row["gold"], f"\\boxed{{{row['pred']}}}").equal
                slowest = max(slowest, time.perf_counter() - began)
                told[row["equal"], said] += 1
                if said and not row["equal"]:
                    print("  accepted:", json.dumps(row)[:200])
        rate(f"{name}, wrong and accepted", told[False, True], told[False, True] + told[False, False])
        rate(f"{name}, right and missed", told[True, False], told[True, False] + told[True, True])
    golds = [row["answer"] for row in rows(data / "math" / "math500.jsonl.gz")]
    draw = random.Random(0)
    for name, attack in ATTACKS.items():
        hits = 0
        for gold in golds:
            others = draw.sample(golds, 2)
            while any(judge(gold, f"\\boxed{{{other}}}").equal for other in others):
                others = draw.sample(golds, 2)
            hits += judge(gold, attack.format(gold, *others)).equal
        rate(f"attack: {name}", hits, len(golds))
    for row in rows(data / "adversarial_dev.jsonl"):
        gold, pred = (_whole(row[key]) for key in ("gold", "pred"))
        for text in (pred, f"\\boxed{{{pred}}}"):
            began = time.perf_counter()
            said = judge(gold, text).equal
            slowest = max(slowest, time.perf_counter() - began)
            if said and row["equal"] is False:
                print("  accepted:", json.dumps(row)[:200])
    print(f"slowest call: {slowest:.3f} s")


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else "".join(piece * count for piece, count in value["repeat"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
