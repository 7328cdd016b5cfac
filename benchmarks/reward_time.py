r"""How long `mathquorum.reward.judge` takes at most: answers that are made to be slow, in seconds of CPU.

    python benchmarks/reward_time.py --answers 2000

Crafted ones repeat one costly term up to the 300 characters that an answer may have; random ones nest operations. References are
ordinary: a policy does not choose them. One with an equals sign admits answers with one, sums with limits among them.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator

from mathquorum.reward import judge

REFERENCES = ("1", "x=3", "y=2x+1", r"\frac{1}{2}", "x^2+1", r"\{1,2\}", "(1,2)", r"\sin(1)", r"\sqrt{2}+\sqrt{3}")
LENGTH = 295
TERMS = (
    r"\sum_{i=1}^{%d}\sin(i)", r"\sum_{i=1}^{%d}\sqrt{i}", r"\sum_{i=1}^{%d}2^i", r"\sum_{i=1}^{%d}\frac{1}{i}",
    r"\prod_{k=1}^{%d}(k+x)", "%d!", r"\binom{%d}{5000}", "9^{%d}", r"\sqrt[7]{\sqrt[5]{%d!+1}}", r"\sin(\cos(%d!))",
)  # fmt: skip
ATOMS = ("9", "12345", "10^{10}", "x", "k", r"\pi", "e", "i", "0", "1/3", "x^{50}", "7!", r"\infty", "(-1)")


def crafted() -> Iterator[str]:
    """Terms repeated with other numbers, as a sum, a product and a set."""
    for term in TERMS:
        parts: list[str] = []
        while len(",".join([*parts, term])) < LENGTH:
            parts.append(term % (9999 - len(parts)))
        yield from ("+".join(parts), "*".join(parts), rf"\{{{','.join(parts)}\}}")


def nested(draw: random.Random, depth: int) -> str:
    """A formula of that many operations within each other."""
    if depth == 0:
        return draw.choice(ATOMS)
    a, b, c = nested(draw, depth - 1), nested(draw, draw.randrange(depth)), draw.choice(ATOMS)
    forms = (
        f"{{{a}}}^{{{b}}}", rf"\frac{{{a}}}{{{b}}}", rf"\sqrt[{c}]{{{a}}}", f"({a})!", rf"\binom{{{a}}}{{{b}}}",
        rf"\sum_{{k=1}}^{{9999}} {a}", rf"\prod_{{k=1}}^{{999}} ({a})", f"({a}+{b})({b}-{a})", f"({a})^{{99}}",
        rf"\log_{{{c}}}({a})", rf"\sin({a})\cos({b})", rf"\lfloor {a} \rfloor", rf"\{{{a},{b},{c}\}}", f"({a},{b}]",
        rf"\begin{{pmatrix}}{a}&{b}\\{c}&{a}\end{{pmatrix}}", rf"\gcd({a},{b})", f"({a})^{{9}}({b})^{{9}}",
    )  # fmt: skip
    return draw.choice(forms)


def main() -> None:
    """Prints how many were graded, the slowest, and a few quantiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=2000, help="Random ones.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    pairs = [(reference, answer) for answer in crafted() for reference in REFERENCES]
    while len(pairs) < options.answers + len(TERMS) * 3 * len(REFERENCES):
        answer = nested(draw, draw.randint(1, 5))
        if len(answer) <= LENGTH:
            pairs.append((draw.choice(REFERENCES), answer))
    taken = []
    for reference, answer in pairs:
        began = time.process_time()
        judge(reference, rf"So it is \boxed{{{answer}}}.")
        taken.append((time.process_time() - began, reference, answer))
    taken.sort(reverse=True)
    seconds = [item[0] for item in taken]
    over = sum(value > 1 for value in seconds)
    middle, late = seconds[len(seconds) // 2], seconds[len(seconds) // 100]
    print(
        f"{len(taken)} answers: median {1000 * middle:.2f} ms, 99% {1000 * late:.0f} ms, most {seconds[0]:.2f} s, {over} over 1 s"
    )
    for value, reference, answer in taken[:5]:
        print(f"{value:.2f} s  {answer[:120]}  for {reference}")


if __name__ == "__main__":
    main()
