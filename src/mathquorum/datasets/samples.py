"""Samples that someone already has: many solutions per problem, read from their files into `Candidate`.

Read are this library's own candidates.jsonl (with problems.jsonl, and scores.jsonl where there is one, beside it), the
formats of `datasets.sample_formats`, and plainly

    {"id": "train/0", "problem": "What is $2+3$?", "answer": "5",
     "samples": ["... The answer is $\\\\boxed{5}$.", "..."], "scores": [0.9, 0.4]}

where samples may be objects {"text", "answer", "score"} too, `problem`, `answer` and `scores` may be missing, and each
solution may have a row of its own: rows with the same id and problem text, or without ids with the same text, are one
problem. Several files are read as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mathquorum.answers.extract import extract_answer
from mathquorum.datasets.joined import Joined, joined
from mathquorum.datasets.sample_columns import ColumnUse
from mathquorum.datasets.sample_formats import LAYOUTS, Columns, RawSample, read_row
from mathquorum.datasets.tables import read_table, stem_of
from mathquorum.errors import DataError
from mathquorum.records import Candidate, Problem
from mathquorum.store import read_records

__all__ = ["Answers", "SampleSet", "Samples", "StepScores", "probabilities", "read_own_samples", "read_samples"]

Answers = Literal["extract", "given", "extract_or_given"]
StepScores = Literal["product", "min", "last"]


@dataclass(frozen=True, slots=True)
class Samples:
    """One problem with its candidates.

    Attributes:
        scores: As the file has them, higher is better, one per candidate; None when no candidate has one.
        labels: Whether the file calls each candidate correct; None where it does not say.
        models: Which model wrote each candidate; None when the file does not say it of any.
    """

    problem: Problem
    candidates: tuple[Candidate, ...]
    scores: tuple[float | None, ...] | None = None
    labels: tuple[bool | None, ...] | None = None
    models: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class SampleSet:
    """All that was read from the files of samples.

    Attributes:
        samples: One per problem, in the order in which they appear first.
        columns: One line for each form of row: which columns were read as what, and which were not.
        notices: What the reader of the figures should know, in words, with how often it was seen.
    """

    samples: tuple[Samples, ...]
    columns: tuple[str, ...] = ()
    notices: Mapping[str, int] | None = None


def read_samples(
    paths: Path | Sequence[Path],
    problems: Path | None = None,
    answers: Answers = "extract_or_given",
    step_scores: StepScores = "last",
    columns: Columns | None = None,
) -> SampleSet:
    """The problems of candidate files, each with its candidates.

    Args:
        paths: A file; a folder with candidates.jsonl, or with NeMo-Skills' output-rs*.jsonl; "-" for standard input; or several
            files, whose solutions of one problem are put together.
        problems: Where references and texts of problems are, joined by id, or by text; of this library's own candidates
            None takes the problems.jsonl beside them.
        answers: "extract" reads each answer from the text, "given" takes the one in the file, "extract_or_given" takes
            the given one where the text shows none. On nine public pools the last gives the highest
            pass@1 or the same (37.1 against 36.6 and 35.8 on Rho's outputs for MATH-500).
        step_scores: How a list of scores for the steps of a solution becomes one: product, smallest, or last.
        columns: Which column holds what, where the names do not tell.

    Raises:
        DataError: If a file cannot be read, a line is torn, or no column can hold solutions.
    """
    files = _files(paths)
    if len(files) == 1 and not columns and files[0].name != "-" and _is_our_own(files[0]):
        return SampleSet(
            tuple(read_own_samples(files[0], problems or files[0].with_name("problems.jsonl"), _beside(files[0])))
        )
    use = ColumnUse()
    read = []
    for file in files:
        for row in read_table(file):
            found = read_row(row, columns)
            use.add(found.row, found.columns)
            read.append((stem_of(file) if file.name != "-" else "stdin", row, found.raw))
    if not read:
        raise DataError(
            f"{', '.join(map(str, files))}: no rows. Known layouts: {', '.join(LAYOUTS)} (docs/datasets.md)."
        )
    together = joined(read, problems)
    samples = tuple(_samples(one, answers, step_scores) for one in together.problems)
    return SampleSet(samples, use.lines(), {**together.notices, **use.notices()})


def probabilities(samples: Sequence[Samples]) -> list[Samples]:
    """The same samples with all scores in [0, 1], as a weighted vote needs them.

    Scores that all lie in [0, 1] stay. Otherwise they are rewards without bounds, taken as log-odds: each becomes
    1 / (1 + exp(-score)), which keeps their order.
    """
    scores = [score for item in samples for score in item.scores or () if score is not None]
    if all(0 <= score <= 1 for score in scores):
        return list(samples)
    return [
        item
        if item.scores is None
        else replace(item, scores=tuple(None if s is None else _sigmoid(s) for s in item.scores))
        for item in samples
    ]


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _files(paths: Path | Sequence[Path]) -> list[Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    files = [file for path in given for file in _files_at(path)]
    twice = {str(file) for file in files if files.count(file) > 1}
    if twice:
        raise DataError(
            f"{', '.join(sorted(twice))}: given twice, and its solutions would count twice. Give each file once."
        )
    return files


def _files_at(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / "candidates.jsonl").exists():
        return [path / "candidates.jsonl"]
    found = sorted(path.glob("output-rs*.jsonl"), key=lambda file: (len(file.name), file.name))
    if not found:
        raise DataError(f"{path} holds neither candidates.jsonl nor output-rs*.jsonl. Give the files themselves.")
    return found


# --- other systems' files --------------------------------------------------------------------------------------------


def _samples(one: Joined, answers: Answers, step_scores: StepScores) -> Samples:
    raw = one.raw
    problem = Problem(one.id, raw.problem or "", raw.reference, raw.solution, raw.subject, raw.level)
    candidates = tuple(
        Candidate(
            problem_id=problem.id,
            index=index,
            text=sample.text,
            answer=_answer(sample, answers),
            logprob=sample.logprob,
            num_tokens=sample.num_tokens,
            finished=sample.finished is not False,
            seed=sample.seed,
        )
        for index, sample in enumerate(raw.samples)
    )
    scores = tuple(_one_score(sample.scores, step_scores) for sample in raw.samples)
    labels = tuple(sample.correct for sample in raw.samples)
    models = tuple(sample.model for sample in raw.samples)
    return Samples(
        problem,
        candidates,
        scores if any(score is not None for score in scores) else None,
        labels if any(label is not None for label in labels) else None,
        models if any(model is not None for model in models) else None,
    )


def _answer(sample: RawSample, answers: Answers) -> str | None:
    if answers == "given":
        return sample.answer
    found = extract_answer(sample.text, sample.finished)
    return sample.answer if found is None and answers == "extract_or_given" else found


def _one_score(scores: tuple[float, ...], step_scores: StepScores) -> float | None:
    if not scores:
        return None
    if step_scores == "last":
        return scores[-1]
    return min(scores) if step_scores == "min" else math.prod(scores)


# --- this library's own ----------------------------------------------------------------------------------------------


def _is_our_own(file: Path) -> bool:
    row = next(read_table(file), None)
    return row is not None and {"problem_id", "index", "text"} <= row.values.keys()


def _beside(file: Path) -> Path | None:
    scores = file.with_name("scores.jsonl")
    return scores if scores.exists() else None


def read_own_samples(file: Path, problems: Path, scores_file: Path | None) -> Iterator[Samples]:
    """The problems of a candidates.jsonl of this library.

    Raises:
        DataError: If a file cannot be read, or a candidate's problem is not among the problems.
    """
    from mathquorum.metrics.pool_files import (  # with numpy, which others need not
        by_problem,
        read_candidates,
        read_scores,
    )

    known: Mapping[str, Problem] = {problem.id: problem for problem in read_records(problems, Problem)}
    scores = {} if scores_file is None else read_scores(scores_file)
    for problem_id, candidates in by_problem(read_candidates(file)).items():
        if problem_id not in known:
            raise DataError(f"{file}: problem {problem_id!r} is not in {problems}.")
        of_problem = scores.get(problem_id, {})
        values = tuple(of_problem.get(candidate.index) for candidate in candidates)
        yield Samples(known[problem_id], tuple(candidates), values if any(v is not None for v in values) else None)
