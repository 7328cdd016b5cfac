"""Sample candidate solutions: N per problem for voting, or one by greedy decoding for pass@1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.answers import extract_answer
from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.models import Hardware, Template
from mathquorum.prompts import STOP_STRINGS, generator_prompt
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import Appender, num_lines, read_json, read_records, write_json, write_records
from mathquorum.workers import map_units

__all__ = ["Sample"]

_BATCHES_PER_UNIT = 4  # the next problem moves in when candidates have ended; a unit ends with fewer and fewer rows
_PROBLEMS_PER_UNIT = 64  # so that greedy decoding, with one row per problem, still has units to share out and resume by


class Sample(Settings):
    """Makes candidates.jsonl, in the order of the problems.

    Resumes per unit (a few problems with all their candidates). A unit is fixed by the settings, the problem list and the
    number of rows that fit into memory, which is noted in batch.json, so that workers, order and resuming change no byte.
    """

    problems: InputPath
    """problems.jsonl."""
    model: InputModel
    """Local folder or hub id."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 as in the paper."""
    sampling: Sampling = Sampling()
    style: str | None = None
    """The style tag shown in the prompt; None for a generator that was trained without."""
    demonstrations: InputPath | None = None
    """labeled.jsonl; a correct solution of each of its first `num_demonstrations` problems is shown before each problem."""
    num_demonstrations: int = Field(default=4, ge=0)
    """4 as in the usual MATH prompt (Minerva), which the paper's few-shot baseline is likely to be."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first so many problems."""
    batch_rows: int | None = Field(default=None, ge=1)
    """Texts continued together at most; candidates that have written the same so far are one. None takes what the memory holds
    (`engines.memory`); a GPU whose memory runs out all the same is given half as many, as often as need be."""
    seed: int = 0
    template: Template = "plain"
    """How prompts are put to the model; the one that it was fine-tuned with."""
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes, each with a copy of the model."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = list(read_records(self.problems, Problem))[: self.limit]
        order = self._by_length(problems)
        rows = self.batch_rows or self._rows_that_fit(out)
        size = min(_BATCHES_PER_UNIT * max(1, rows // self.num_candidates), _PROBLEMS_PER_UNIT)
        units = [order[start : start + size] for start in range(0, len(order), size)]
        whole_file, partial_file = out / "candidates.jsonl", out / "candidates.partial.jsonl"
        with Appender(partial_file) as file:
            found = [c for path in (whole_file, partial_file) if path.exists() for c in read_records(path, Candidate)]
            done = {(c.problem_id, c.index): c for c in found}
            waiting = [unit for unit in units if not self._is_done(unit, done)]
            num_done = len(units) - len(waiting)
            progress(num_done, len(units))
            notices: dict[str, int] = {}
            for _, (candidates, notice) in map_units(partial(_sampler, self, rows), waiting, self.workers):
                file.append(candidates)
                if notice:
                    notices[notice] = notices.get(notice, 0) + 1
                done.update({(c.problem_id, c.index): c for c in candidates})
                num_done += 1
                progress(num_done, len(units))
        ordered = [done[problem.id, index] for problem in problems for index in range(self.num_candidates)]
        write_records(whole_file, ordered)
        partial_file.unlink()
        return {
            "problems": len(problems),
            "candidates": len(ordered),
            "without an answer": sum(c.answer is None for c in ordered),
            "cut off": sum(not c.finished for c in ordered),
            "prompt longer than the context": len({c.problem_id for c in ordered if c.num_tokens == 0}),
            "tokens": sum(c.num_tokens or 0 for c in ordered),
            "candidates at once": rows,
            **notices,
        }

    def amount(self) -> int | None:
        """Candidates; see `Measurable`."""
        number = num_lines(self.problems)
        return None if number is None else min(number, self.limit or number) * self.num_candidates

    def _rows_that_fit(self, out: Path) -> int:
        """Noted beside the candidates, so that a stage that goes on elsewhere keeps its batches."""
        note = out / "batch.json"
        if not note.exists():
            from mathquorum.engines.memory import rows_that_fit

            write_json(note, {"batch_rows": rows_that_fit(self.model, self.hardware, self.sampling.max_tokens)})
        return int(read_json(note)["batch_rows"])

    def _by_length(self, problems: Sequence[Problem]) -> list[Problem]:
        """Those with like prompt lengths beside each other, so that a shared batch has little padding."""
        from mathquorum.models import Codec, load_tokenizer

        codec, shown = Codec(load_tokenizer(self.model), self.template), self.shown()
        lengths = [len(codec.prompt(generator_prompt(p.text, self.style, shown))) for p in problems]
        return [problems[place] for place in sorted(range(len(problems)), key=lambda place: (lengths[place], place))]

    def _is_done(self, unit: Sequence[Problem], done: dict[tuple[str, int], Candidate]) -> bool:
        return all((problem.id, index) in done for problem in unit for index in range(self.num_candidates))

    def shown(self) -> tuple[LabeledSolution, ...]:
        """The demonstrations of the prompt."""
        if self.demonstrations is None:
            return ()
        first: dict[str, LabeledSolution] = {}
        for item in read_records(self.demonstrations, LabeledSolution):
            if item.correct:
                first.setdefault(item.problem_id, item)
            if len(first) >= self.num_demonstrations:
                break
        return tuple(first.values())[: self.num_demonstrations]


def _sampler(stage: Sample, batch_rows: int) -> Callable[[Sequence[Problem]], tuple[list[Candidate], str | None]]:
    """Gives a unit's candidates, and what the engine has to say of its speed."""
    from mathquorum.engines.hf import HuggingFaceEngine
    from mathquorum.models import load_model

    engine = HuggingFaceEngine(load_model(stage.model, stage.hardware, stage.template), batch_rows=batch_rows)
    shown = stage.shown()
    return lambda problems: (sample_unit(engine, stage, shown, problems), engine.sharing_notice)


def sample_unit(
    engine: Engine, stage: Sample, demonstrations: Sequence[LabeledSolution], problems: Sequence[Problem]
) -> list[Candidate]:
    """The candidates of a few problems."""
    greedy = stage.sampling.temperature == 0
    requests = [
        Request(
            generator_prompt(problem.text, stage.style, demonstrations),
            tuple(None if greedy else candidate_seed(stage.seed, problem.id, i) for i in range(stage.num_candidates)),
        )
        for problem in problems
    ]
    found = engine.generate(requests, stage.sampling, STOP_STRINGS)
    return [
        _candidate(problem.id, index, completion, seed)
        for problem, request, completions in zip(problems, requests, found, strict=True)
        for index, (completion, seed) in enumerate(zip(completions, request.seeds, strict=True))
    ]


def _candidate(problem_id: str, index: int, completion: Completion, seed: int | None) -> Candidate:
    answer = extract_answer(completion.text, completion.finished)
    return Candidate(
        problem_id,
        index,
        completion.text,
        answer,
        completion.logprob,
        completion.num_tokens,
        completion.finished,
        seed,
        completion.confidence,
    )
