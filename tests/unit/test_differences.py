"""Paired differences against the paper's arithmetic (PAPER.md section 5, "Statistical weight") and by hand."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mathquorum.metrics.differences import holm, paired_difference, seeded_difference, seeded_p_value, sign_test


def outcomes(wins: int, losses: int, count: int) -> tuple[list[float], list[float]]:
    same = count - wins - losses
    return [1.0] * wins + [0.0] * losses + [1.0] * same, [0.0] * wins + [1.0] * losses + [1.0] * same


def test_sign_test_by_hand() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(1, 1) == 1.0
    assert sign_test(6, 0) == pytest.approx(2 / 64)
    assert sign_test(0, 6) == sign_test(6, 0)


@pytest.mark.parametrize(("net", "changed"), [(10, 20), (18, 74), (28, 190)])
def test_the_papers_gains_are_significant_only_if_few_problems_changed(net: int, changed: int) -> None:
    def p_value(total: int) -> float:
        return sign_test((total + net) // 2, (total - net) // 2)

    assert p_value(changed) < 0.05
    assert p_value(changed + 2) >= 0.05


def test_a_gain_with_no_loss_has_an_interval_above_zero() -> None:
    difference = paired_difference("w.rr - maj1", *outcomes(16, 0, 500))
    assert difference.estimate.value == pytest.approx(0.032)
    assert 0 < difference.estimate.low < 0.032 < difference.estimate.high < 0.06
    assert (difference.num_wins, difference.num_losses) == (16, 0)


def test_no_change_is_no_certainty() -> None:
    difference = paired_difference("d", *outcomes(0, 0, 10))
    assert difference.estimate.value == 0.0
    assert difference.estimate.low < -0.1
    assert difference.estimate.high > 0.1
    assert difference.p_value == 1.0


def test_fractions_are_bootstrapped_by_problem() -> None:
    random = np.random.default_rng(0)
    hard = random.random(300)
    first, second = np.clip(hard + 0.03, 0, 1), hard
    difference = paired_difference("pass@1", first.tolist(), second.tolist())
    assert 0 < difference.estimate.low < difference.estimate.value < difference.estimate.high
    assert difference.estimate.high - difference.estimate.low < 0.01  # what is common to both cancels
    again = paired_difference("pass@1", first.tolist(), second.tolist())
    assert again == difference


def test_turning_a_difference_round_turns_its_interval_round() -> None:
    first, second = outcomes(9, 4, 60)
    one, other = paired_difference("d", first, second), paired_difference("d", second, first)
    assert one.estimate.low == pytest.approx(-other.estimate.high)
    assert one.p_value == pytest.approx(other.p_value)


def test_seeds_that_disagree_widen_the_interval() -> None:
    random = np.random.default_rng(5)
    base = (random.random((3, 200)) < 0.5).astype(float)
    agree = np.clip(base + (random.random((3, 200)) < 0.1), 0, 1)
    shifts = np.array([[0.3], [0.0], [0.02]])
    disagree = np.clip(base + (random.random((3, 200)) < shifts), 0, 1)
    narrow, wide = seeded_difference("d", agree, base), seeded_difference("d", disagree, base)
    assert narrow.estimate.low > 0
    assert wide.estimate.low < 0
    assert narrow.estimate.count == 200


def test_one_seed_is_the_difference_by_problem() -> None:
    first, second = [[1.0, 0.0, 1.0, 0.5]], [[0.0, 0.0, 1.0, 0.25]]
    assert seeded_difference("d", first, second).estimate.value == pytest.approx(0.3125)


def test_different_problems_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="same problems"):
        paired_difference("d", [1.0], [1.0, 0.0])


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_never_makes_a_claim_surer_and_keeps_their_order() -> None:
    found = np.random.default_rng(4).random(30) ** 3
    adjusted = holm(found.tolist())
    assert all(a >= p for a, p in zip(adjusted, found, strict=True))
    assert np.array_equal(np.argsort(found), np.argsort(np.array(adjusted) + 1e-12 * found))


def test_p_value_and_interval_tell_one_story() -> None:
    random = np.random.default_rng(7)
    seen = set()
    for count in (5, 12, 40, 200):
        for shift in (0.0, 0.1, 0.2, 0.35):
            ones = random.random((2, count)) < np.array([[0.4 + shift], [0.4]])
            shares = np.clip(random.random((2, count)) * 0.6 + np.array([[shift], [0.0]]), 0, 1)
            for first, second in (ones.astype(float), shares):
                found = paired_difference("d", first.tolist(), second.tolist())
                excluded = found.estimate.low > 0 or found.estimate.high < 0
                assert (found.p_value < 0.05) == excluded
                seen.add(excluded)
    assert seen == {True, False}


def test_the_p_value_of_outcomes_is_that_of_bonett_and_price() -> None:
    wins, losses = 17 / 102, 6 / 102
    z = (wins - losses) / np.sqrt((wins + losses - (wins - losses) ** 2) / 102)
    expected = 2 * (1 - NormalDist().cdf(z))
    assert paired_difference("d", *outcomes(16, 5, 100)).p_value == pytest.approx(expected, rel=1e-3)


def test_a_difference_that_is_the_same_everywhere_is_as_sure_as_its_interval() -> None:
    for count, sure in ((8, False), (20, True)):
        first, second = np.full((2, count), 0.75), np.full((2, count), 0.5)
        found = seeded_difference("d", first, second)
        assert (found.estimate.low > 0) == sure
        assert (found.p_value < 0.05) == sure
        assert seeded_p_value(first, second) == found.p_value
    assert seeded_p_value(np.full((2, 8), 0.5), np.full((2, 8), 0.5)) == 1.0
