"""Accuracy against what it costs: stopping rules replayed on the stored candidates of a generator, in sampling order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mathquorum.metrics.pool_files import StoredPool
from mathquorum.selection.foresight import SureChoice, Worthwhile
from mathquorum.selection.outlook import Outlook
from mathquorum.selection.stopping import AdaptiveConsistency, EarlyStopping, FixedBudget, Settled
from mathquorum.selection.supply import NO_ANSWER, Sampled, StoppingRule
from mathquorum.study.measured import Generator, Rows

__all__ = ["Spent", "choose_rule", "outlook_of", "replay", "rules"]

CONFIDENCES = (0.8, 0.9, 0.95)
LEAST_GAINS = (0.05, 0.02, 0.015, 0.01, 0.0075, 0.005)
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


def rules(num_candidates: int, outlook: Outlook) -> list[StoppingRule]:
    """Fixed budgets, the two published rules, and ours at several degrees of care."""
    fixed = [n for n in (4, 8, 16, 32, 64, 128, 256) if n < num_candidates]
    weight = outlook.likelihood_weight
    return [
        *(FixedBudget(n) for n in (*fixed, num_candidates)),
        *(FixedBudget(n, weighted=True) for n in fixed),
        *((FixedBudget(n, True, weight) for n in (*fixed, num_candidates)) if weight else ()),
        Settled(num_candidates),
        AdaptiveConsistency(),
        EarlyStopping(),
        *(SureChoice(confidence, outlook=outlook) for confidence in CONFIDENCES),
        *(Worthwhile(least_gain, outlook=outlook) for least_gain in LEAST_GAINS),
    ]


def outlook_of(validation: Generator | None, evaluator: str) -> Outlook:
    """As the candidates and the evaluator's scores of them are on validation problems."""
    seeds = list(validation.seeds.values()) if validation and evaluator in validation.evaluators else []
    return Outlook.fitted(
        [sampled for stored in seeds for sampled in _sampled(stored, evaluator)],
        [
            {number for number, cluster in enumerate(pool.clusters) if cluster.correct}
            for stored in seeds
            for pool in stored.pools
        ],
    )


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


def choose_rule(validation: Generator, evaluator: str) -> Worthwhile | None:
    """Ours at the smallest gain that spends no more than `MOST_TOKENS` and `MOST_CALLS` of W.RR's full budget on validation
    problems (from which the outlook is, too); None where all spend more. What a rule spends is known from few problems, what it
    loses is not."""
    outlook = outlook_of(validation, evaluator)
    full = replay(validation, evaluator, FixedBudget(validation.num_candidates, weighted=True))
    tokens, calls = MOST_TOKENS * full.tokens.sum(), MOST_CALLS * full.calls.sum()
    for least_gain in sorted(LEAST_GAINS):
        rule = Worthwhile(least_gain, outlook=outlook)
        spent = replay(validation, evaluator, rule)
        if spent.tokens.sum() <= tokens and spent.calls.sum() <= calls:
            return rule
    return None


def _sampled(stored: StoredPool, evaluator: str) -> Sequence[Sampled]:
    made = []
    for pool in stored.scored(evaluator):
        cluster_of = {index: number for number, cluster in enumerate(pool.clusters) for index in cluster.members}
        size = pool.num_candidates
        made.append(
            Sampled(
                cluster_numbers=[cluster_of.get(index, NO_ANSWER) for index in range(size)],
                scores=[pool.scores.get(index, 0.0) for index in range(size)],
                text_numbers=stored.texts[pool.problem_id],
                tokens=stored.tokens[pool.problem_id],
                candidate_logprobs=stored.logprobs[pool.problem_id],
            )
        )
    return made
