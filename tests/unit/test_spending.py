"""The stopping rule that is chosen on validation problems."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from mathquorum.metrics import Pool
from mathquorum.metrics.pool_files import StoredPool
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.stopping.outlook import Outlook
from mathquorum.stopping.rules import FixedBudget
from mathquorum.study import spending
from mathquorum.study.measured import Generator
from mathquorum.study.spending import LEAST_GAINS, choose_rule, outlook_of, replay, rules


@pytest.fixture(scope="module")
def validation() -> Generator:
    """Twelve problems of which some are clear and some are not, 32 candidates each."""
    rng = random.Random(0)
    pools, tokens, texts, logprobs, scores = [], {}, {}, {}, {}
    for number in range(12):
        name, share = f"p{number}", 0.4 + number / 20
        answers = ["right" if rng.random() < share else rng.choice("abc") for _ in range(32)]
        members = {a: tuple(i for i, other in enumerate(answers) if other == a) for a in answers}
        clusters = [AnswerCluster(name, a, found, a == "right") for a, found in members.items()]
        clusters.sort(key=lambda cluster: largest_first(cluster.members))
        pools.append(Pool(name, 32, clusters))
        written = [f"{a} {rng.randrange(9)}" for a in answers]
        tokens[name], texts[name] = [5] * 32, [written.index(text) for text in written]
        by_text = {text: rng.uniform(0.3, 0.9) if "right" in text else rng.uniform(0.1, 0.6) for text in written}
        logprobs[name] = [-4.0 + len(text) / 9 for text in written]
        scores[name] = {index: by_text[text] for index, text in enumerate(written)}
    return Generator("g", {0: StoredPool(pools, {}, tokens, texts, logprobs, {"e": scores})})


def test_it_is_the_most_careful_that_costs_little_enough(validation: Generator) -> None:
    full = replay(validation, "e", FixedBudget(32, weighted=True))
    chosen = choose_rule(validation, "e")
    assert chosen and chosen.outlook == outlook_of(validation, "e")
    for least_gain in LEAST_GAINS:
        spent = replay(validation, "e", replace(chosen, least_gain=least_gain))
        cheap = spent.tokens.sum() <= full.tokens.sum() * 0.95 / 3 and spent.calls.sum() <= full.calls.sum() * 0.95 / 4
        assert cheap == (least_gain >= chosen.least_gain)


def test_there_is_none_where_all_cost_too_much(validation: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "MOST_CALLS", 0.01)
    assert choose_rule(validation, "e") is None


def test_the_outlook_is_measured_where_the_evaluator_scored_and_is_the_default_elsewhere(validation: Generator) -> None:
    found = outlook_of(validation, "e")
    assert found.scores != Outlook().scores and found.rate_exponent != Outlook().rate_exponent
    assert found.chance.of(np.array([0.3, 0.1]))[0] > 0.9  # what is right has most weight in these pools
    assert outlook_of(None, "e") == outlook_of(validation, "another") == Outlook()


def test_the_rules_have_names_of_their_own_and_the_likelihood_only_where_it_weighs() -> None:
    for weight in (0.0, 0.2):
        names = [rule.name for rule in rules(64, Outlook(likelihood_weight=weight))]
        assert len(set(names)) == len(names)
        assert ("w.rr with likelihood, first 64" in names) == (weight > 0)
