"""Other systems' candidate files: many solutions per problem, read into `Candidate`.

Read are this library's own candidates.jsonl (with problems.jsonl, and scores.jsonl where there is one, beside it) and the
formats of `datasets.sample_formats`: Qwen2.5-Math, ToRA and Rho evaluation output, ZeroEval, MathCoder, NeMo-Skills,
search-and-learn, OpenAI's GSM8K samples, and plainly

    {"id": "train/0", "problem": "What is $2+3$?", "answer": "5",
     "samples": ["... The answer is $\\\\boxed{5}$.", "..."], "scores": [0.9, 0.4]}

where samples may be objects {"text", "answer", "score"} too, and `problem`, `answer` and `scores` may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from mathquorum.answers.extract import extract_answer
from mathquorum.datasets.hendrycks_math import math_id
from mathquorum.datasets.sample_formats import RawSample, RawSamples, find_format
from mathquorum.datasets.tables import Row, read_table, stem_of
from mathquorum.errors import DataError
from mathquorum.metrics.pool_files import by_problem, read_candidates, read_scores
from mathquorum.records import Candidate, Problem
from mathquorum.store import read_records

__all__ = ["Answers", "Samples", "StepScores", "probabilities", "read_samples"]

Answers = Literal["extract", "given", "extract_or_given"]
StepScores = Literal["product", "min", "last"]


@dataclass(frozen=True, slots=True)
class Samples:
    """One problem with its candidates.

    Attributes:
        scores: As the file has them, higher is better, one per candidate; None when no candidate has one.
        labels: Whether the file calls each candidate correct; None where it does not say.
    """

    problem: Problem
    candidates: tuple[Candidate, ...]
    scores: tuple[float | None, ...] | None = None
    labels: tuple[bool | None, ...] | None = None


def read_samples(
    path: Path | str | Sequence[Path],
    problems: Path | None = None,
    answers: Answers = "extract_or_given",
    step_scores: StepScores = "last",
) -> Iterator[Samples]:
    """The problems of a candidate file one by one, each with its candidates.

    Args:
        path: A file; a folder with candidates.jsonl, or with NeMo-Skills' output-rs*.jsonl; or several files whose rows
            belong together one by one, so that row 1 of each is about the same problem.
        problems: The problems.jsonl of this library's candidates.jsonl; None takes the one beside it.
        answers: "extract" reads each answer from the text, "given" takes the one in the file, "extract_or_given" takes
            the given one where the text shows none. On nine public pools the last gives the highest
            pass@1 or the same (37.1 against 36.6 and 35.8 on Rho's outputs for MATH-500).
        step_scores: How a list of scores for the steps of a solution becomes one: product, smallest, or last.

    Raises:
        DataError: If a file cannot be read, a line is torn, or rows of several files do not belong together.
    """
    files = _files(path)
    if len(files) == 1 and _is_our_own(files[0]):
        yield from _read_own(files[0], problems or files[0].with_name("problems.jsonl"))
        return
    seen: set[str] = set()
    for rows in zip_longest(*(read_table(file) for file in files)):
        raw = _read_rows(rows, files)
        samples = _samples(raw, stem_of(files[0]), rows[0].number, answers, step_scores)
        if samples.problem.id in seen:
            raise DataError(f"{rows[0].place}: problem {samples.problem.id!r} stands in the file twice.")
        seen.add(samples.problem.id)
        yield samples


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


def _files(path: Path | str | Sequence[Path]) -> list[Path]:
    if isinstance(path, Path | str):
        folder = Path(path)
        if not folder.is_dir():
            return [folder]
        if (folder / "candidates.jsonl").exists():
            return [folder / "candidates.jsonl"]
        found = sorted(folder.glob("output-rs*.jsonl"), key=lambda file: (len(file.name), file.name))
        if not found:
            raise DataError(f"{folder} holds neither candidates.jsonl nor output-rs*.jsonl.")
        return found
    return list(path)


# --- other systems' files --------------------------------------------------------------------------------------------


def _read_rows(rows: Sequence[Row | None], files: Sequence[Path]) -> RawSamples:
    """The samples of the same row of every file, put together."""
    parts = []
    for row, file in zip(rows, files, strict=True):
        if row is None:
            raise DataError(
                f"{file} has fewer rows than the files beside it: each must hold every problem, in one order."
            )
        parts.append(_read_row(row))
    first, *others = parts
    for other, row in zip(others, rows[1:], strict=True):
        if (other.problem, other.reference) != (first.problem, first.reference):
            assert row is not None
            raise DataError(f"{row.place}: is about another problem than the same row of {files[0]}.")
    return replace(first, samples=tuple(sample for part in parts for sample in part.samples))


def _read_row(row: Row) -> RawSamples:
    format = find_format(row)
    try:
        return format.read(row)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{row.place}: not a row of the format {format.name!r} ({type(error).__name__}: {error})."
        ) from error


def _samples(raw: RawSamples, name: str, number: int, answers: Answers, step_scores: StepScores) -> Samples:
    problem = Problem(
        _problem_id(raw, name, number), raw.problem or "", raw.reference, raw.solution, raw.subject, raw.level
    )
    candidates = tuple(
        Candidate(
            problem_id=problem.id,
            index=index,
            text=sample.text,
            answer=_answer(sample, answers),
            logprob=sample.logprob,
            num_tokens=sample.num_tokens,
            finished=sample.finished,
            seed=sample.seed,
        )
        for index, sample in enumerate(raw.samples)
    )
    scores = tuple(_one_score(sample.scores, step_scores) for sample in raw.samples)
    labels = tuple(sample.label for sample in raw.samples)
    return Samples(
        problem,
        candidates,
        scores if any(score is not None for score in scores) else None,
        labels if any(label is not None for label in labels) else None,
    )


def _problem_id(raw: RawSamples, name: str, number: int) -> str:
    if raw.id is None:
        return f"{name}/{number}"
    if raw.id.endswith(".json"):  # MATH's own, as in "test/algebra/24.json"
        return math_id(raw.id)
    return raw.id if "/" in raw.id else f"{name}/{raw.id}"


def _answer(sample: RawSample, answers: Answers) -> str | None:
    if answers == "given":
        return sample.answer
    found = extract_answer(sample.text, None if sample.finished else False)  # a file that does not tell has True
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


def _read_own(file: Path, problems: Path) -> Iterator[Samples]:
    known: Mapping[str, Problem] = {problem.id: problem for problem in read_records(problems, Problem)}
    scores_file = file.with_name("scores.jsonl")
    scores: dict[str, dict[int, float]] = {}
    if scores_file.exists():
        scores = read_scores(scores_file)
    for problem_id, candidates in by_problem(read_candidates(file)).items():
        if problem_id not in known:
            raise DataError(f"{file}: problem {problem_id!r} is not in {problems}.")
        of_problem = scores.get(problem_id, {})
        values = tuple(of_problem.get(candidate.index) for candidate in candidates)
        yield Samples(known[problem_id], tuple(candidates), values if any(v is not None for v in values) else None)
