"""Score candidates with an evaluator, or with the generator's own likelihood."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.evaluator import evaluator_scores, likelihood_scores
from mathquorum.metrics.pool_files import by_problem, read_candidates
from mathquorum.models import Hardware, Template
from mathquorum.records import Candidate, Problem, Score
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import Appender, num_lines, read_records, write_records
from mathquorum.workers import map_units

__all__ = ["ScoreCandidates"]

_Unit = tuple[Problem, list[Candidate]]


class ScoreCandidates(Settings):
    """Makes scores.jsonl, in the order of the candidates. Resumes per problem."""

    problems: InputPath
    candidates: InputPath
    model: InputModel | None = None
    """The evaluator: local folder or hub id. None scores by the likelihood that the generator gave each candidate."""
    batch_tokens: int = Field(default=16384, ge=1)
    """Tokens, padding included, in one forward pass at most."""
    template: Template = "plain"
    """How prompts are put to the model; the one that it was fine-tuned with."""
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes, each with a copy of the model."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = {problem.id: problem for problem in read_records(self.problems, Problem)}
        of_problem = by_problem(read_candidates(self.candidates))
        units: list[_Unit] = [(problems[name], found) for name, found in of_problem.items()]
        whole_file, partial_file = out / "scores.jsonl", out / "scores.partial.jsonl"
        with Appender(partial_file) as file:
            found = [s for path in (whole_file, partial_file) if path.exists() for s in read_records(path, Score)]
            done = {(s.problem_id, s.index): s for s in found}
            waiting = [unit for unit in units if not all((c.problem_id, c.index) in done for c in unit[1])]
            num_done = len(units) - len(waiting)
            progress(num_done, len(units))
            for _, scores in map_units(partial(_scorer, self), waiting, self.workers):
                file.append(scores)
                done.update({(s.problem_id, s.index): s for s in scores})
                num_done += 1
                progress(num_done, len(units))
        ordered = [done[c.problem_id, c.index] for _, cs in units for c in cs if (c.problem_id, c.index) in done]
        write_records(whole_file, ordered)
        partial_file.unlink()
        texts = sum(len({c.text for c in candidates}) for _, candidates in units)
        total = sum(len(candidates) for _, candidates in units)
        too_long = sum(score.value == 0.0 for score in ordered) if self.model else 0
        return {
            "too long to be judged, scored 0": too_long,
            "candidates": total,
            "distinct texts": texts,
            "without a score": total - len(ordered),
        }

    def amount(self) -> int | None:
        """Candidates, or none for the likelihood, which is only read; see `Measurable`."""
        return num_lines(self.candidates) if self.model else 0


def _scorer(stage: ScoreCandidates) -> Callable[[_Unit], list[Score]]:
    if stage.model is None:
        return _likelihood_unit
    from mathquorum.engines.hf import HuggingFaceEngine
    from mathquorum.models import load_model

    engine = HuggingFaceEngine(load_model(stage.model, stage.hardware, stage.template), batch_tokens=stage.batch_tokens)
    return partial(_evaluator_unit, engine)


def _likelihood_unit(unit: _Unit) -> list[Score]:
    return likelihood_scores(unit[1])


def _evaluator_unit(engine: object, unit: _Unit) -> list[Score]:
    from mathquorum.engines.hf import HuggingFaceEngine

    assert isinstance(engine, HuggingFaceEngine)
    return evaluator_scores(engine, *unit)
