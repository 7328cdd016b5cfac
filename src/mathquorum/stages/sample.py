"""Sample candidate solutions: N per problem for voting, or one by greedy decoding for pass@1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.answers import extract_answer
from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.engines import AnyEngine, Embedded
from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.engines.settings import ModelUse, Unit, Writing
from mathquorum.models import Hardware
from mathquorum.processes import Handler, Tell
from mathquorum.prompts import STOP_STRINGS, AnyPrompt, Prompt, Shown
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.stages.meter import Meter
from mathquorum.stages.units import make_by_units, partial_of
from mathquorum.store import num_lines, read_records, write_records, write_text

__all__ = ["Sample"]


class Sample(Settings):
    """Makes candidates.jsonl, in the order of the problems, and prompt.txt: what the model is shown for the first of them, exactly.

    Resumes per unit, which the engine cuts: the embedded one takes a few problems with all their candidates. What it has to
    measure for it is noted in batch.json, so that workers, order and resuming change no byte.
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
    (`engines.embedded.memory`); a GPU whose memory runs out all the same is given half as many, as often as need be."""
    seed: int = 0
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model; as when it was fine-tuned."""
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes, each with a copy of the model."""

    engine: AnyEngine = Embedded()
    """What writes: the model in this process."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = list(read_records(self.problems, Problem))[: self.limit]
        prompts = self._prompts(problems)
        writing = Writing(prompts, self.num_candidates, self.sampling.max_tokens)
        cut = self.engine.cut_writing(self._use(out), writing, out / "batch.json")
        notices: Counter[str] = Counter()
        if prompts:
            write_text(out / "prompt.txt", self.engine.exactly(cut.use, prompts[0]))

        meter = Meter(progress, len(problems) * self.num_candidates, self.sampling.max_tokens)

        def spread(units: list[Unit]) -> Iterator[tuple[int, list[Candidate]]]:
            asked = [[(problems[share.place], prompts[share.place], share.indices) for share in unit] for unit in units]
            for number, (candidates, notice) in self.engine.spread(
                partial(_writer, self, cut.use), asked, self.workers, meter.written
            ):
                notices.update([notice] if notice else [])
                meter.ended(number, len(candidates), sum(c.num_tokens or 0 for c in candidates))
                yield number, candidates

        whole = out / "candidates.jsonl"
        done = make_by_units(whole, Candidate, cut, lambda place, i: (problems[place].id, i), spread, meter.taken_over)
        ordered = [done[problem.id, index] for problem in problems for index in range(self.num_candidates)]
        write_records(whole, ordered)
        partial_of(whole).unlink()
        return {
            "problems": len(problems),
            "candidates": len(ordered),
            "without an answer": sum(c.answer is None for c in ordered),
            "cut off": sum(not c.finished for c in ordered),
            "prompt longer than the context": len({c.problem_id for c in ordered if c.num_tokens == 0}),
            "tokens": sum(c.num_tokens or 0 for c in ordered),
            **dict(cut.shown),
            **notices,
            **self.engine.shown(cut.use),
        }

    def amount(self) -> int | None:
        """Candidates; see `Measurable`."""
        number = num_lines(self.problems)
        return None if number is None else min(number, self.limit or number) * self.num_candidates

    @property
    def by_name(self) -> bool:
        """See `Asking`."""
        return self.engine.takes_names

    def place(self) -> str | None:
        """See `Placed`."""
        return self.engine.place(self._use())

    def _use(self, out: Path | None = None) -> ModelUse:
        return ModelUse(self.model, self.prompt, self.hardware, batch_rows=self.batch_rows, folder=out)

    def _prompts(self, problems: Sequence[Problem]) -> list[Shown]:
        shown = self.shown()
        return [self.prompt.generator(problem.text, self.style, shown) for problem in problems]

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


_Asked = Sequence[tuple[Problem, Shown, Sequence[int]]]
"""Problems, their prompts, and which candidates of each."""


def _writer(stage: Sample, use: ModelUse) -> Handler[_Asked, tuple[list[Candidate], str | None]]:
    """Gives a unit's candidates, and what the engine has to say."""
    engine = stage.engine.open(use)
    return lambda asked, tell: (_write(engine, stage, asked, tell), engine.notice)


def _write(engine: Engine, stage: Sample, asked: _Asked, tell: Tell) -> list[Candidate]:
    greedy = stage.sampling.temperature == 0
    requests = [
        Request(prompt, tuple(None if greedy else candidate_seed(stage.seed, problem.id, i) for i in indices))
        for problem, prompt, indices in asked
    ]
    found = engine.generate(requests, stage.sampling, STOP_STRINGS, tell)
    return [
        _candidate(problem.id, index, completion, seed)
        for (problem, _, indices), request, completions in zip(asked, requests, found, strict=True)
        for index, completion, seed in zip(indices, completions, request.seeds, strict=True)
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
