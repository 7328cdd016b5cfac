"""The laws of `StoppingRule`, over every rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.stopping.foresight import SureChoice, Worthwhile
from mathquorum.stopping.rules import AdaptiveConsistency, EarlyStopping, FixedBudget, Settled, stopping_rule
from mathquorum.stopping.supply import NO_ANSWER, Sampled, Stopped, StoppingRule


def sampled(clusters: Sequence[int], scores: Sequence[float] | None = None) -> Sampled:
    size = len(clusters)
    return Sampled(clusters, scores or [0.5] * size, list(range(size)), [10] * size)


@dataclass(frozen=True)
class Counted:
    """A supply that notes what it was asked for."""

    held: Sampled
    numbers: list[int] = field(default_factory=list)
    scored: list[int] = field(default_factory=list)

    @property
    def limit(self) -> int:
        return self.held.limit

    def clusters(self, number: int) -> Sequence[int]:
        self.numbers.append(number)
        return self.held.clusters(number)

    def texts(self, number: int) -> Sequence[int]:
        self.numbers.append(number)
        return self.held.texts(number)

    def logprobs(self, number: int) -> Sequence[float | None]:
        self.numbers.append(number)
        return self.held.logprobs(number)

    def num_tokens(self, number: int) -> int:
        return self.held.num_tokens(number)

    def score(self, texts: Sequence[int]) -> Sequence[float]:
        self.scored.extend(texts)
        return self.held.score(texts)


RULES: list[StoppingRule] = [
    FixedBudget(64),
    FixedBudget(64, weighted=True),
    AdaptiveConsistency(),
    EarlyStopping(),
    FixedBudget(64, weighted=True, likelihood_weight=0.2),
    SureChoice(),
    Worthwhile(),
    Settled(),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestEveryRule:
    def test_without_a_single_answer_nothing_is_chosen_and_all_is_spent(self, rule: StoppingRule) -> None:
        stopped = rule.choose(sampled([NO_ANSWER] * 20), "p")
        assert (stopped.cluster, stopped.num_candidates, stopped.num_tokens) == (NO_ANSWER, 20, 200)
        assert stopped.num_calls == 0

    def test_without_a_single_candidate_nothing_is_chosen(self, rule: StoppingRule) -> None:
        assert rule.choose(sampled([]), "p") == Stopped(NO_ANSWER, 0, 0, 0)

    def test_where_all_agree_that_is_the_choice(self, rule: StoppingRule) -> None:
        assert rule.choose(sampled([0] * 64), "p").cluster == 0

    def test_equal_arguments_give_equal_results(self, rule: StoppingRule) -> None:
        one = sampled([0, 1, 2, 0, 1, 1, 0, 3] * 8, [0.9, 0.2, 0.1, 0.8, 0.6, 0.5, 0.7, 0.1] * 8)
        assert rule.choose(one, "p") == rule.choose(one, "p")

    def test_what_comes_after_it_stopped_changes_nothing(self, rule: StoppingRule) -> None:
        """A rule sees only what it would have seen."""
        one = sampled([0, 0, 1, 0, 0, 0, 0, 0, 0, 0] + [1] * 54)
        stopped = rule.choose(one, "p")
        later = [5] * (64 - stopped.num_candidates)
        other = replace(one, cluster_numbers=[*one.cluster_numbers[: stopped.num_candidates], *later])
        assert rule.choose(other, "p") == stopped

    @given(
        clusters=st.lists(st.sampled_from([NO_ANSWER, 0, 0, 0, 1, 1, 2]), max_size=24),
        rng=st.randoms(use_true_random=False),
    )
    @settings(max_examples=15, deadline=None)
    def test_it_tells_what_it_took_and_takes_what_it_needs(
        self, rule: StoppingRule, clusters: list[int], rng: Random
    ) -> None:
        """Candidates, tokens and evaluator calls are those that it asked its supply for; each text is scored once at most, and one
        without an answer never; what is chosen was seen."""
        texts = [cluster * 4 + rng.randrange(4) for cluster in clusters]
        score_of = {text: rng.random() for text in texts}
        held = Sampled(clusters, [score_of[t] for t in texts], texts, [rng.randrange(1, 9) for _ in clusters])
        supply = Counted(held)
        stopped = rule.choose(supply, "p")
        assert max(supply.numbers, default=0) == stopped.num_candidates <= held.limit
        assert stopped.num_tokens == sum(held.tokens[: stopped.num_candidates])
        assert len(supply.scored) == len(set(supply.scored)) == stopped.num_calls
        assert set(supply.scored) <= {t for t, c in zip(texts, clusters, strict=True) if c != NO_ANSWER}
        assert rule.needs_scores or not supply.scored
        answered = set(clusters[: stopped.num_candidates]) - {NO_ANSWER}
        assert stopped.cluster in answered or (stopped.cluster == NO_ANSWER and not answered)

    def test_one_candidate_alone_is_the_choice(self, rule: StoppingRule) -> None:
        assert rule.choose(sampled([0]), "p").cluster == 0


def test_every_rule_that_has_a_name_for_the_command_line_is_a_member() -> None:
    named = {type(stopping_rule(name)) for name in ("adaptive", "early", "settled", "sure", "worthwhile")}
    assert named <= {type(rule) for rule in RULES}


def test_rules_are_known_by_their_names() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
