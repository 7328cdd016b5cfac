"""The evaluator: how likely is a candidate to be correct? (PAPER.md section 2.2, Eq. 7)"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mathquorum.prompts import CORRECT, INCORRECT, evaluator_prompt
from mathquorum.records import Candidate, Problem, Score

if TYPE_CHECKING:
    from mathquorum.engines.base import Engine

__all__ = ["evaluator_scores", "likelihood_scores"]


def evaluator_scores(engine: Engine, problem: Problem, candidates: Sequence[Candidate]) -> list[Score]:
    """S_cls of each candidate: the probability of the label word "correct", renormalised over the two label words.

    Equal texts are scored once. One that is too long for the evaluator's context scores 0. Candidates without an answer are scored too; no strategy can choose them.
    """
    texts = list(dict.fromkeys(candidate.text for candidate in candidates))
    prompts = [evaluator_prompt(problem.text, text) for text in texts]
    found = engine.label_probabilities(prompts, (CORRECT, INCORRECT))
    values = {
        text: probabilities[0] if probabilities else 0.0 for text, probabilities in zip(texts, found, strict=True)
    }
    return [Score(c.problem_id, c.index, values[c.text]) for c in candidates]


def likelihood_scores(candidates: Sequence[Candidate]) -> list[Score]:
    """The generator's own log-likelihood as a score: the free baseline that every evaluator must beat.

    The value is p(X | P) divided by that of the problem's likeliest candidate, so that long solutions keep an order
    that the bare probability would lose to underflow. It ranks the candidates of one problem; it is no probability of
    being correct, and values of different problems cannot be compared. Candidates without a log-probability get none.
    """
    known = [(candidate, candidate.logprob) for candidate in candidates if candidate.logprob is not None]
    best = max((logprob for _, logprob in known), default=0.0)
    return [Score(c.problem_id, c.index, math.exp(logprob - best)) for c, logprob in known]
