"""Accuracy against what it costs: stopping rules replayed on the stored candidates of a generator, in sampling order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mathquorum.selection.stopping import (
    NO_ANSWER,
    AdaptiveConsistency,
    EarlyStopping,
    FixedBudget,
    Sampled,
    ScorePrior,
    Settled,
    StoppingRule,
    SureChoice,
)
from mathquorum.study.measured import Generator, Rows, StoredPool

__all__ = ["Spent", "choose_confidence", "prior_of", "replay", "rules"]

CONFIDENCES = (0.7, 0.8, 0.9, 0.92, 0.94, 0.96, 0.98)
# Of the full budget's tokens and evaluator calls: what the rule chosen on validation may spend there. A twentieth below a third and a
# quarter, so that it stays below them on other problems. Our choice.
MOST_TOKENS, MOST_CALLS = 0.95 / 3, 0.95 / 4


@dataclass(frozen=True)
class Spent:
    """What a rule chose and spent, over seeds and problems.

    Attributes:
        correct: 1 where its choice is correct.
        tokens: Tokens sampled.
        calls: Distinct texts scored.
        candidates: Candidates sampled.
    """

    correct: Rows
    tokens: Rows
    calls: Rows
    candidates: Rows


def rules(num_candidates: int, prior: ScorePrior) -> list[StoppingRule]:
    """Fixed budgets, the two published rules, and ours at several confidences."""
    fixed = [n for n in (4, 8, 16, 32, 64, 128, 256) if n < num_candidates]
    return [
        *(FixedBudget(n) for n in (*fixed, num_candidates)),
        *(FixedBudget(n, weighted=True) for n in fixed),
        Settled(num_candidates),
        AdaptiveConsistency(),
        EarlyStopping(),
        *(SureChoice(confidence, prior=prior) for confidence in CONFIDENCES),
    ]


def prior_of(validation: Generator | None, evaluator: str) -> ScorePrior:
    """As the evaluator's scores spread on validation problems."""
    seeds = validation.seeds.values() if validation and evaluator in validation.evaluators else ()
    return ScorePrior.fitted(sampled for stored in seeds for sampled in _sampled(stored, evaluator))


def replay(generator: Generator, evaluator: str, rule: StoppingRule) -> Spent:
    """The rule on every problem and seed, with the scores of one evaluator."""
    found = []
    for seed, stored in generator.seeds.items():
        of_seed = []
        for place, sampled in enumerate(_sampled(stored, evaluator)):
            pool = stored.pools[place]
            stopped = rule.choose(sampled, f"{seed}/{pool.problem_id}")
            right = stopped.cluster != NO_ANSWER and bool(pool.clusters[stopped.cluster].correct)
            of_seed.append((right, stopped.num_tokens, stopped.num_calls, stopped.num_candidates))
        found.append(of_seed)
    values = np.array(found, dtype=np.float64)  # (seeds, problems, figures)
    return Spent(values[..., 0], values[..., 1], values[..., 2], values[..., 3])


def choose_confidence(validation: Generator, evaluator: str) -> SureChoice | None:
    """Ours at the highest confidence that spends no more than `MOST_TOKENS` and `MOST_CALLS` of W.RR's full budget on validation
    problems (from whose scores the prior is, too); None where all spend more. What a rule spends is known from few problems,
    what it loses is not."""
    prior = prior_of(validation, evaluator)
    full = replay(validation, evaluator, FixedBudget(validation.num_candidates, weighted=True))
    tokens, calls = MOST_TOKENS * full.tokens.sum(), MOST_CALLS * full.calls.sum()
    for confidence in sorted(CONFIDENCES, reverse=True):
        rule = SureChoice(confidence, prior=prior)
        spent = replay(validation, evaluator, rule)
        if spent.tokens.sum() <= tokens and spent.calls.sum() <= calls:
            return rule
    return None


def _sampled(stored: StoredPool, evaluator: str) -> Sequence[Sampled]:
    made = []
    for pool in stored.scored(evaluator):
        cluster_of = {index: number for number, cluster in enumerate(pool.clusters) for index in cluster.members}
        texts = stored.texts[pool.problem_id]
        numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        size = pool.num_candidates
        made.append(
            Sampled(
                cluster_numbers=[cluster_of.get(index, NO_ANSWER) for index in range(size)],
                scores=[pool.scores.get(index, 0.0) for index in range(size)],
                text_numbers=[numbers[text] for text in texts],
                tokens=stored.tokens[pool.problem_id],
            )
        )
    return made
