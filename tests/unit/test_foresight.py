"""Rules that simulate the end of sampling and scoring, on pools made by hand and drawn from a known world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mathquorum.errors import SettingsError
from mathquorum.stopping.foresight import LooksAhead, SureChoice, Worthwhile, choose_each
from mathquorum.stopping.outlook import Chance, Outlook, ScorePrior
from mathquorum.stopping.rules import FixedBudget
from mathquorum.stopping.supply import NO_ANSWER, Sampled


def sampled(clusters: list[int], scores: list[float] | None = None, texts: list[int] | None = None) -> Sampled:
    size = len(clusters)
    return Sampled(clusters, scores or [0.5] * size, texts or list(range(size)), [10] * size)


def test_candidates_and_calls_are_saved_where_all_agree() -> None:
    for rule in (SureChoice(0.9), Worthwhile(0.01)):
        stopped = rule.choose(sampled([0] * 64), "p")
        assert stopped.num_candidates <= 8 and stopped.num_calls <= 2


@pytest.mark.parametrize("rule", [SureChoice(0.95), Worthwhile(0.01)], ids=lambda rule: rule.name)
def test_the_evaluator_is_asked_where_votes_are_close_and_is_followed(rule: SureChoice | Worthwhile) -> None:
    """The second cluster has almost as many votes and far better scores."""
    clusters = [0, 1] * 16 + [0, 0]
    scores = [0.05 if cluster == 0 else 0.95 for cluster in clusters]
    stopped = rule.choose(sampled(clusters, scores), "p")
    assert stopped.cluster == 1 and 0 < stopped.num_calls < 34


def test_equal_texts_are_asked_about_once() -> None:
    clusters = [0, 1] * 8
    stopped = SureChoice(0.999).choose(sampled(clusters, [0.5] * 16, clusters), "p")
    assert stopped.num_calls <= 2


def test_a_rule_that_is_never_content_is_w_rr() -> None:
    """With everything sampled, and of the scores, if need be, those of all clusters."""
    rules = (SureChoice(1 - 1e-12, window=8), Worthwhile(1e-12, window=8))
    one = sampled([0, 1, 2, 1, 0, 2, 2, 1], [0.9, 0.3, 0.5, 0.4, 0.8, 0.5, 0.5, 0.3])
    third = sampled([0, 0, 0, 1, 1, 1, 2, 2], [0.5] * 3 + [0.45] * 3 + [1.0, 1.0])
    for rule in rules:
        assert rule.choose(one, "p").cluster == FixedBudget(8, weighted=True).choose(one, "p").cluster == 0
        assert rule.choose(third, "p").cluster == FixedBudget(8, weighted=True).choose(third, "p").cluster == 2


class Watched(Sampled):
    """Counts how often candidates are looked at."""

    looks = 0

    def texts(self, number: int) -> Sequence[int]:
        object.__setattr__(self, "looks", self.looks + 1)
        return super().texts(number)


def test_rules_choose_together_as_each_alone_and_no_window_is_drawn_twice() -> None:
    """Texts of three clusters with scores that overlap, so that the rules stop at different places."""
    rng = np.random.default_rng(3)
    rules: list[LooksAhead] = [
        *(Worthwhile(gain) for gain in (0.05, 0.002, 0.01)),
        *(SureChoice(confidence) for confidence in (0.8, 0.99)),
        SureChoice(0.9, window=8),
    ]
    places = set()
    for number in range(8):
        texts = rng.integers(0, 12, 32).tolist()
        given = [0.3 + 0.5 * ((text * 7 + number) % 12) / 12 for text in texts]
        pool = Watched([text % 3 for text in texts], given, texts, [10] * 32)
        together = choose_each(rules, pool, f"p{number}")
        assert pool.looks <= 32 // 4 + 32 // 8
        assert together == [rule.choose(pool, f"p{number}") for rule in rules]
        places |= {(stopped.num_candidates, stopped.num_calls) for stopped in together}
    assert len(places) > 8
    assert choose_each(rules, Watched([], [], [], []), "p") == [rule.choose(sampled([]), "p") for rule in rules]


def test_where_no_score_tells_anything_the_vote_decides() -> None:
    """As where every text is too long for the evaluator."""
    none = sampled([0, 1, 1, 1] * 8, [0.0] * 32)
    assert FixedBudget(32, weighted=True).choose(none, "p").cluster == 1
    assert SureChoice(0.9).choose(none, "p").cluster == Worthwhile(0.01).choose(none, "p").cluster == 1


def test_what_would_be_a_guess_in_any_case_is_not_worth_as_much() -> None:
    """Two answers share the votes. Where neither is likely to be right, a change of the leader would gain little."""
    guess, close = sampled([0, 1] * 32, [0.02, 0.01] * 32), sampled([0, 1] * 32, [0.8, 0.75] * 32)
    stopped = Worthwhile(0.01).choose(guess, "p")
    assert stopped.num_candidates < Worthwhile(0.01).choose(close, "p").num_candidates
    assert stopped.num_candidates < SureChoice(0.95).choose(guess, "p").num_candidates


def test_where_the_likelihoods_leave_no_room_for_new_texts_a_rule_stops_sooner() -> None:
    clusters, texts = [0, 0, 0, 1, 1] * 12, [0, 0, 0, 1, 1] * 12
    scores = [0.6 if cluster == 0 else 0.5 for cluster in clusters]
    blind = sampled(clusters, scores, texts)
    exponent = Outlook().rate_exponent
    rates = [0.59 if cluster == 0 else 0.39 for cluster in clusters]
    known = replace(blind, candidate_logprobs=[float(np.log(rate)) / exponent for rate in rates])
    rare = replace(blind, candidate_logprobs=[-20.0] * 60)
    spent = [SureChoice(0.98).choose(one, "p").num_candidates for one in (known, blind, rare)]
    assert spent[0] < spent[1] < spent[2]


def test_one_candidate_without_a_likelihood_leaves_them_all_out() -> None:
    blind = sampled([0, 1, 0, 2] * 16)
    known = replace(blind, candidate_logprobs=[-1.0, -2.0, None, -3.0] * 16)
    rule = Worthwhile(0.01, outlook=Outlook(likelihood_weight=0.5))
    assert rule.choose(known, "p") == rule.choose(blind, "p")


def test_the_likelihood_weighs_in_the_choice() -> None:
    clusters = [0, 0, 1] * 8
    one = replace(sampled(clusters), candidate_logprobs=[-20.0 if c == 0 else -15.0 for c in clusters])
    assert SureChoice(0.9).choose(one, "p").cluster == 0
    assert SureChoice(0.9, outlook=Outlook(likelihood_weight=0.4)).choose(one, "p").cluster == 1


def test_the_likelihood_weighs_in_the_ends_as_it_does_in_the_choice() -> None:
    """The unlikely cluster has more votes, which in the end will weigh as little as they do now."""
    clusters = [0, 1, 1] * 20
    one = replace(sampled(clusters), candidate_logprobs=[-20.0 if c == 0 else -60.0 for c in clusters])
    stopped = SureChoice(0.9, outlook=Outlook(likelihood_weight=0.5)).choose(one, "p")
    assert stopped.cluster == 0 and stopped.num_candidates <= 32
    assert SureChoice(0.9).choose(one, "p").cluster == 1


def test_a_text_that_always_comes_is_believed_whatever_its_likelihood_says() -> None:
    """As from a sampler much colder than the one that the rate exponent was measured with."""
    one = replace(sampled([0] * 64, texts=[7] * 64), candidate_logprobs=[-8.0] * 64)
    assert SureChoice(0.9).choose(one, "p").num_candidates <= 16


def test_texts_of_one_level_may_have_scores_of_their_own() -> None:
    prior = ScorePrior(mean=0.5, of_problems=0.01, of_clusters=0.01, of_texts=0.4)
    one = sampled([1, 0, 0, 0, 0] * 12, texts=[1, 0, 0, 0, 0] * 12)
    alike = ScorePrior(mean=0.5, of_problems=1e-6, of_clusters=1e-6, of_texts=1e-6)
    assert SureChoice(0.95, window=10, outlook=Outlook(scores=prior)).choose(one, "p").num_calls > 0
    assert SureChoice(0.95, window=10, outlook=Outlook(scores=alike)).choose(one, "p").num_calls == 0


def test_candidates_without_an_answer_are_sampled_past_and_never_scored() -> None:
    clusters = [NO_ANSWER] * 12 + [4, 4, NO_ANSWER, 7] * 12
    stopped = SureChoice(0.9).choose(sampled(clusters, [0.9] * 60), "p")
    assert stopped.cluster == 4 and 12 < stopped.num_candidates < 60


def test_candidates_without_an_answer_are_no_sign_of_answers_to_come() -> None:
    """Half of them never end in one, each in its own way, as texts that were cut off do."""
    clear = sampled([0] * 64, texts=[0] * 64)
    half = sampled([0, NO_ANSWER] * 32, texts=[number * (number % 2) for number in range(64)])
    rule = SureChoice(0.9)
    assert rule.choose(half, "p").num_candidates <= 2 * rule.choose(clear, "p").num_candidates + rule.window


def test_a_likelihood_that_is_no_number_is_not_known() -> None:
    blind = sampled([0, 1, 0, 2] * 16)
    rule = Worthwhile(0.01, outlook=Outlook(likelihood_weight=0.5))
    for wrong in (float("nan"), float("-inf")):
        known = replace(blind, candidate_logprobs=[-1.0, -2.0, wrong, -3.0] * 16)
        assert rule.choose(known, "p") == rule.choose(blind, "p")


def test_a_score_that_is_no_number_does_not_keep_a_rule_from_ending() -> None:
    stopped = SureChoice(0.9).choose(sampled([0, 1] * 8, [float("nan")] * 16), "p")
    assert stopped.num_candidates <= 16


def test_what_is_likely_wrong_in_any_case_is_worth_less() -> None:
    """The same pool, with more and more chance that nothing is right."""
    close = sampled([0, 1] * 32, [0.3, 0.25] * 32)
    spent = [
        Worthwhile(0.01, outlook=Outlook(chance=Chance(none_right=u))).choose(close, "p").num_candidates
        for u in (0.01, 5.0)
    ]
    assert spent[0] > spent[1] == 4


def test_the_text_asked_about_first_is_the_commonest_of_the_leaders() -> None:
    asked: list[int] = []

    class Noted(Sampled):
        def score(self, texts: Sequence[int]) -> Sequence[float]:
            asked.extend(texts)
            return super().score(texts)

    clusters = [0, 0, 0, 1, 1, 1, 2]
    SureChoice(0.999, window=7).choose(Noted(clusters, [0.5] * 7, [5, 6, 6, 7, 7, 8, 9], [1] * 7), "p")
    assert set(asked[:2]) == {6, 7} and set(asked[2:4]) == {5, 8}  # in turn, and the smallest cluster after them


def _drawn(rng: np.random.Generator) -> Sampled:
    """A problem of the world that the default outlook describes: answers with a few texts each, levels of score, likelihoods."""
    prior, size = Outlook().scores, 64
    shares = rng.dirichlet(rng.choice([0.3, 1.0, 3.0], size=8))
    level = rng.normal(prior.mean, prior.of_problems)
    levels = rng.normal(level, prior.of_clusters, size=8)
    rates = np.concatenate([share * rng.dirichlet(np.ones(6)) for share in shares])
    scores = rng.normal(np.repeat(levels, 6), prior.of_texts).clip(0, 1)
    texts = rng.choice(48, size=size, p=rates)
    likelihoods = np.log(rates.clip(1e-9)) / Outlook().rate_exponent
    return Sampled(
        (texts // 6).tolist(), scores[texts].tolist(), texts.tolist(), [1] * size, likelihoods[texts].tolist()
    )


@pytest.mark.parametrize("with_likelihoods", [True, False])
def test_a_sure_choice_is_about_as_sure_as_it_says(with_likelihoods: bool) -> None:
    """In its own world, what all candidates and scores would choose differs in 12% of the problems, as its docstring says (at the first
    look that is sure enough): 400 problems, of which 48 may differ, and 19 more for chance (three standard deviations)."""
    rng = np.random.default_rng(0)
    pools = [_drawn(rng) for _ in range(400)]
    if not with_likelihoods:
        pools = [replace(pool, candidate_logprobs=None) for pool in pools]
    whole = [FixedBudget(64, weighted=True).choose(pool, "p") for pool in pools]
    early = [SureChoice(0.9).choose(pool, str(number)) for number, pool in enumerate(pools)]
    assert sum(a.cluster != b.cluster for a, b in zip(whole, early, strict=True)) <= 67
    assert sum(stopped.num_candidates for stopped in early) < 0.6 * 64 * len(pools)
    assert sum(stopped.num_calls for stopped in early) < 0.6 * sum(stopped.num_calls for stopped in whole)


def test_worthwhile_loses_what_it_says() -> None:
    """In a world where a cluster is right as often as `Chance` says of its weight at the end, by exact expectation."""
    rng = np.random.default_rng(1)
    rule, chance = Worthwhile(0.02), Chance()
    lost, spent = [], []
    for number in range(300):
        pool = _drawn(rng)
        stopped = rule.choose(pool, str(number))
        weights = np.bincount(pool.cluster_numbers, pool.scores, 8) / 64
        chances = chance.of(weights)
        lost.append(chances.max() - chances[stopped.cluster])
        spent.append(stopped.num_candidates)
    assert np.mean(lost) == pytest.approx(0.02, rel=0.4)
    assert np.mean(spent) < 0.6 * 64


@pytest.mark.parametrize("wrong", [0, 1, 1.5])
def test_settings_outside_their_range_are_errors_in_words(wrong: float) -> None:
    with pytest.raises(SettingsError, match=rf"confidence must be between 0 and 1\. Got {wrong}"):
        SureChoice(wrong)
    with pytest.raises(SettingsError, match=rf"least_gain must be between 0 and 1\. Got {wrong}"):
        Worthwhile(wrong)
    with pytest.raises(SettingsError, match="window"):
        Worthwhile(window=0)
