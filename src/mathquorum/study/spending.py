"""Accuracy against what it costs: stopping rules replayed on the stored candidates of a generator, in sampling order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mathquorum.metrics import Pool
from mathquorum.metrics.pool_files import StoredPool
from mathquorum.stopping.foresight import LooksAhead, SureChoice, Worthwhile, choose_each
from mathquorum.stopping.outlook import Outlook
from mathquorum.stopping.rules import AdaptiveConsistency, EarlyStopping, FixedBudget, Settled
from mathquorum.stopping.supply import NO_ANSWER, Sampled, Stopped, StoppingRule
from mathquorum.study.measured import Generator, Rows

__all__ = ["Spent", "choose_rule", "outlook_of", "replay", "replay_each", "rules"]

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
    """The outlook: as the candidates and the evaluator's scores of them are on validation problems."""
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
    return replay_each(generator, evaluator, [rule])[0]


def replay_each(generator: Generator, evaluator: str, rules: Sequence[StoppingRule]) -> list[Spent]:
    """Replays each rule: a problem is put together once, and what rules share is done once (`foresight.choose_each`)."""
    found = []
    for seed, stored in generator.seeds.items():
        of_seed = []
        for pool, sampled in zip(stored.pools, _sampled(stored, evaluator), strict=True):
            stops = _choose(rules, sampled, f"{seed}/{pool.problem_id}")
            of_seed.append([_figures(pool, stopped) for stopped in stops])
        found.append(of_seed)
    values = np.array(found, dtype=np.float64)  # (seeds, problems, rules, figures)
    return [Spent(*np.moveaxis(values[:, :, place], -1, 0)) for place in range(len(rules))]


def _choose(rules: Sequence[StoppingRule], sampled: Sampled, seed: str) -> list[Stopped]:
    ahead = [rule for rule in rules if isinstance(rule, LooksAhead)]
    stops = dict(zip(ahead, choose_each(ahead, sampled, seed), strict=True))
    return [stops[rule] if isinstance(rule, LooksAhead) else rule.choose(sampled, seed) for rule in rules]


def _figures(pool: Pool, stopped: Stopped) -> tuple[bool, int, int, int]:
    """Figures in the order of `Spent`."""
    right = stopped.cluster != NO_ANSWER and bool(pool.clusters[stopped.cluster].correct)
    return right, stopped.num_tokens, stopped.num_calls, stopped.num_candidates


def choose_rule(validation: Generator, evaluator: str, outlook: Outlook | None = None) -> Worthwhile | None:
    """Ours at the smallest gain that spends no more than `MOST_TOKENS` and `MOST_CALLS` of W.RR's full budget on validation
    problems; None where all spend more. What a rule spends is known from few problems, what it loses is not.

    Args:
        outlook: What the rules start from; None is that of these problems.
    """
    known = outlook or outlook_of(validation, evaluator)
    ours = [Worthwhile(least_gain, outlook=known) for least_gain in sorted(LEAST_GAINS)]
    budget = FixedBudget(validation.num_candidates, weighted=True)
    full, *spent_by = replay_each(validation, evaluator, [budget, *ours])
    tokens, calls = MOST_TOKENS * full.tokens.sum(), MOST_CALLS * full.calls.sum()
    for rule, spent in zip(ours, spent_by, strict=True):
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
