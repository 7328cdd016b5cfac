"""What foresight starts from, measured on pools whose world is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from pydantic import ValidationError

from mathquorum.errors import DataError, SettingsError
from mathquorum.stopping.outlook import Chance, Outlook, ScorePrior, read_outlook
from mathquorum.stopping.supply import NO_ANSWER, Sampled


def sampled(clusters: list[int], scores: list[float] | None = None, texts: list[int] | None = None) -> Sampled:
    size = len(clusters)
    return Sampled(clusters, scores or [0.5] * size, texts or list(range(size)), [10] * size)


def test_the_prior_of_scores_is_measured_from_scored_pools() -> None:
    rng = Random(0)
    pools = []
    for _ in range(400):
        level = rng.gauss(0.5, 0.1)
        means = [rng.gauss(level, 0.05) for _ in range(4)]
        clusters = [place % 4 for place in range(40)]
        pools.append(sampled(clusters, [rng.gauss(means[c], 0.02) for c in clusters], list(range(40))))
    found = ScorePrior.fitted(pools)
    assert found.mean == pytest.approx(0.5, abs=0.02)
    assert (found.of_problems, found.of_clusters, found.of_texts) == pytest.approx((0.103, 0.05, 0.02), rel=0.1)
    assert ScorePrior.fitted([]) == ScorePrior()
    once = sampled([0, 0, 0, 1], [0.9, 0.9, 0.3, 0.2], [5, 5, 6, 7])  # the text that came twice counts once
    assert ScorePrior.fitted([once]).mean == pytest.approx((0.6 + 0.2) / 2)
    assert ScorePrior.fitted([sampled([0, NO_ANSWER], [0.7, 0.1])]).mean == 0.7


def test_scores_of_a_problem_tell_of_its_other_clusters_and_leave_little_doubt_of_their_own() -> None:
    prior = ScorePrior(mean=0.4, of_problems=0.2, of_clusters=0.2, of_texts=0.1)
    level, means, spreads = prior.after(np.zeros(2), np.zeros(2))
    assert (level, *means) == pytest.approx((0.4, 0.4, 0.4)) and spreads == pytest.approx([0.2, 0.2])
    level, means, spreads = prior.after(np.array([4.0, 0.0]), np.array([3.6, 0.0]))
    weight = 1 / (
        0.2**2 + 0.1**2 / 4
    )  # of a mean of four texts, which is that of its cluster, as a sign of the problem's level
    assert level == pytest.approx((0.4 / 0.2**2 + 0.9 * weight) / (1 / 0.2**2 + weight))
    assert 0.4 < level < 0.9 and means[1] == pytest.approx(level)
    assert 0.8 < means[0] < 0.9 and spreads[0] < 0.05 < spreads[1]


@pytest.mark.parametrize("exponent", [0.7, 1.0, 1.3])
def test_the_rate_exponent_is_measured_from_how_often_texts_come(exponent: float) -> None:
    rng = np.random.default_rng(0)
    pools = []
    for _ in range(150):
        rates = rng.dirichlet(np.full(40, 0.5)).clip(1e-12)
        texts = rng.choice(40, size=64, p=rates / rates.sum())
        likelihoods = (np.log(rates) / exponent)[texts].tolist()
        pools.append(replace(sampled([0] * 64, texts=texts.tolist()), candidate_logprobs=likelihoods))
    assert Outlook.fitted(pools).rate_exponent == pytest.approx(exponent, abs=0.051)
    assert (
        Outlook.fitted([replace(pool, candidate_logprobs=None) for pool in pools]).rate_exponent
        == Outlook().rate_exponent
    )


def _world(weight: float, number: int = 400) -> tuple[list[Sampled], list[set[int]]]:
    """Four answers of scores that tell nothing, one of them right as its votes and, by `weight`, its likelihood tell."""
    rng = np.random.default_rng(3)
    pools, right = [], []
    for _ in range(number):
        shares, likelihoods = rng.dirichlet(np.ones(4)), rng.normal(-10, 4, size=4)
        clusters = rng.choice(4, size=32, p=shares)
        weights = np.bincount(clusters, minlength=4) / 32 * np.exp(weight * (likelihoods - likelihoods[clusters].max()))
        chances = Chance(sharpness=2.0, none_right=0.1).of(0.5 * weights)
        right.append({int(rng.choice(5, p=np.append(chances, 1 - chances.sum())))} - {4})
        pools.append(
            Sampled(clusters.tolist(), [0.5] * 32, clusters.tolist(), [1] * 32, likelihoods[clusters].tolist())
        )
    return pools, right


def test_the_likelihood_weighs_as_much_as_it_tells_of_what_is_right() -> None:
    assert Outlook.fitted(*_world(0.0)).likelihood_weight <= 0.05
    assert Outlook.fitted(*_world(0.2)).likelihood_weight in (0.15, 0.2, 0.3)


def test_likelihoods_count_against_the_likeliest_of_their_problem() -> None:
    pools, right = _world(0.2)
    far = [
        replace(pool, candidate_logprobs=[value - 200 for value in pool.logprobs(32) if value is not None])
        for pool in pools
    ]
    found, moved = Outlook.fitted(pools, right), Outlook.fitted(far, right)
    assert (moved.chance, moved.likelihood_weight) == (found.chance, found.likelihood_weight)


def test_the_weight_is_judged_after_a_quarter_and_the_chances_after_all() -> None:
    """In the first quarter what is right is likelier; later its texts are rare, but most votes are for it."""
    clusters = [0, 1] * 4 + [0] * 20 + [1] * 4
    logprobs = [-5.0, -9.0] * 4 + [-30.0] * 20 + [-5.0] * 4
    pool = replace(sampled(clusters), candidate_logprobs=logprobs)
    assert Outlook.fitted([pool] * 5, [{0}] * 5).likelihood_weight > 0
    late = sampled([1] * 8 + [0] * 24)  # what is right comes after the first quarter
    assert Outlook.fitted([late] * 5, [{0}] * 5).chance.none_right == 0.005


def test_without_likelihoods_there_is_no_weight_in_them_and_chances_are_fitted_all_the_same() -> None:
    pools, right = _world(0.0)
    found = Outlook.fitted([replace(pool, candidate_logprobs=None) for pool in pools], right)
    assert found.likelihood_weight == 0
    assert found.chance.sharpness in (1.5, 2.0, 3.0) and 0.06 <= found.chance.none_right <= 0.12


def test_without_labels_chances_stay_as_they_are_by_default() -> None:
    pools, _ = _world(0.2)
    found = Outlook.fitted(pools)
    assert (found.chance, found.likelihood_weight) == (Chance(), 0.0)
    assert found.scores != ScorePrior()
    assert Outlook.fitted([]) == Outlook()


def test_pools_without_an_answer_tell_nothing() -> None:
    silent = sampled([NO_ANSWER] * 4)
    assert Outlook.fitted([silent], [set()]) == Outlook()
    pools, right = _world(0.0, 50)
    half = [replace(pool, cluster_numbers=[*pool.cluster_numbers[:16], *[NO_ANSWER] * 16]) for pool in pools]
    assert Outlook.fitted([*half, silent], [*right, set()]).chance == Outlook.fitted(half, right).chance


def test_chances_grow_with_weight_and_leave_some_for_none() -> None:
    chances = Chance(sharpness=1.0, none_right=0.1).of(np.array([[0.5, 0.3, 0.1], [0.0, 0.0, 0.0]]))
    assert chances == pytest.approx(np.array([[0.5, 0.3, 0.1], [0.0, 0.0, 0.0]]))
    sharper = Chance(sharpness=3.0, none_right=0.1).of(np.array([0.5, 0.3, 0.1]))
    assert sharper[0] > 0.8 and sharper.sum() < 1


def test_an_outlook_comes_back_from_its_file(tmp_path: Path) -> None:
    held = Outlook(likelihood_weight=0.15, chance=Chance(sharpness=2.0))
    path = tmp_path / "outlook.json"
    path.write_text(json.dumps(held.model_dump()))
    assert read_outlook(path) == held


def test_what_is_no_outlook_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "outlook.json"
    path.write_text("[]")
    with pytest.raises(DataError, match=r"holds a list, not an outlook"):
        read_outlook(path)
    path.write_text('{"likelyhood_weight": 1}')
    with pytest.raises(SettingsError, match=r"outlook\.json is no outlook: .*likelihood_weight"):
        read_outlook(path)
    path.write_text('{"scores": {"mean": 7}}')
    with pytest.raises(SettingsError, match="mean"):
        read_outlook(path)


@pytest.mark.parametrize("wrong", [{"mean": 1.5}, {"of_texts": 0.0}])
def test_a_prior_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ScorePrior(**wrong)
