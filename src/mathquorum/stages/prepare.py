"""Put the training and test problems of a run together from datasets, and count everything that was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

from mathquorum.answers.extract import extract_answer
from mathquorum.config import InputPath, Settings
from mathquorum.datasets import jsonl
from mathquorum.datasets.contamination import Contamination, find_contamination, find_duplicates
from mathquorum.datasets.reading import Reading
from mathquorum.datasets.source import Source, Sources, read_source
from mathquorum.datasets.suspects import holds_control_characters, holds_html, num_with_control_tokens
from mathquorum.datasets.twins import find_twins
from mathquorum.datasets.union import Union, draw_problems, join, take_weight
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import write_json, write_records

__all__ = ["Prepare", "Source"]


class Prepare(Settings):
    """Makes problems.jsonl (each problem once), labeled.jsonl (the solutions of all sources by weight) and report.json.

    Equal settings and inputs give equal bytes. `Split` deals the problems out to generator, evaluator and validation.
    """

    sources: Sources
    """One or several; problems that two sources share are joined under the id of the first."""
    seed: int = 0
    """Draws limits and weights, and makes minimath."""
    exclude: tuple[InputPath, ...] = ()
    """Files of test problems (problems.jsonl, or any that dataset jsonl reads) that must not be among these."""
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    """When a test problem, or a twin of one (minimath: other names, same numbers), is among these: stop, leave it out, or only report it."""
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
            readings.append(read_source(source, self.seed))
        drawn = [
            draw_problems(reading, source.limit, self.seed)
            for source, reading in zip(self.sources, readings, strict=True)
        ]
        union = join(drawn)
        if not union.problems:
            given = ", ".join(str(source.path or source.hub or source.dataset) for source in self.sources)
            raise DataError(f"{given}: no problem is there. Known layouts: docs/datasets.md.")
        test = [problem for path in self.exclude for problem in jsonl.load(path)]
        found = replace(find_contamination(union.problems, test), twins=find_twins(union.problems, test))
        if found.count and self.contamination == "refuse":
            raise DataError(_refusal(found))
        if self.contamination == "drop":
            union = union.without(found.concerned)
        if not union.problems:
            raise DataError("No problem is left: every one is also a test problem.")
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
        duplicates = find_duplicates(union.problems)
        report = {
            "sources": [
                _source_report(source, reading, fault, len(part))
                for source, reading, (_, fault), part in zip(self.sources, readings, kept, weighed, strict=True)
            ],
            "problems": len(union.problems),
            "problems_without_answer": unanswered,
            "problems_joined": union.num_joined,
            "duplicates": duplicates,
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
        unusable = sum((fault for _, fault in kept), Counter[str]())
        return _summary(union, labeled, unanswered, found, unusable, readings, duplicates)


# --- what was done --------------------------------------------------------------------------------------------------


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


def _refusal(found: Contamination) -> str:
    pairs = (*found.pairs, *found.twins)
    shown = ", ".join(f"{train} = {test}" for train, test in pairs[:5])
    more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
    same = "have the same text as a test problem of exclude"
    if found.twins:
        same = "have the same text as a test problem of exclude, or (minimath) its subject and numbers"
    return (
        f"{found.count} of {found.checked} problems {same}: {shown}{more}. "
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
    duplicates: Sequence[Sequence[str]],
) -> Summary:
    left_out = sum((Counter(reading.tally.dropped) for reading in readings), unusable)
    counts: dict[str, int | float | str] = {"problems": len(union.problems), "solutions": len(labeled)}
    if unanswered:
        counts["problems without an answer"] = unanswered
    if found.count:
        counts["problems also in a test set"] = found.count
    noted = sum((Counter(reading.tally.noted) for reading in readings), Counter[str]())
    marked = num_with_control_tokens(union.problems, labeled)
    if marked:
        noted["texts that hold control tokens of common tokenizers"] = marked
    texts = (*(problem.text for problem in union.problems), *(solution.solution for solution in labeled))
    if controls := sum(map(holds_control_characters, texts)):
        noted["texts that hold control characters, as for a terminal"] = controls
    if html := sum(map(holds_html, texts)):
        noted["texts that hold HTML (it stays as it is)"] = html
    if repeated := sum(len(ids) - 1 for ids in duplicates):
        noted["problems whose text stands there before under another id"] = repeated
    return {**counts, **dict(sorted(noted.items())), **{f"left out: {why}": n for why, n in sorted(left_out.items())}}
