"""How much data a recipe's stages will have: what is here is prepared as the recipe would, beside the run, since that costs no model."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from mathquorum.errors import MathquorumError, ModelError, SettingsError
from mathquorum.models import load_codec
from mathquorum.models.codec import Codec
from mathquorum.planning.assumptions import Assumptions
from mathquorum.planning.demand import Range
from mathquorum.prompts import Prompt
from mathquorum.records import LabeledSolution, Problem
from mathquorum.stages.base import no_progress
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.split import Split
from mathquorum.store import read_records

__all__ = ["Data", "Pool", "Problems", "Solutions", "Texts"]

_LOOKED_AT = 200  # texts whose tokens are counted


@dataclass(frozen=True)
class Problems:
    """problems.jsonl.

    Attributes:
        count: Number.
        texts: Of some of them; none where they are not here.
    """

    count: int
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Solutions:
    """labeled.jsonl.

    Attributes:
        count: Number.
        problems: Number of theirs.
        texts: Problem and solution of some of them; none where they are not here.
        length: Tokens, where that is known otherwise; None to count them.
    """

    count: Range
    problems: Range
    texts: tuple[tuple[str, str], ...] = ()
    length: Range | None = None


@dataclass(frozen=True)
class Pool:
    """candidates.jsonl.

    Attributes:
        problems: Theirs.
        each: Of a problem.
        length: Tokens.
    """

    problems: Problems
    each: int
    length: Range


class Texts:
    """How many tokens texts come to for a model. Without its tokenizer, what was assumed.

    Args:
        model: As `models.sources` reads it.
        wording: How problems are put to it.
        assumed: What is taken without tokenizer or texts.
    """

    def __init__(self, model: str, wording: Prompt, assumed: Assumptions) -> None:
        self._wording, self._assumed = wording, assumed
        self.codec: Codec | None = None
        with contextlib.suppress(ModelError):  # of a shape alone
            self.codec = load_codec(model, wording)

    def problem(self, problems: Problems | Solutions, style: str | None = None) -> float:
        """Tokens of a problem as the generator is shown it, on average."""
        texts = [text if isinstance(text, str) else text[0] for text in problems.texts]
        if self.codec is None or not texts:
            return self._assumed.problem_tokens
        return fmean(len(self.codec.prompt(self._wording.generator(text, style))) for text in texts)

    def solution(self, solutions: Solutions) -> Range:
        """Tokens of a solution, on average."""
        if solutions.length:
            return solutions.length
        if self.codec is None or not solutions.texts:
            return Range.exactly(self._assumed.solution_tokens)
        return Range.exactly(fmean(len(self.codec.written(text)) + 1 for _, text in solutions.texts))

    def question(self) -> float:
        """Tokens that the evaluator's question has beside problem and solution."""
        if self.codec is None:
            return 20.0
        asked = len(self.codec.prompt(self._wording.evaluator("1", "1")))
        return float(asked - len(self.codec.prompt(self._wording.generator("1"))))


class Data:
    """What is known of the files that stages make, by path.

    Args:
        run: The run's directory.
        scratch: An empty folder, in which data are prepared.
        assumed: Sizes of what is not here.
    """

    def __init__(self, run: Path, scratch: Path, assumed: Assumptions) -> None:
        self._run, self._scratch, self._assumed = run, scratch, assumed
        self._known: dict[Path, Problems | Solutions | Pool] = {}

    def put(self, path: Path, known: Problems | Solutions | Pool) -> None:
        """What a file will hold."""
        self._known[path] = known

    def __contains__(self, path: Path) -> bool:
        return path in self._known

    def problems(self, path: Path) -> Problems:
        """What problems.jsonl holds."""
        found = self._known.get(path) or self._read(path)
        assert isinstance(found, Problems)
        return found

    def solutions(self, path: Path) -> Solutions:
        """What labeled.jsonl holds."""
        found = self._known.get(path) or self._read(path)
        assert isinstance(found, Solutions)
        return found

    def pool(self, path: Path) -> Pool | None:
        """What candidates.jsonl holds; None where nothing of the plan makes it."""
        found = self._known.get(path)
        return found if isinstance(found, Pool) else None

    def prepare(self, name: str, stage: Prepare | Split) -> int:
        """Prepares the data of a stage, or takes what was assumed, and returns their bytes.

        Raises:
            SettingsError: If the data are not here and nothing was assumed of them.
        """
        place, made = self._run / name, self._scratch / name
        if name in self._assumed.sizes and isinstance(stage, Prepare):
            count = self._assumed.sizes[name]
            self._put_assumed(place, count)
            return count * 1500
        if isinstance(stage, Split) and not self._problems_here(stage):
            return self._split(place, stage)
        source = place if (place / "stage.json").exists() else made
        if source == made:
            moved = _moved(stage.model_dump(), str(self._run), self._here)
            if isinstance(stage, Prepare):  # what was only assumed excludes nothing
                moved["exclude"] = [path for path in moved["exclude"] if Path(path).exists()]
            made.mkdir(parents=True)
            try:
                type(stage).model_validate(moved).run(made, no_progress)
            except MathquorumError as error:
                raise SettingsError(
                    f"{name} cannot be prepared to be counted: {error}\n"
                    f"Give the number of its problems: --assume '{{sizes: {{{name}: NUMBER}}}}'."
                ) from error
        for file in source.rglob("*.jsonl"):
            self._known[place / file.relative_to(source)] = _counted(file)
        return sum(file.stat().st_size for file in source.rglob("*") if file.is_file())

    def _put_assumed(self, place: Path, count: int) -> None:
        self._known[place / "problems.jsonl"] = Problems(count)
        self._known[place / "labeled.jsonl"] = Solutions(Range.exactly(count), Range.exactly(count))

    def _problems_here(self, stage: Split) -> bool:
        return bool(self.problems(stage.problems).texts)

    def _split(self, place: Path, stage: Split) -> int:
        whole = self.problems(stage.problems).count
        parts = {**stage.parts, stage.rest: whole - sum(stage.parts.values())}
        for part, count in parts.items():
            self._put_assumed(place / part, max(count, 0))
        return whole * 1500

    def _here(self, inside: str) -> str:
        """Where a file of the run is meanwhile."""
        name = Path(inside).parts[0]
        kept = (self._run / name / "stage.json").exists()
        return str((self._run if kept else self._scratch) / inside)

    def _read(self, path: Path) -> Problems | Solutions:
        found = self._known[path] = _counted(path)
        return found


def _moved(value: Any, run: str, here: Any) -> Any:
    """The settings, with each path within the run led elsewhere."""
    if isinstance(value, Mapping):
        return {key: _moved(item, run, here) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(item, run, here) for item in value]
    inside = isinstance(value, Path) and value.is_relative_to(run)
    return here(str(value.relative_to(run))) if inside else value


def _counted(file: Path) -> Problems | Solutions:
    """What a file of problems or of solutions holds."""
    if file.name.startswith("labeled"):
        solutions = list(read_records(file, LabeledSolution))
        number = len({item.problem_id for item in solutions})
        some = tuple((item.problem, item.solution) for item in solutions[:: max(1, len(solutions) // _LOOKED_AT)])
        return Solutions(Range.exactly(len(solutions)), Range.exactly(number), some)
    problems = list(read_records(file, Problem))
    return Problems(len(problems), tuple(item.text for item in problems[:: max(1, len(problems) // _LOOKED_AT)]))
