"""What one stage takes, by its kind, from the sizes of what it reads. What it makes is put down for those that read it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mathquorum.engines.embedded.footprint import judging_peak, sampling_peak
from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape
from mathquorum.planning.assumptions import Assumptions
from mathquorum.planning.data import Data, Pool, Problems, Solutions, Texts
from mathquorum.planning.demand import Demand, Range
from mathquorum.planning.speed import Speed
from mathquorum.prompts import Prompt
from mathquorum.stages.base import Stage
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.split import Split
from mathquorum.store import read_json
from mathquorum.training.footprint import Load, adapter_weights, training_peak

__all__ = ["Estimator"]

# Bytes of a line, as runs here wrote them: text beside names and numbers.
_TEXT_BYTES, _CANDIDATE_BYTES, _SCORE_BYTES, _LABEL_BYTES = 3.3, 330, 75, 500
# Seconds for a candidate on one core (benchmarks/RESULTS.md): 64 answers are clustered in 3 ms, 32,000 candidates evaluated in 2 s.
_CLUSTERED, _EVALUATED = 5e-5, 7e-5
_REPORTED = 4.0  # seconds of a report, and what it and evaluations take on disk
_REPORT_BYTES = 1e6
_FILLED = 0.7  # of the rows that fit, how many are written at once on average: candidates end, and the next problem waits for room
_LONGEST_TUNED = 3.0  # a tuned generator's length is between 0.6 and so many times that of its solutions
_PAIRS = ("margin", "pairwise", "contrastive")
_DTYPE_TRAINED = 4  # bytes of a weight as it is saved


@runtime_checkable
class Priced(Protocol):
    """Settings of an engine whose requests cost money or are counted."""

    prompt_price: float | None
    completion_price: float | None
    candidates_per_request: int | None


class Estimator:
    """Goes through a plan in order.

    Args:
        run: The run's directory.
        data: What is known of files.
        assumed: What is taken for granted.
        speed_of: The speed of a model, by its name and hardware; None where none is known.
    """

    def __init__(
        self, run: Path, data: Data, assumed: Assumptions, speed_of: Callable[[str, Hardware, Prompt], Speed | None]
    ) -> None:
        self._run, self._data, self._assumed, self._speed_of = run, data, assumed, speed_of
        self._shapes: dict[str, Shape] = {}
        self._texts: dict[tuple[str, str], Texts] = {}
        self._trained: dict[
            Path, tuple[str, Range, bool]
        ] = {}  # by folder: the base, length of its solutions, whether an adapter
        self._steps: dict[Path, tuple[Range, Range]] = {}  # steps and tokens by budget.json
        self._kinds: Mapping[type[Any], Callable[[str, Any], Demand]] = {
            Prepare: self._prepare,
            Split: self._prepare,
            Sample: self._sample,
            Cluster: self._cluster,
            Label: self._label,
            Finetune: self._finetune,
            ScoreCandidates: self._score,
            Evaluate: self._evaluate,
        }

    def demand(self, name: str, stage: Stage) -> Demand:
        """Of a stage whose makers have been asked about before."""
        kind = next((kind for kind in self._kinds if type(stage) is kind), None)
        if kind:
            return self._kinds[kind](name, stage)
        time = Range.exactly(_REPORTED)
        return Demand(name, type(stage).__name__, disk=Range.exactly(_REPORT_BYTES), seconds=time)

    # --- models -------------------------------------------------------------------------------------------------------

    def _base(self, model: str) -> str:
        """What a model was trained from, at the very beginning."""
        found = self._trained.get(Path(model))
        return found[0] if found else model

    def _shape(self, model: str) -> Shape:
        base = self._base(model)
        if base not in self._shapes:
            self._shapes[base] = Shape.of(base)
        return self._shapes[base]

    def _text(self, model: str, wording: Prompt) -> Texts:
        key = (self._base(model), wording.model_dump_json())
        if key not in self._texts:
            self._texts[key] = Texts(key[0], wording, self._assumed)
        return self._texts[key]

    def _speed(self, model: str, hardware: Hardware, wording: Prompt) -> Speed | None:
        return self._speed_of(self._base(model), hardware, wording)

    # --- data ---------------------------------------------------------------------------------------------------------

    def _prepare(self, name: str, stage: Prepare | Split) -> Demand:
        return Demand(
            name, type(stage).__name__, disk=Range.exactly(self._data.prepare(name, stage)), seconds=Range.exactly(1.0)
        )

    # --- sampling -----------------------------------------------------------------------------------------------------

    def _sample(self, name: str, stage: Sample) -> Demand:
        problems = self._data.problems(stage.problems)
        count = min(problems.count, stage.limit or problems.count)
        texts, candidates = self._text(stage.model, stage.prompt), count * stage.num_candidates
        prompt, demonstrations = texts.problem(problems, stage.style), self._demonstrations(stage, texts)
        length, why = self._length(stage)
        self._data.put(
            self._run / name / "candidates.jsonl", Pool(Problems(count, problems.texts), stage.num_candidates, length)
        )
        written = length * candidates
        disk = written * _TEXT_BYTES + Range.exactly(candidates * _CANDIDATE_BYTES)
        here = not stage.by_name
        rows, memory = self._rows(stage, candidates, prompt + demonstrations) if here else (1, 0.0)
        calls = candidates if here else count * -(-stage.num_candidates // self._at_once(stage))
        # In this process a unit reads demonstrations once for all its problems.
        read = prompt * count + demonstrations * -(-candidates // rows) if here else (prompt + demonstrations) * calls
        seconds = None
        speed = self._speed(stage.model, stage.hardware, stage.prompt) if here else None
        if speed:
            full = max(1.0, _FILLED * min(rows, candidates)) if candidates > 1 else 1.0
            seconds = Range(
                *(speed.sampling(read, tokens, full) for tokens in (written.low, written.expected, written.high))
            )
        return Demand(
            name, "Sample", Range.exactly(calls), Range.exactly(read), written, memory=memory, disk=disk, seconds=seconds,
            price=self._price(stage, Range.exactly(read), written), assumed=why,
        )  # fmt: skip

    def _demonstrations(self, stage: Sample, texts: Texts) -> float:
        """Tokens of what is shown before each problem."""
        if stage.demonstrations is None:
            return 0.0
        shown = self._data.solutions(stage.demonstrations)
        return stage.num_demonstrations * (texts.problem(shown, stage.style) + texts.solution(shown).expected)

    def _length(self, stage: Sample) -> tuple[Range, tuple[str, ...]]:
        """Tokens of a candidate, and what was taken for granted."""
        longest = float(stage.sampling.max_tokens)
        known = self._trained.get(Path(stage.model))
        if known:
            learned = known[1].expected
            return (
                Range(0.6 * learned, learned, _LONGEST_TUNED * learned).at_most(longest),
                (f"candidates as long as the solutions that were learned ({learned:.0f} tokens)",),
            )
        speed = None if stage.by_name else self._speed(stage.model, stage.hardware, stage.prompt)
        if stage.demonstrations is not None:
            shown = self._text(stage.model, stage.prompt).solution(self._data.solutions(stage.demonstrations)).expected
            why = f"candidates as long as the demonstrations ({shown:.0f} tokens)"
            return Range(0.6 * shown, shown, longest).at_most(longest), (why,)
        if speed and speed.length:
            why = f"candidates as long as those of the calibration ({speed.length:.0f} tokens)"
            return Range(0.6 * speed.length, speed.length, longest).at_most(longest), (why,)
        told = self._assumed.solution_tokens
        return Range(0.6 * told, told, longest).at_most(longest), (f"candidates of {told:.0f} tokens",)

    def _rows(self, stage: Sample, candidates: int, prompt: float) -> tuple[int, float]:
        """Candidates that are written at once, and the memory that they take."""
        from mathquorum.engines.embedded.memory import rows_in

        machine, shape = self._assumed.machine, self._shape(stage.model)
        if machine:
            kept = 2 * shape.layers * 2 * shape.kept * (stage.sampling.max_tokens + prompt / stage.num_candidates)
            room = 0.8 * 1e9 * machine.memory_gb - 2 * shape.weights
            rows = machine.rows or max(1, min(1024, int(room / (1.25 * kept + 4 * shape.vocabulary))))
            rows = min(rows, -(-candidates // machine.devices))
            return rows, 2 * shape.weights + rows * (1.25 * kept + 4 * shape.vocabulary)
        base = self._base(stage.model)
        rows = stage.batch_rows or rows_in(shape, stage.hardware, stage.sampling.max_tokens)
        rows = min(rows, candidates)
        prompts = -(-rows // stage.num_candidates) * prompt * shape.layers * 2 * shape.kept
        held = prompts * stage.hardware.torch_dtype().itemsize
        assert base
        return rows, sampling_peak(shape, rows, stage.sampling.max_tokens, stage.hardware) + held

    def _at_once(self, stage: Sample) -> int:
        engine = stage.engine
        most = engine.candidates_per_request if isinstance(engine, Priced) else 1
        return min(most or 16, stage.num_candidates)

    def _price(self, stage: Sample | ScoreCandidates, read: Range, written: Range) -> Range | None:
        """Money, where a server is asked and its prices are known."""
        if not stage.by_name:
            return None
        engine = stage.engine
        own = engine if isinstance(engine, Priced) else None
        prompt = own.prompt_price if own and own.prompt_price is not None else self._assumed.prompt_price
        completion = (
            own.completion_price if own and own.completion_price is not None else self._assumed.completion_price
        )
        if prompt is None and completion is None:
            return None
        return read * ((prompt or 0.0) / 1e6) + written * ((completion or 0.0) / 1e6)

    # --- grading and labels -------------------------------------------------------------------------------------------

    def _cluster(self, name: str, stage: Cluster) -> Demand:
        number = self._number(stage.candidates)
        time = Range.exactly(0.3 + number * _CLUSTERED)
        return Demand(name, "Cluster", disk=Range.exactly(number * 60), seconds=time)

    def _number(self, path: Path) -> int:
        pool = self._data.pool(path if path.suffix else path / "candidates.jsonl")
        return pool.problems.count * pool.each if pool else 0

    def _label(self, name: str, stage: Label) -> Demand:
        pool = self._data.pool(stage.candidates)
        if pool is None:
            self._data.put(self._run / name / "labeled.jsonl", Solutions(Range.exactly(0), Range.exactly(0)))
            return Demand(name, "Label", seconds=Range.exactly(1.0), assumed=("nothing is known of its candidates",))
        share = self._assumed.both_labels
        usable = Range(share / 4, share, 1.0) * pool.problems.count
        most = min(2 * stage.max_per_label, pool.each)
        kept = Range(2, max(2.0, 0.75 * most), most)
        some = tuple((text, "") for text in pool.problems.texts)
        made = Solutions(usable.times(kept), usable, some, pool.length)
        self._data.put(self._run / name / "labeled.jsonl", made)
        why = f"{share:.0%} of the problems have correct and incorrect candidates"
        size = made.count * (_LABEL_BYTES + _TEXT_BYTES * pool.length.expected)
        return Demand(name, "Label", disk=size, seconds=Range.exactly(0.5), assumed=(why,))

    def _evaluate(self, name: str, stage: Evaluate) -> Demand:
        number = self._number(stage.candidates)
        time = Range.exactly(0.5 + number * _EVALUATED)
        return Demand(name, "Evaluate", disk=Range.exactly(_REPORT_BYTES / 4 + 20 * number), seconds=time)

    # --- training -----------------------------------------------------------------------------------------------------

    def _finetune(self, name: str, stage: Finetune) -> Demand:
        shape, lora, texts = self._shape(stage.model), stage.training.lora, self._text(stage.model, stage.prompt)
        examples = [self._examples(task, texts) for task in stage.tasks]
        per_step = [
            (task.batch_size * tokens.expected, task.batch_size * reads)
            for task, (_, tokens, reads) in zip(stage.tasks, examples, strict=True)
        ]
        step_tokens, step_reads = (sum(values) for values in zip(*per_step, strict=True))
        steps, why = self._num_steps(stage, examples[0][0])
        trained = steps * step_tokens
        if stage.match_budget:
            trained = sum((self._budget(path)[1] for path in stage.match_budget), Range.exactly(0))
            step_tokens = trained.expected / max(steps.expected, 1.0)
            step_reads = step_tokens * examples[0][2] / examples[0][1].expected
        self._steps[self._run / name / "budget.json"] = (steps, trained)
        learned = self._learned(stage, examples)
        self._trained[self._run / name / "model"] = (self._base(stage.model), learned, lora is not None)
        load = _load(step_tokens, step_reads, stage.training.batch_tokens)
        changed = adapter_weights(shape, lora) if lora else shape.weights
        saved, kept = _DTYPE_TRAINED * changed, 12.0 * changed
        machine = self._assumed.machine
        on = stage.hardware if machine is None else Hardware(device="cuda", dtype="bfloat16")
        memory = training_peak(shape, load, stage.training, on) / (machine.devices if machine else 1)
        speed = self._speed(stage.model, stage.hardware, stage.prompt)
        seconds = None
        if speed:
            pairs = zip(
                (trained.low, trained.expected, trained.high), (steps.low, steps.expected, steps.high), strict=True
            )
            seconds = Range(*(speed.fitting(tokens, number, saved, kept, stage.training) for tokens, number in pairs))
        calls = steps * sum(task.batch_size for task in stage.tasks)
        return Demand(
            name, "Finetune", calls, trained=trained, memory=memory, disk=Range.exactly(saved), scratch=2 * kept,
            seconds=seconds, models=1, assumed=why,
        )  # fmt: skip

    def _examples(self, task: Task, texts: Texts) -> tuple[Range, Range, float]:
        """How many examples a task has, their tokens (what two solutions of a problem share counted once), and reads."""
        made = [self._data.solutions(path) for path in task.data]
        problem, solution = texts.problem(made[0]), texts.solution(made[0])
        number = sum((item.count for item in made), Range.exactly(0))
        if task.objective.name == "solution":
            return number, solution + Range.exactly(problem), solution.expected
        asked = Range.exactly(problem + texts.question())
        if task.objective.name in _PAIRS:
            pairs = getattr(task.objective, "pairs_per_problem", 1)
            most = sum((item.problems for item in made), Range.exactly(0)) * pairs
            return Range(min(number.low, most.low), most.expected, most.high), asked + solution * 2, 4.0
        return number, asked + solution, 2.0

    def _num_steps(self, stage: Finetune, examples: Range) -> tuple[Range, tuple[str, ...]]:
        if stage.match_budget:
            return sum((self._budget(path)[0] for path in stage.match_budget), Range.exactly(0)), ()
        if stage.training.steps is not None:
            return Range.exactly(stage.training.steps), ()
        assert stage.training.epochs is not None
        each = stage.training.epochs / stage.tasks[0].batch_size
        steps = Range(
            *(max(1.0, math.ceil(number * each)) for number in (examples.low, examples.expected, examples.high))
        )
        return steps, () if examples.known else (f"{examples.expected:,.0f} examples",)

    def _budget(self, path: Path) -> tuple[Range, Range]:
        if path in self._steps:
            return self._steps[path]
        held = read_json(path)
        return Range.exactly(held["steps"]), Range.exactly(held["tokens"])

    def _learned(self, stage: Finetune, examples: Sequence[tuple[Range, Range, float]]) -> Range:
        """Tokens of the solutions that a generator learns; of an evaluator those of its start."""
        for task, (_, _, reads) in zip(stage.tasks, examples, strict=True):
            if task.objective.name == "solution":
                return Range.exactly(reads)
        before = self._trained.get(Path(stage.model))
        return before[1] if before else Range.exactly(self._assumed.solution_tokens)

    # --- scores -------------------------------------------------------------------------------------------------------

    def _score(self, name: str, stage: ScoreCandidates) -> Demand:
        pool = self._data.pool(stage.candidates)
        number = self._number(stage.candidates)
        disk = Range.exactly(number * _SCORE_BYTES)
        if stage.model is None or pool is None:
            return Demand(name, "ScoreCandidates", disk=disk, seconds=Range.exactly(0.5 + 1e-5 * number))
        texts = self._text(stage.model, stage.prompt)
        share = Range(min(0.3, self._assumed.distinct), self._assumed.distinct, 1.0)
        judged = share * number if pool.each > 1 else Range.exactly(number)
        problem = texts.problem(pool.problems) + texts.question()
        here = not stage.by_name
        read = pool.length.times(judged) + (Range.exactly(problem * pool.problems.count) if here else judged * problem)
        shape, seconds = self._shape(stage.model) if here else None, None
        speed = self._speed(stage.model, stage.hardware, stage.prompt) if here else None
        if speed:
            seconds = Range(*(speed.judging(tokens) for tokens in (read.low, read.expected, read.high)))
        machine = self._assumed.machine
        on = stage.hardware if machine is None else Hardware(device="cuda", dtype="bfloat16")
        tokens = min(stage.batch_tokens, int(judged.expected / max(pool.problems.count, 1) * pool.length.expected))
        memory = judging_peak(shape, max(tokens, 1), int(problem), on) if shape else 0.0
        return Demand(
            name, "ScoreCandidates", judged, read, Range.exactly(0.0) if here else judged, memory=memory, disk=disk,
            seconds=seconds, price=self._price(stage, read, judged), assumed=(f"{share.expected:.0%} of the texts differ",),
        )  # fmt: skip


def _load(step_tokens: float, step_reads: float, batch_tokens: int) -> Load:
    """Of a step, cut into passes."""
    passes = max(1, math.ceil(step_tokens / batch_tokens))
    tokens = min(step_tokens, batch_tokens) if passes > 1 else step_tokens
    return Load(int(tokens), int(step_reads * tokens / max(step_tokens, 1.0)), passes)
