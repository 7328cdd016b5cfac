"""What k candidates out of a pool of n would have done: unbiased estimates, drawn without replacement, computed exactly.

A with-replacement bootstrap or "the first k" estimate something else or waste data: of one correct candidate in 8 the
former makes 0.656 for k = 8, where the answer is 1. These are averages over all C(n, k) subsets. In a subset the tie
rules apply as they would to a pool of that size: candidates keep their order.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import groupby
from math import comb, fsum
from operator import add

import numpy as np
import numpy.typing as npt

__all__ = ["best_of_curve", "best_of_k", "majority_at_k", "majority_curve", "pass_at_k"]

Floats = npt.NDArray[np.float64]

_SHORT = 64  # of polynomials up to this length one matrix product is faster than one sum for each coefficient


def pass_at_k(num_candidates: int, num_correct: int, k: int) -> float:
    """Chance that at least one of k candidates drawn without replacement is correct.

    Chen et al. 2021 (arXiv 2107.03374), Eq. 1:  1 - C(n - c, k) / C(n, k), here in whole numbers, so exact for any n.

    Raises:
        ValueError: If k is not in 1..num_candidates: the estimate is undefined there.

    Example:
        >>> pass_at_k(4, 2, 2)
        0.8333333333333334
    """
    _check_k(k, num_candidates)
    subsets = comb(num_candidates, k)
    return (subsets - comb(num_candidates - num_correct, k)) / subsets


def best_of_k(scores: Sequence[float], correct: Sequence[bool], k: int, num_unanswered: int = 0) -> float:
    """Chance that the best-scored of k candidates drawn without replacement is correct: RR.All over k.

    Hosseini et al. 2024 (V-STaR, arXiv 2402.06457):  sum_i C(n - i - 1, k - 1) alpha_i / C(n, k), where alpha_i in {0, 1}
    is the correctness of the candidate at place i (from 0) by falling score. Among equal scores every one is as likely to
    be taken as another, so each counts as their mean.

    Args:
        num_unanswered: Candidates without an answer. They can be drawn but not chosen.

    Raises:
        ValueError: If k is not in 1..number of all candidates.

    Example:
        >>> best_of_k([0.9, 0.5, 0.1], [False, True, True], 2)
        0.3333333333333333
    """
    return best_of_curve(scores, correct, [k], num_unanswered)[0]


def best_of_curve(
    scores: Sequence[float], correct: Sequence[bool], places: Sequence[int], num_unanswered: int = 0
) -> list[float]:
    """`best_of_k` for every k of `places`, with one ranking.

    Raises:
        ValueError: As `best_of_k`.
    """
    total = len(scores) + num_unanswered
    ranked = sorted(zip(scores, correct, strict=True), key=lambda pair: -pair[0])
    groups = [[label for _, label in group] for _, group in groupby(ranked, key=lambda pair: pair[0])]
    values = []
    for k in places:
        _check_k(k, total)
        subsets, place, terms = comb(total, k), 0, []
        for labels in groups:
            # Subsets whose best is in this group: those without anything better, less those without the group as well.
            won = comb(total - place, k) - comb(total - place - len(labels), k)
            terms.append(won * sum(labels) / (subsets * len(labels)))
            place += len(labels)
        values.append(min(1.0, fsum(terms)))
    return values


def majority_at_k(clusters: Sequence[tuple[Sequence[int], bool]], num_candidates: int, k: int) -> float:
    """Chance that the majority vote of k candidates drawn without replacement is correct: Maj1@k.

    Exact, for the declared tie rule: of equally large clusters the one whose earliest drawn member comes first wins. With
    k = num_candidates it is therefore Maj1 itself. The sum runs over the winner a, its number t of drawn members and the
    first of them, i; every other cluster b then has fewer than t members drawn, or exactly t and all of them after i:

        sum_{a correct} sum_t sum_i C(after_a(i), t - 1)
            [x^(k - t)] prod_{b != a} ( sum_{s < t} C(|b|, s) x^s + C(after_b(i), t) x^t )

    where after_b(i) counts the members of b with an index above i. Clusters smaller than t, and the candidates without
    an answer, are unrestricted: together they are one factor (1 + x)^M. So few factors remain, and all terms are
    positive, which keeps it fast and accurate: 2 ms for n = 64, 0.1 s for n = 256.

    Args:
        clusters: Members (ascending) and correctness of each cluster.
        num_candidates: Clustered candidates and those without an answer. At most 1000, above which doubles overflow.

    Raises:
        ValueError: If k is not in 1..num_candidates, or num_candidates is above 1000.

    Example:
        >>> majority_at_k([((0, 1), True), ((2,), False)], 3, 1)
        0.6666666666666666
    """
    _check_k(k, num_candidates)
    return majority_curve(clusters, num_candidates, k)[-1]


def majority_curve(clusters: Sequence[tuple[Sequence[int], bool]], num_candidates: int, max_k: int) -> list[float]:
    """`majority_at_k` for every k from 1 to max_k, in the time that it takes for max_k alone.

    Raises:
        ValueError: If num_candidates is above 1000.
    """
    if num_candidates > 1000:
        raise ValueError(f"num_candidates must be at most 1000 for the exact sum. Got {num_candidates} instead.")
    members = [np.asarray(indices) for indices, _ in clusters]
    won = np.zeros(max_k + 1)  # how many subsets of each size are won
    for place, (_, correct) in enumerate(clusters):
        if correct:
            others = [m for b, m in enumerate(members) if b != place]
            for t in range(1, min(len(members[place]), max_k) + 1):
                won[t:] += _subsets_won(members[place], others, num_candidates, max_k - t, t)
    # Rounding may leave 1 + 2e-16.
    return [min(1.0, float(won[k]) / comb(num_candidates, k)) for k in range(1, max_k + 1)]


def _subsets_won(winner: npt.NDArray[np.int_], others: list[npt.NDArray[np.int_]], n: int, rest: int, t: int) -> Floats:
    """How many subsets the winner wins with exactly t of its members, by their other members, 0 to `rest`."""
    choose = _binomials(n)
    firsts = winner[: len(winner) - t + 1]  # the members that can be the first of t
    rivals = [b for b in others if len(b) >= t]
    free = n - len(winner) - sum(map(len, rivals))
    if not rivals:  # whichever member is the first of t, the others are free: C(|a|, t) in all
        alone: Floats = choose[len(winner), t] * choose[free, : rest + 1]
        return alone
    ways = np.zeros((len(firsts), rest + 1))  # coefficients of x^degree
    ways[:] = choose[free, : rest + 1]
    for rival in rivals:
        after = choose[len(rival) - np.searchsorted(rival, firsts, side="right"), t]
        ways = _multiply(ways, choose[len(rival), :t], after)
    own = choose[len(winner) - 1 - np.arange(len(firsts)), t - 1]
    found: Floats = own @ ways
    return found


@functools.lru_cache(maxsize=8)
def _binomials(n: int) -> Floats:
    """C(size, k) for sizes and k from 0 to n."""
    row, table = [1], np.zeros((n + 1, n + 1))
    for size in range(n + 1):
        table[size, : size + 1] = row
        row = [1, *map(add, row, row[1:]), 1]  # Pascal's triangle, in whole numbers
    table.flags.writeable = False
    return table


def _multiply(left: Floats, lower: Floats, highest: Floats) -> Floats:
    """Row by row the product of two polynomials, cut off where the first ends. The second is alike in all rows but for the
    coefficient of its highest power."""
    length, power = left.shape[1], len(lower)
    if length <= _SHORT:
        product = left @ _multiplier(tuple(lower.tolist()), length)
    else:
        product = np.zeros_like(left)
        for degree, factor in enumerate(lower[:length]):
            product[:, degree:] += factor * left[:, : length - degree]
    product[:, power:] += highest[:, None] * left[:, : max(0, length - power)]
    return product


@functools.lru_cache(maxsize=2048)
def _multiplier(factor: tuple[float, ...], length: int) -> Floats:
    """The matrix that multiplies polynomials by this one and cuts them off at a length."""
    matrix = np.zeros((length, length))
    for degree, coefficient in enumerate(factor[:length]):
        matrix += np.diag(np.full(length - degree, coefficient), degree)
    return matrix


def _check_k(k: int, num_candidates: int) -> None:
    if not 1 <= k <= num_candidates:
        raise ValueError(f"k must be an int from 1 to the number of candidates, {num_candidates}. Got {k} instead.")
