"""The confidence that is chosen on validation problems."""

from __future__ import annotations

import random

import pytest

from mathquorum.metrics import Pool
from mathquorum.records import AnswerCluster
from mathquorum.selection.stopping import FixedBudget
from mathquorum.study import spending
from mathquorum.study.measured import Generator, StoredPool
from mathquorum.study.spending import CONFIDENCES, choose_confidence, replay


@pytest.fixture(scope="module")
def validation() -> Generator:
    """Twelve problems of which some are clear and some are not, 32 candidates each."""
    rng = random.Random(0)
    pools, tokens, texts, scores = [], {}, {}, {}
    for number in range(12):
        name, share = f"p{number}", 0.4 + number / 20
        answers = ["right" if rng.random() < share else rng.choice("abc") for _ in range(32)]
        members = {a: tuple(i for i, other in enumerate(answers) if other == a) for a in answers}
        clusters = [AnswerCluster(name, a, found, a == "right") for a, found in members.items()]
        clusters.sort(key=lambda cluster: (-len(cluster.members), cluster.members[0]))
        pools.append(Pool(name, 32, clusters))
        tokens[name], texts[name] = [5] * 32, [f"{a} {rng.randrange(9)}" for a in answers]
        by_text = {text: rng.uniform(0.3, 0.9) if "right" in text else rng.uniform(0.1, 0.6) for text in texts[name]}
        scores[name] = {index: by_text[text] for index, text in enumerate(texts[name])}
    return Generator("g", {0: StoredPool(pools, {}, tokens, texts, {"e": scores})})


def test_it_is_the_highest_that_costs_little_enough(validation: Generator) -> None:
    full = replay(validation, "e", FixedBudget(32, weighted=True))
    chosen = choose_confidence(validation, "e")
    assert chosen
    for confidence in CONFIDENCES:
        rule = type(chosen)(confidence, prior=chosen.prior)
        spent = replay(validation, "e", rule)
        cheap = spent.tokens.sum() <= full.tokens.sum() * 0.95 / 3 and spent.calls.sum() <= full.calls.sum() * 0.95 / 4
        assert cheap == (confidence <= chosen.confidence)
    assert CONFIDENCES[0] < chosen.confidence < CONFIDENCES[-1]


def test_there_is_none_where_all_cost_too_much(validation: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "MOST_CALLS", 0.01)
    assert choose_confidence(validation, "e") is None
