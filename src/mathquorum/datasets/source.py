"""One dataset of a union, as a setting, and how it is read with its solutions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from mathquorum import datasets
from mathquorum.config import InputPath, Settings
from mathquorum.datasets import gsm8k, jsonl, math_shepherd, own, prm800k
from mathquorum.datasets.own import Own
from mathquorum.datasets.own_dataset import DatasetName, own_dataset, read_own_dataset, split_place
from mathquorum.datasets.prm800k import Prm800k
from mathquorum.datasets.reading import Reading, Tally, reference_solutions
from mathquorum.datasets.step_labels import SOFT_THRESHOLD
from mathquorum.datasets.suspects import without_contradictions
from mathquorum.errors import SettingsError, suggest

__all__ = ["AnySource", "Source", "Sources", "read_source"]


class Source(Settings):
    """One dataset of a union."""

    rivals: ClassVar[tuple[tuple[str, ...], ...]] = (("path", "hub"),)

    dataset: DatasetName
    """candidates (a generator's own), gsm8k, jsonl, math, math_shepherd, minimath or prm800k; MODULE:CLASS of your own."""
    path: InputPath | None = None
    """A file or a folder. minimath needs none: it is made; one of your own may do without."""
    hub: str | None = None
    """A Hugging Face hub id in place of a path, for math, gsm8k and jsonl."""
    split: str | None = None
    """For example "train"; for math also "lightman_train" and "lightman_test". None takes all there is."""
    weight: float = Field(default=1.0, gt=0)
    """How often each solution is taken: 2 is twice, 0.5 a half of them. The paper does not give its mixing ratio."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many problems, drawn by the seed (of minimath: the first ones)."""
    columns: dict[str, str] = Field(default_factory=dict)
    """For jsonl: which column holds problem, answer, solution, id, subject, level. Detected when empty."""
    style: str | None = None
    """The tag that `LabeledSolution.style` gets; of minimath also the style in which solutions are made."""
    final_line: gsm8k.FinalLine = "marked"
    """For gsm8k: solutions end in "#### 72" (marked) or "The answer is $\\boxed{72}$." (boxed)."""
    soft_threshold: float = Field(default=SOFT_THRESHOLD, gt=0, le=1)
    """For jsonl with soft labels of steps, between 0 and 1: from which value on a step is good."""
    prm800k: Prm800k = Prm800k()
    """For prm800k: which solutions to take."""
    own: Own = Own()
    """For candidates: which solutions to take."""

    @model_validator(mode="before")
    @classmethod
    def _stage_of_a_run(cls, values: Any) -> Any:
        """The files that count as input. Of a run's own candidates it is the stage that made them: the run changes as it goes on."""
        if isinstance(values, dict) and values.get("dataset") == "candidates" and values.get("path"):
            return {**values, "path": own.sampled_in(Path(values["path"]))}
        return values

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        own_one = own_dataset(self.dataset) is not None
        given = (self.path is not None) + (self.hub is not None)
        if self.dataset == "minimath" and given:
            raise ValueError("minimath is made, not read: give neither path nor hub.")
        if self.dataset != "minimath" and not own_one and given != 1:
            raise ValueError(f"dataset {self.dataset!r} needs a path, or a hub id as hub.")
        if self.hub is not None and self.dataset not in ("math", "gsm8k", "jsonl"):
            raise ValueError(f"dataset {self.dataset!r} is read from files only: give a path.")
        if self.columns and self.dataset != "jsonl":
            raise ValueError(f"columns go with dataset 'jsonl'. Got them with {self.dataset!r}.")
        jsonl.check_columns(self.columns)
        if self.dataset == "minimath":
            _check_minimath(self.split, self.style)
        return self


def _source(value: Any) -> Any:
    """A path alone, DATASET or DATASET:PATH, stands for a source."""
    if isinstance(value, str | Path):
        if isinstance(value, str) and not Path(value).exists() and (placed := split_place(value)):
            return {"dataset": placed[0], "path": placed[1]}
        dataset, colon, path = str(value).partition(":")
        return {"dataset": dataset, "path": path} if colon else {"dataset": "jsonl", "path": str(value)}
    return value


def _source_list(value: Any) -> Any:
    return [_source(item) for item in (value if isinstance(value, list | tuple) else [value])]


AnySource = Annotated[Source, BeforeValidator(_source)]
Sources = Annotated[tuple[Source, ...], BeforeValidator(_source_list), Field(min_length=1)]


def read_source(source: Source, seed: int) -> Reading:
    """The problems and solutions of a source, before its limit and weight.

    Raises:
        DataError: If it cannot be read.
    """
    place = source.path or source.hub or ""
    own_one = own_dataset(source.dataset)
    if own_one:
        return _styled(read_own_dataset(own_one, source.path, source.split), source.style)
    match source.dataset:
        case "prm800k":
            reading = prm800k.read(place, source.split, source.prm800k)
        case "math_shepherd":
            reading = math_shepherd.read(place, source.split)
        case "candidates":
            reading = own.read(place, source.own)
        case "jsonl":
            reading = jsonl.read(place, source.split, source.columns, source.soft_threshold)
        case "gsm8k":
            reading = reference_solutions(gsm8k.load(place, source.split, source.final_line))
        case "minimath":
            reading = _make_minimath(source, seed)
        case _:
            reading = without_contradictions(reference_solutions(datasets.load(source.dataset, place, source.split)))
    return _styled(reading, source.style)


def _styled(reading: Reading, style: str | None) -> Reading:
    if style is None:
        return reading
    return replace(reading, solutions=tuple(replace(s, style=style) for s in reading.solutions))


def _check_minimath(split: str | None, style: str | None) -> None:
    made = datasets.module_of("minimath")
    if split is not None and split not in made.SPLITS:
        raise SettingsError(f"Unknown split {split!r} of minimath. {suggest(split, made.SPLITS)}")
    if style is not None and style not in made.STYLES:
        raise SettingsError(f"Unknown style {style!r} of minimath. {suggest(style, made.STYLES)}")


def _make_minimath(source: Source, seed: int) -> Reading:
    made = datasets.module_of("minimath")
    split = source.split or "train"
    problems = tuple(made.load(split, source.limit, seed))
    solutions = tuple(made.load_solutions(split, source.style or "fine", source.limit, seed))
    return Reading(problems, solutions, Tally("solutions", len(solutions), len(solutions)))
