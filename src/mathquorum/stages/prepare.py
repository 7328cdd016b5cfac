"""Put the training and test problems of a run together from datasets, and count everything that was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

from pydantic import Field, model_validator

from mathquorum import datasets
from mathquorum.answers.extract import extract_answer
from mathquorum.config import InputPath, Settings
from mathquorum.datasets import gsm8k, jsonl, math_shepherd, prm800k
from mathquorum.datasets.contamination import Contamination, find_contamination, find_duplicates
from mathquorum.datasets.prm800k import Prm800k
from mathquorum.datasets.reading import Reading, Tally, reference_solutions
from mathquorum.datasets.union import Union, draw_problems, join, take_weight
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import write_json, write_records

__all__ = ["Prepare", "Source"]


class Source(Settings):
    """One dataset of a union."""

    dataset: str
    """gsm8k, jsonl, math, math_shepherd, minimath or prm800k."""
    path: InputPath | None = None
    """A file or a folder. minimath needs none: it is made."""
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
    prm800k: Prm800k = Prm800k()

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        datasets.check_name(self.dataset)
        given = (self.path is not None) + (self.hub is not None)
        if self.dataset == "minimath" and given:
            raise ValueError("minimath is made, not read: give neither path nor hub.")
        if self.dataset != "minimath" and given != 1:
            raise ValueError(f"dataset {self.dataset!r} needs a path, or a hub id as hub.")
        if self.hub is not None and self.dataset not in ("math", "gsm8k", "jsonl"):
            raise ValueError(f"dataset {self.dataset!r} is read from files only: give a path.")
        if self.columns and self.dataset != "jsonl":
            raise ValueError(f"columns go with dataset 'jsonl'. Got them with {self.dataset!r}.")
        return self


class Prepare(Settings):
    """Makes problems.jsonl (each problem once), labeled.jsonl (the solutions of all sources by weight) and report.json.

    Equal settings and inputs give equal bytes. The stage `Split` deals the problems out to generator, evaluator and validation.
    """

    sources: tuple[Source, ...] = Field(min_length=1)
    """One or several; problems that two sources share are joined under the id of the first."""
    seed: int = 0
    """Draws limits and weights, and makes minimath."""
    exclude: tuple[InputPath, ...] = ()
    """Files of test problems (problems.jsonl, or any that dataset jsonl reads) that must not be among these."""
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    """When a test problem is among these: stop, leave it out, or only report it."""
    unanswered: Literal["drop", "keep"] = "drop"
    """Correct solutions in whose text no final answer is found: a generator that learns them cannot be graded."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If a source cannot be read, nothing is left, or a test problem is among the problems.
        """
        steps = len(self.sources) + 1
        readings: list[Reading] = []
        for number, source in enumerate(self.sources):
            progress(number, steps)
            readings.append(_read(source, self.seed))
        drawn = [
            draw_problems(reading, source.limit, self.seed)
            for source, reading in zip(self.sources, readings, strict=True)
        ]
        union = join(drawn)
        test = [problem for path in self.exclude for problem in jsonl.load(path)]
        found = find_contamination(union.problems, test)
        if found.count and self.contamination == "refuse":
            raise DataError(_refusal(found))
        if self.contamination == "drop":
            union = union.without({train for train, _ in found.pairs})
        if not union.problems:
            raise DataError("No problem is left: every one is also a test problem, or the sources are empty.")
        kept = [_usable(solutions, self.unanswered) for solutions in union.solutions]
        union = replace(union, solutions=tuple(solutions for solutions, _ in kept))
        weighed = [
            take_weight(solutions, source.weight, self.seed)
            for source, solutions in zip(self.sources, union.solutions, strict=True)
        ]
        labeled = [solution for part in weighed for solution in part]
        write_records(out / "problems.jsonl", union.problems)
        write_records(out / "labeled.jsonl", labeled)
        unanswered = sum(problem.answer is None for problem in union.problems)
        report = {
            "sources": [
                _source_report(source, reading, fault, len(part))
                for source, reading, (_, fault), part in zip(self.sources, readings, kept, weighed, strict=True)
            ],
            "problems": len(union.problems),
            "problems_without_answer": unanswered,
            "problems_joined": union.num_joined,
            "duplicates": find_duplicates(union.problems),
            "solutions": len(labeled),
            "solutions_correct": sum(solution.correct for solution in labeled),
            "characters": {
                "problem": _lengths(problem.text for problem in union.problems),
                "solution": _lengths(solution.solution for solution in labeled),
            },
            "contamination": {"policy": self.contamination, **asdict(found), "count": found.count},
        }
        write_json(out / "report.json", report)
        progress(steps, steps)
        return _summary(union, labeled, unanswered, found, sum((fault for _, fault in kept), Counter()), readings)


# --- reading a source ------------------------------------------------------------------------------------------------


def _read(source: Source, seed: int) -> Reading:
    place = source.path or source.hub or ""
    match source.dataset:
        case "prm800k":
            reading = prm800k.read(place, source.split, source.prm800k)
        case "math_shepherd":
            reading = math_shepherd.read(place, source.split)
        case "jsonl":
            reading = jsonl.read(place, source.split, source.columns)
        case "gsm8k":
            reading = reference_solutions(gsm8k.load(place, source.split, source.final_line))
        case "minimath":
            reading = _make_minimath(source, seed)
        case _:
            reading = reference_solutions(datasets.load(source.dataset, place, source.split))
    if source.style is None:
        return reading
    return replace(reading, solutions=tuple(replace(s, style=source.style) for s in reading.solutions))


def _make_minimath(source: Source, seed: int) -> Reading:
    made = datasets.module_of("minimath")
    split = source.split or "train"
    problems = tuple(made.load(split, source.limit, seed))
    solutions = tuple(made.load_solutions(split, source.style or "fine", source.limit, seed))
    return Reading(problems, solutions, Tally("solutions", len(solutions), len(solutions)))


def _usable(solutions: Sequence[LabeledSolution], unanswered: str) -> tuple[tuple[LabeledSolution, ...], Counter[str]]:
    """The solutions that can be trained on, and how many cannot and why."""
    kept, dropped = [], Counter[str]()
    for solution in solutions:
        if not solution.solution.strip():
            dropped["empty solution"] += 1
        elif solution.correct and unanswered == "drop" and extract_answer(solution.solution) is None:
            dropped["no final answer in the solution"] += 1
        else:
            kept.append(solution)
    return tuple(kept), dropped


# --- telling what was done -------------------------------------------------------------------------------------------


def _refusal(found: Contamination) -> str:
    shown = ", ".join(f"{train} = {test}" for train, test in found.pairs[:5])
    more = f" and {len(found.pairs) - 5} more" if len(found.pairs) > 5 else ""
    return (
        f"{found.count} of {found.checked} problems have the same text as a test problem of exclude: {shown}{more}. "
        "Set contamination to 'drop' to leave them out, or to 'allow' to train on them all the same."
    )


def _source_report(source: Source, reading: Reading, unusable: Mapping[str, int], written: int) -> dict[str, Any]:
    return {
        "dataset": source.dataset,
        "from": source.path.name if source.path else source.hub,
        "split": source.split,
        "weight": source.weight,
        "tally": asdict(reading.tally),
        "problems": len(reading.problems),
        "limit": source.limit,
        "unusable": dict(unusable),
        "written": written,
    }


def _lengths(texts: Iterable[str]) -> dict[str, float]:
    lengths = [len(text) for text in texts]
    if not lengths:
        return {}
    return {"mean": round(fmean(lengths), 1), "median": median(lengths), "max": max(lengths)}


def _summary(
    union: Union,
    labeled: Sequence[LabeledSolution],
    unanswered: int,
    found: Contamination,
    unusable: Counter[str],
    readings: Sequence[Reading],
) -> Summary:
    left_out = sum((Counter(reading.tally.dropped) for reading in readings), unusable)
    counts: dict[str, int | float | str] = {"problems": len(union.problems), "solutions": len(labeled)}
    if unanswered:
        counts["problems without an answer"] = unanswered
    if found.count:
        counts["problems also in a test set"] = found.count
    return {**counts, **{f"left out: {why}": number for why, number in sorted(left_out.items())}}
