"""What the recorded studies' claims become under the present intervals, as far as their stored reports tell.

    python benchmarks/recorded_claims.py docs/results/study-small/study.json

The reports under docs/results were made with another interval (the truncated sum of `mathquorum.metrics.crossed`, "before"), and
their runs are gone. An interval alone does not tell how its variance was made up, but bounds it. With the share f of
seeds in the variance v (beyond what is left when problems and seeds are taken out) in 0..1,

    old half width = t(1 / ((1-f)^2 / (P-1) + f^2 / (S-1))) sqrt(v)

and what is left, rest, is between 0 and (1-f) v. So the new half width, t_{P-1}^2 ((1-f) v - rest) + t_{S-1}^2 (f v + rest) under a
root, and the p-value lie between their extremes over f and rest. A verdict that is the same at both ends is certain.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from mathquorum.metrics.differences import holm
from mathquorum.metrics.intervals import student_quantile

NUM_SEEDS = 3
SHARES = [place / 20 for place in range(21)]


@dataclass(frozen=True)
class Parts:
    """A variance of a mean: what varies by problem alone, by seed with the rest, and their degrees of freedom."""

    of_problems: float
    of_seeds: float
    num_problems: int

    def half(self, level: float = 0.95) -> float:
        problems, seeds = student_quantile(self.num_problems - 1, level), student_quantile(NUM_SEEDS - 1, level)
        return sqrt(problems**2 * self.of_problems + seeds**2 * self.of_seeds)

    def p_value(self, value: float) -> float:
        low, high = 1e-9, 1.0
        while high > low * (1 + 1e-4):
            middle = sqrt(low * high)
            low, high = (low, middle) if abs(value) > self.half(1 - middle) else (middle, high)
        return high


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, nargs="+")
    for path in parser.parse_args().study:
        claims = [c for c in json.loads(path.read_text(encoding="utf-8"))["claims"] if "value" in c]
        possible = [possibilities((c["high"] - c["low"]) / 2, c["count"]) for c in claims]
        values = [c["value"] for c in claims]
        halves = [(extreme(min, parts), extreme(max, parts)) for parts in possible]
        ps = [[p.p_value(v) for p in parts] for v, parts in zip(values, possible, strict=True)]
        least, most = holm([min(p) for p in ps]), holm([max(p) for p in ps])
        print(
            f"\n{path.parent.name}\n\n| claim | difference | half width before | now | verdict before | now | corrected |"
        )
        print("|---|---|---|---|---|---|---|")
        for claim, (low, high), *adjusted in zip(claims, halves, least, most, strict=True):
            print(line(claim, low, high, adjusted))


def possibilities(half: float, num_problems: int) -> list[Parts]:
    """Every make-up of the variance that gives the old half width, on a grid."""
    found = []
    for share in SHARES:
        degrees = 1 / ((1 - share) ** 2 / (num_problems - 1) + share**2 / (NUM_SEEDS - 1))
        variance = (half / old_quantile(degrees)) ** 2
        for rest in (0.0, (1 - share) * variance):
            found.append(Parts((1 - share) * variance - rest, share * variance + rest, num_problems))
    return found


def extreme(choose: Callable[..., float], parts: list[Parts]) -> float:
    return choose(p.half() for p in parts)


def old_quantile(degrees: float) -> float:
    """The expansion that the old intervals had (Abramowitz and Stegun 26.7.5)."""
    z = 1.959963984540054
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )


def line(claim: dict[str, Any], low: float, high: float, adjusted: list[float]) -> str:
    value, verdict = claim["value"], claim["verdict"]
    now = {verdict if abs(value) > half else "undecided" for half in (low, high)}
    corrected = {verdict if p < 0.05 else "undecided" for p in adjusted}
    shown = (" or ".join(sorted(words)) for words in (now, corrected))
    before = (claim["high"] - claim["low"]) / 2
    widths = f"{100 * before:.1f} | {100 * low:.1f} to {100 * high:.1f}"
    return f"| {claim['claim']} | {100 * value:+.1f} | {widths} | {verdict} | {' | '.join(shown)} |"


if __name__ == "__main__":
    main()
