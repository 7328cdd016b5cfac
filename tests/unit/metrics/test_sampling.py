"""Unbiased estimates, by hand and against figures that others computed."""

from __future__ import annotations

import pytest

from mathquorum.metrics import best_of_k, majority_at_k, pass_at_k


def test_pass_at_k_against_known_figures() -> None:
    assert pass_at_k(8, 1, 8) == 1.0  # a bootstrap with replacement makes 0.656
    assert pass_at_k(64, 2, 32) == pytest.approx(0.754, abs=5e-4)  # and here 0.638
    assert pass_at_k(10, 0, 5) == 0.0
    assert pass_at_k(10, 3, 1) == 0.3


def test_pass_at_k_is_exact_for_thousands() -> None:
    assert pass_at_k(10_000, 1, 5_000) == 0.5
    assert pass_at_k(5_000, 1, 1) == 1 / 5_000
    assert 1 - pass_at_k(4_000, 10, 2_000) == pytest.approx(2.0**-10, rel=0.02)


def test_best_of_two_by_hand() -> None:
    # Of the three pairs only (0.5, 0.1) has a correct best.
    assert best_of_k([0.9, 0.5, 0.1], [False, True, False], 2) == pytest.approx(1 / 3)


def test_best_of_k_shares_ties_and_passes_over_the_unanswered() -> None:
    assert best_of_k([0.5, 0.5], [True, False], 2) == 0.5
    # Pairs: (a, none), (a, none), (none, none): two of three have an answer to choose.
    assert best_of_k([0.1], [True], 2, num_unanswered=2) == pytest.approx(2 / 3)


def test_majority_of_three_by_hand() -> None:
    # Right 0, 1; wrong 2, 3, 4. The right one wins 0 1 x (three subsets), never with one member against two.
    # 0 and 1 with 2, 3 or 4: won. Others: 0 2 3, ... two wrong: lost; 2 3 4: lost. 3 of 10.
    assert majority_at_k([((2, 3, 4), False), ((0, 1), True)], 5, 3) == pytest.approx(0.3)


def test_a_tied_vote_goes_to_the_earliest_drawn() -> None:
    # In a pair of different answers the earlier decides: 0 1, 0 2 are won by candidate 0; 1 2 is wrong twice.
    assert majority_at_k([((1, 2), False), ((0,), True)], 3, 2) == pytest.approx(2 / 3)


@pytest.mark.parametrize("k", [0, 5])
def test_k_out_of_range_is_refused(k: int) -> None:
    for call in (lambda: pass_at_k(4, 1, k), lambda: best_of_k([0.1] * 4, [True] * 4, k)):
        with pytest.raises(ValueError, match=r"k must be an int from 1 to the number of candidates, 4\."):
            call()
