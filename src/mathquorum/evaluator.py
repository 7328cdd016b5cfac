"""The evaluator: how likely is a candidate to be correct? (PAPER.md section 2.2, Eq. 7)"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeAlias

from mathquorum.prompts import PLAIN, Prompt
from mathquorum.records import Candidate, Problem, Score
from mathquorum.scorers.own import OwnScorer, own_scores

if TYPE_CHECKING:
    from mathquorum.engines.base import Engine
    from mathquorum.scorers.reading import Reader

__all__ = [
    "Judge",
    "Signal",
    "combined_scores",
    "evaluator_scores",
    "judged_scores",
    "likelihood_scores",
    "reader_scores",
    "signal_scores",
]

Signal = Literal["likelihood", "confidence", "lowest_confidence", "bottom_confidence", "tail_confidence", "certainty"]
"""What the generator's own probabilities tell of a candidate, at no cost: its likelihood (`likelihood_scores`), or a field of its
`records.Confidence`."""

Judge: TypeAlias = "Engine | OwnScorer"
"""What scores the candidates of a problem as it is solved."""

_EDGE = 1e-6  # scores are kept this far from 0 and 1, where a logit would be infinite


def evaluator_scores(
    engine: Engine, problem: Problem, candidates: Sequence[Candidate], wording: Prompt = PLAIN
) -> list[Score]:
    """S_cls of each candidate: the probability of the label word "correct", renormalised over the two label words.

    Equal texts are scored once. One that is too long for the evaluator's context scores 0. Candidates without an answer are scored too; no strategy can choose them.
    """
    texts = list(dict.fromkeys(candidate.text for candidate in candidates))
    prompts = [wording.evaluator(problem.text, text) for text in texts]
    found = engine.label_probabilities(prompts, wording.labels)
    values = {
        text: probabilities[0] if probabilities else 0.0 for text, probabilities in zip(texts, found, strict=True)
    }
    return [Score(c.problem_id, c.index, values[c.text]) for c in candidates]


def judged_scores(
    judge: Judge, problem: Problem, candidates: Sequence[Candidate], wording: Prompt = PLAIN
) -> list[Score]:
    """Candidates of one problem by an evaluator, or by a scorer of somebody's own."""
    if isinstance(judge, OwnScorer):
        return own_scores(judge, problem, candidates)
    return evaluator_scores(judge, problem, candidates, wording)


def reader_scores(reader: Reader, problem: Problem, candidates: Sequence[Candidate]) -> list[Score]:
    """Candidates of one problem by a reward model. Equal texts are read once; one that is too long for its context scores 0."""
    texts = list(dict.fromkeys(candidate.text for candidate in candidates))
    values = dict(zip(texts, reader.scores(problem.text, texts), strict=True))
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


def signal_scores(signal: Signal, candidates: Sequence[Candidate]) -> list[Score]:
    """Candidates of one problem by a signal, higher is better. Those whose source did not keep it get no score.

    The value is a share of the problem's surest candidate's, in [0, 1]: the weighted vote with a confidence is then the one of arXiv
    2508.15260, whose weights are the confidences themselves. No signal is a probability of being correct, and values of different
    problems cannot be compared.
    """
    if signal == "likelihood":
        return likelihood_scores(candidates)
    field = signal.removesuffix("_confidence") if signal != "confidence" else "mean"
    told = [(c, getattr(c.confidence, field)) for c in candidates if c.confidence is not None]
    known = [(c, float(value)) for c, value in told if value is not None]
    best = max((value for _, value in known), default=0.0)
    return [Score(c.problem_id, c.index, max(0.0, value / best) if best > 0 else 0.0) for c, value in known]


def combined_scores(
    candidates: Sequence[Candidate], values: Sequence[Sequence[float]], likelihood_weight: float
) -> list[Score]:
    """The mean logit of one or more evaluators, with the generator's log-likelihood added:

        sigmoid( mean_e logit(s_ei) + weight * (log p(X_i | P) - max_j log p(X_j | P)) )

    With a weight above 0 the likeliest candidate keeps its score and the others lose: no calibrated probability.

    Args:
        candidates: Of one problem, each with a log-probability where the weight is above 0.
        values: The scores of each candidate, one per evaluator.
        likelihood_weight: At least 0; 0 leaves the likelihood out.
    """
    logprobs = [candidate.logprob or 0.0 for candidate in candidates]
    best = max(logprobs, default=0.0)
    scores = []
    for candidate, of_one, logprob in zip(candidates, values, logprobs, strict=True):
        logit = fmean(map(_logit, of_one)) + likelihood_weight * (logprob - best)
        scores.append(Score(candidate.problem_id, candidate.index, 1 / (1 + math.exp(min(-logit, 700.0)))))
    return scores


def _logit(value: float) -> float:
    kept = min(max(value, _EDGE), 1 - _EDGE)
    return math.log(kept / (1 - kept))
