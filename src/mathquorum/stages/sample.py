"""Sample candidate solutions: N per problem for voting, or one by greedy decoding for pass@1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.answers import extract_answer
from mathquorum.config import Grows, InputModel, InputPath, Runtime, Settings, Told
from mathquorum.engines import AnyEngine, Embedded
from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.engines.settings import Answerer, Cut, ModelUse, Unit, Writing
from mathquorum.errors import DataError
from mathquorum.models import Hardware
from mathquorum.processes import Handler, Tell
from mathquorum.prompts import STOP_STRINGS, AnyPrompt, Prompt, Shown
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.stages.base import AnyShard, Progress, Summary
from mathquorum.stages.meter import Meter
from mathquorum.stages.units import LOST, gather_units, make_by_units, partial_of, shifted
from mathquorum.store import num_lines, read_json, read_records, write_json, write_records, write_text

__all__ = ["Sample"]


class Sample(Settings):
    """Makes candidates.jsonl, in the order of the problems, and prompt.txt: what the model is shown for the first of them, exactly.

    Resumes per unit, which the engine cuts: the embedded one takes a few problems with all their candidates. What it has to
    measure for it is noted in batch.json, so that workers, order and resuming change no byte.

    N may be raised later: the candidates that are there stay byte for byte, and those beyond them are sampled; grown.json keeps the
    numbers that there were before.
    """

    problems: InputPath
    """problems.jsonl."""
    model: InputModel
    """Local folder or hub id."""
    num_candidates: Annotated[int, Grows()] = Field(default=64, ge=1)
    """N; 64 as in the paper. It can be raised later."""
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
    cluster: Annotated[str | None, Runtime(), Told()] = None
    """A Ray cluster whose machines share the work, as the run was told. See `spreading.Workers`."""

    engine: AnyEngine = Embedded()
    """What writes: the model in this process."""
    shard: Annotated[AnyShard | None, Told()] = None
    """Only a part of the work: 3/16 is the third of sixteen. None does all of it. A run that finds shards of a stage puts them together."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = list(read_records(self.problems, Problem))[: self.limit]
        prompts = self._prompts(problems)
        cut = self._cut(prompts, out)
        wanted = sum(len(share.indices) for unit in cut.units for share in unit)
        notices: Counter[str] = Counter()
        if prompts:
            write_text(out / "prompt.txt", self.engine.exactly(cut.use, prompts[0]))

        workers = cut.use.workers(self.workers, self.cluster, lambda why: notices.update([LOST]))
        meter = Meter(progress, wanted, self.sampling.max_tokens)

        def spread(units: list[Unit]) -> Iterator[tuple[int, list[Candidate]]]:
            asked = [[(problems[share.place], prompts[share.place], share.indices) for share in unit] for unit in units]
            for number, (candidates, notice) in self.engine.spread(
                partial(_writer, self, cut.use), asked, workers, meter.written
            ):
                notices.update([notice] if notice else [])
                yield number, candidates  # and kept, before anything is said of it
                meter.ended(number, len(candidates), sum(c.num_tokens or 0 for c in candidates))

        whole = out / "candidates.jsonl"
        done = make_by_units(whole, Candidate, cut, lambda place, i: (problems[place].id, i), spread, meter.taken_over)
        keys = [(problem.id, index) for problem in problems for index in range(self.num_candidates)]
        ordered = [done[key] for key in keys if key in done]
        assert len(ordered) == wanted
        write_records(whole, ordered)
        partial_of(whole).unlink()
        return {
            "problems": len({c.problem_id for c in ordered}) if self.shard else len(problems),
            "candidates": len(ordered),
            "without an answer": sum(c.answer is None for c in ordered),
            "cut off": sum(not c.finished for c in ordered),
            "prompt longer than the context": len({c.problem_id for c in ordered if c.num_tokens == 0}),
            "tokens": sum(c.num_tokens or 0 for c in ordered),
            **dict(cut.shown),
            **notices,
            **self.engine.shown(cut.use),
        }

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """See `Sharded`."""
        gather_units(out / "candidates.jsonl", Candidate, shards, "batch.json")
        self.engine.gather(shards, out)

    def _cut(self, prompts: Sequence[Shown], out: Path) -> Cut:
        """The units. What was there when N was raised is one block, and what came later another, so that neither shares a unit with the
        other and fixes its last digits."""
        bounds = [0, *self._earlier(out), self.num_candidates]
        note, longest = out / "batch.json", self.sampling.max_tokens
        cuts = [
            (self.engine.cut_writing(self._use(out), Writing(prompts, end - first, longest), note), first)
            for first, end in pairwise(bounds)
        ]
        units = [shifted(unit, first) for cut, first in cuts for unit in cut.units]
        return replace(cuts[-1][0], units=self.shard.cut(units) if self.shard else units)

    def _earlier(self, out: Path) -> list[int]:
        """The numbers of candidates that there were before N was raised, ascending. A finished file with fewer is such a beginning."""
        whole, note = out / "candidates.jsonl", out / "grown.json"
        if self.shard:
            return []
        earlier = read_json(note) if note.exists() else []
        if whole.exists():
            there = 1 + max((c.index for c in read_records(whole, Candidate)), default=-1)
            if 0 < there < self.num_candidates and there not in earlier:
                earlier = [*earlier, there]
                write_json(note, earlier)
        if not isinstance(earlier, list) or any(
            type(two) is not int or one >= two for one, two in pairwise([0, *earlier, self.num_candidates])
        ):
            raise DataError(
                f"{note} must list ascending numbers below {self.num_candidates}. Delete {out} to begin anew."
            )
        return earlier

    def amount(self) -> int | None:
        """Candidates; see `Measurable`."""
        number = num_lines(self.problems)
        return None if number is None else min(number, self.limit or number) * self.num_candidates

    @property
    def by_name(self) -> bool:
        """See `Asking`."""
        return self.engine.takes_names

    def answerers(self, out: Path) -> Sequence[Answerer]:
        """See `Asking`."""
        return self.engine.answerers(self._use(out))

    def place(self) -> str | None:
        """See `Placed`."""
        return self.engine.place(self._use())

    def _use(self, out: Path | None = None) -> ModelUse:
        hardware = self.hardware.settled() if self.cluster else self.hardware
        return ModelUse(self.model, self.prompt, hardware, batch_rows=self.batch_rows, folder=out)

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
        seed if completion.seeded else None,
        completion.confidence,
    )
