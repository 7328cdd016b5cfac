"""Combine the scores of evaluators with each other and with the generator's likelihood: witnesses that err apart."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from mathquorum.config import InputPath, Settings
from mathquorum.errors import DataError
from mathquorum.evaluator import combined_scores
from mathquorum.metrics.pool_files import by_problem, read_candidates, read_scores
from mathquorum.records import Score
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import write_records

__all__ = ["CombineScores"]


class CombineScores(Settings):
    """Makes scores.jsonl, in the order of the candidates. See `evaluator.combined_scores`."""

    candidates: InputPath
    scores: tuple[InputPath, ...] = Field(min_length=1)
    """One file per evaluator, each for all of the candidates."""
    likelihood_weight: float = Field(default=0.6, ge=0)
    """Weight of a nat of log-likelihood beside a logit of the evaluator; 0 leaves the likelihood out. Chosen on validation
    problems of minimath, one training seed; the figures were not kept. The paper has nothing like it."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If a candidate has no score or no log-likelihood.
        """
        files = [read_scores(path) for path in self.scores]
        made: list[Score] = []
        for name, candidates in by_problem(read_candidates(self.candidates)).items():
            values = [file.get(name, {}) for file in files]
            for candidate in candidates:
                if any(candidate.index not in v for v in values) or (
                    self.likelihood_weight and candidate.logprob is None
                ):
                    raise DataError(
                        f"Candidate {candidate.index} of {name} has no score or no log-likelihood, so nothing can be combined. "
                        "Score all candidates, or set likelihood_weight to 0 if it is the likelihood that is missing."
                    )
            scores = [[v[candidate.index] for v in values] for candidate in candidates]
            made += combined_scores(candidates, scores, self.likelihood_weight)
        write_records(out / "scores.jsonl", made)
        progress(1, 1)
        return {"candidates": len(made)}
