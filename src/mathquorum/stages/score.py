"""Score candidates with an evaluator, with the generator's own likelihood or confidence, or with a scorer of somebody's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from mathquorum.config import InputModel, InputPath, Runtime, Settings, Told
from mathquorum.engines import AnyEngine, Embedded
from mathquorum.engines.settings import Answerer, ModelUse, Unit
from mathquorum.evaluator import Signal, evaluator_scores, reader_scores, signal_scores
from mathquorum.metrics.pool_files import by_problem, read_candidates
from mathquorum.models import Hardware
from mathquorum.processes import Handler
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.records import Candidate, Problem, Score
from mathquorum.scorers import AnyOwnScorer, AnyReading, ProcessReward, Question, Reward
from mathquorum.scorers.own import own_scores
from mathquorum.scorers.texts import RewardText, reading_of
from mathquorum.stages.base import AnyShard, Progress, Summary
from mathquorum.stages.meter import Meter
from mathquorum.stages.units import LOST, gather_units, make_by_units, partial_of
from mathquorum.store import num_lines, read_records, write_records, write_text

__all__ = ["ScoreCandidates"]

_Pool = tuple[Problem, list[Candidate]]
_Scores = dict[tuple[str, int], Score]


class ScoreCandidates(Settings):
    """Makes scores.jsonl, in the order of the candidates. Resumes per unit: with the embedded engine, per problem."""

    problems: InputPath
    candidates: InputPath
    model: InputModel | None = None
    """What judges, an evaluator or a reward model: local folder or hub id. None scores by `signal`."""
    signal: Signal = "likelihood"
    """Which of the generator's own signals to score by where there is no model."""
    scorer: AnyOwnScorer | None = None
    """A scorer of your own, MODULE:CLASS, in place of model and signal."""
    reads: AnyReading | None = None
    """How the model is read: asked the paper's question, or by the head of a reward model. None: by the head that its config names."""
    batch_tokens: int = Field(default=16384, ge=1)
    """Tokens, padding included, in one forward pass at most."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model; as when it was fine-tuned."""
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes, each with a copy of the model."""
    cluster: Annotated[str | None, Runtime(), Told()] = None
    """A Ray cluster whose machines share the work, as the run was told. See `spreading.Workers`."""

    engine: AnyEngine = Embedded()
    """What judges: the model in this process."""
    shard: Annotated[AnyShard | None, Told()] = None
    """Only a part of the work: 3/16 is the third of sixteen. None does all of it. A run that finds shards of a stage puts them together."""

    @model_validator(mode="after")
    def _worth_sharing(self) -> ScoreCandidates:
        if self.scorer and self.model is not None:
            raise ValueError("give model or scorer: one of them scores.")
        if self.shard and self.model is None:
            raise ValueError(
                "shard goes with a model: signals of the generator are only read, and a scorer of your own has no units. Leave shard out."
            )
        if isinstance(self.reads, Reward | ProcessReward) and not isinstance(self.engine, Embedded):
            raise ValueError(
                f"a reward model is read in this process: engine must be embedded, not {self.engine.kind}."
            )
        return self

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = {problem.id: problem for problem in read_records(self.problems, Problem)}
        of_problem = by_problem(read_candidates(self.candidates))
        pools = [(problems[name], candidates) for name, candidates in of_problem.items()]
        whole = out / "scores.jsonl"
        notices: Counter[str] = Counter()
        done = (
            self._signals(pools, progress)
            if self.model is None
            else self._judged(self.model, pools, whole, progress, notices)
        )
        ordered = [done[c.problem_id, c.index] for _, cs in pools for c in cs if (c.problem_id, c.index) in done]
        write_records(whole, ordered)
        partial_of(whole).unlink(missing_ok=True)
        total = len(ordered) if self.shard else sum(len(candidates) for _, candidates in pools)
        too_long = sum(score.value == 0.0 for score in ordered) if self.model else 0
        return {
            "scored 0, as texts too long to be judged": too_long,
            "candidates": total,
            "distinct texts": sum(
                len({c.text for c in candidates if (c.problem_id, c.index) in done}) for _, candidates in pools
            ),
            "without a score": total - len(ordered),
            **(self.engine.shown(self._use(self.model, out)) if self.model else {}),
            **notices,
        }

    def _signals(self, pools: Sequence[_Pool], progress: Progress) -> _Scores:
        scores: list[Score] = []
        for number, (problem, candidates) in enumerate(pools, start=1):
            scores += (
                own_scores(self.scorer, problem, candidates) if self.scorer else signal_scores(self.signal, candidates)
            )
            progress(number, len(pools))
        return {(score.problem_id, score.index): score for score in scores}

    def _judged(
        self, model: str, pools: Sequence[_Pool], whole: Path, progress: Progress, notices: Counter[str]
    ) -> _Scores:
        cut = self.engine.cut_judging(self._use(model, whole.parent), [len(candidates) for _, candidates in pools])
        cut = replace(cut, units=self.shard.cut(cut.units)) if self.shard else cut
        reading = self._reading(model)
        job = (
            partial(_judge, self.engine, cut.use) if isinstance(reading, Question) else partial(_read, reading, cut.use)
        )
        workers = cut.use.workers(self.workers, self.cluster, lambda why: notices.update([LOST]))
        wanted = sum(len(share.indices) for unit in cut.units for share in unit)
        meter = Meter(progress, wanted, 1, "candidates")
        if pools:
            problem, candidates = pools[0]
            write_text(whole.with_name("prompt.txt"), self._exactly(reading, cut.use, problem.text, candidates[0].text))

        def key(place: int, position: int) -> tuple[str, int]:
            return pools[place][0].id, pools[place][1][position].index

        def spread(units: list[Unit]) -> Iterator[tuple[int, list[Score]]]:
            asked = [[_picked(pools[share.place], share.indices) for share in unit] for unit in units]
            for number, scores in self.engine.spread(job, asked, workers, meter.written):
                yield number, scores  # and kept, before anything is said of it
                meter.ended(number, len(scores), len(scores))

        return make_by_units(whole, Score, cut, key, spread, meter.taken_over)

    def _reading(self, model: str) -> AnyReading:
        return self.reads or (reading_of(model) if isinstance(self.engine, Embedded) else Question())

    def _exactly(self, reading: AnyReading, use: ModelUse, problem: str, solution: str) -> str:
        if isinstance(reading, Question):
            return self.engine.exactly(use, self.prompt.evaluator(problem, solution))
        return RewardText.of(reading, use.model).exactly(reading, problem, solution)

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """See `Sharded`."""
        gather_units(out / "scores.jsonl", Score, shards)
        self.engine.gather(shards, out)

    @property
    def by_name(self) -> bool:
        """See `Asking`."""
        return self.engine.takes_names

    def answerers(self, out: Path) -> Sequence[Answerer]:
        """See `Asking`. A signal asks nobody."""
        return () if self.model is None else self.engine.answerers(self._use(self.model, out))

    def place(self) -> str | None:
        """See `Placed`."""
        return None if self.model is None else self.engine.place(self._use(self.model))

    def _use(self, model: str, out: Path | None = None) -> ModelUse:
        hardware = self.hardware.settled() if self.cluster else self.hardware
        return ModelUse(model, self.prompt, hardware, batch_tokens=self.batch_tokens, folder=out)

    def amount(self) -> int | None:
        """Candidates, or none for a signal, which is only read; see `Measurable`."""
        return num_lines(self.candidates) if self.model or self.scorer else 0


def _picked(pool: _Pool, positions: Sequence[int]) -> _Pool:
    return pool[0], [pool[1][position] for position in positions]


def _judge(settings: AnyEngine, use: ModelUse) -> Handler[Sequence[_Pool], list[Score]]:
    """Gives a unit's scores."""
    engine = settings.open(use)
    return lambda asked, tell: [score for pool in asked for score in evaluator_scores(engine, *pool, use.wording)]


def _read(reading: Reward | ProcessReward, use: ModelUse) -> Handler[Sequence[_Pool], list[Score]]:
    """Gives a unit's scores by a reward model."""
    from mathquorum.scorers.reading import open_reader

    reader = open_reader(reading, use.model, use.hardware, use.batch_tokens)
    return lambda asked, tell: [score for pool in asked for score in reader_scores(reader, *pool)]
