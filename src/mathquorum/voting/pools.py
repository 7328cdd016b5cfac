"""Pools made from files of samples: candidates in clusters of equivalent answers, with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from mathquorum.answers import cluster_candidates
from mathquorum.datasets.sample_formats import Columns
from mathquorum.datasets.samples import (
    Answers,
    Samples,
    SampleSet,
    StepScores,
    probabilities,
    read_own_samples,
    read_samples,
)
from mathquorum.datasets.suspects import holds_control_characters, holds_html
from mathquorum.errors import DataError, SettingsError, suggest
from mathquorum.metrics import Pool
from mathquorum.records import largest_first
from mathquorum.scorers.own import OwnScorer, own_scores
from mathquorum.voting.runs import pools_of_run

__all__ = ["ReadPools", "VotePool", "check_options", "pools_of", "read_pools", "scored_by"]


@dataclass(frozen=True)
class VotePool:
    """One problem's samples with their clusters.

    Attributes:
        pool: Its clusters are not graded (`correct` is None) where the problem has no reference. Where scores are used, a
            candidate that has none counts as 0: it adds nothing to a sum and is never the best.
        scored: The candidates that have a score; empty where scores are not used.
    """

    samples: Samples
    pool: Pool
    scored: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ReadPools:
    """The pools of candidate files.

    Attributes:
        items: One per problem that has candidates.
        counts: What was read, and what was left out, has no answer, or should be known.
        columns: Which columns were read, in a line for each form of row.
    """

    items: Sequence[VotePool]
    counts: Mapping[str, int]
    columns: Sequence[str] = ()

    @property
    def pools(self) -> list[Pool]:
        """Those of problems that have a reference answer: the ones that can be graded."""
        return [item.pool for item in self.items if item.samples.problem.answer is not None]

    @property
    def scored_pools(self) -> list[Pool]:
        """The same with only the candidates that have a score in their clusters: what figures about scores are made of."""
        return [
            _only(item.pool, item.scored)
            for item in self.items
            if item.samples.problem.answer is not None and item.scored
        ]


def read_pools(
    paths: Sequence[Path],
    problems: Path | None = None,
    *,
    columns: Columns | None = None,
    answers: str = "extract_or_given",
    step_scores: str = "last",
    scorer: OwnScorer | None = None,
) -> ReadPools:
    """Reads the candidates and clusters their answers by equivalence. The scores of a scorer take the place of those in the files.

    Scores are used when at least half of the candidates with an answer have one.

    Raises:
        SettingsError: If an option is unknown.
        DataError: If a file cannot be read, or no problem has candidates.
    """
    check_options(answers, step_scores)
    found = read_samples(paths, problems, cast(Answers, answers), cast(StepScores, step_scores), columns)
    return pools_of(scored_by(scorer, found))


def read_run_pools(path: Path, scorer: OwnScorer | None = None) -> dict[str, ReadPools]:
    """The pools of a run of this library, or of one of its stages, by the name of the stage that scored or made them.

    Raises:
        DataError: If it has no candidates, or their problems cannot be found.
    """
    return {
        found.name: pools_of(
            scored_by(scorer, SampleSet(tuple(read_own_samples(found.candidates, found.problems, found.scores))))
        )
        for found in pools_of_run(path)
    }


def scored_by(scorer: OwnScorer | None, found: SampleSet) -> SampleSet:
    """The samples with the scores of a scorer, if there is one."""
    if scorer is None:
        return found
    return replace(found, samples=tuple(replace(item, scores=_scored(scorer, item)) for item in found.samples))


def _scored(scorer: OwnScorer, item: Samples) -> tuple[float, ...]:
    return tuple(score.value for score in own_scores(scorer, item.problem, item.candidates))


def check_options(answers: str, step_scores: str) -> None:
    """Raises:
    SettingsError: If an option is unknown.
    """
    for name, value, known in (
        ("answers", answers, get_args(Answers)),
        ("step_scores", step_scores, get_args(StepScores)),
    ):
        if value not in known:
            raise SettingsError(f"Unknown {name} {value!r}. {suggest(value, known)}")


def pools_of(found: SampleSet) -> ReadPools:
    """The pools of samples.

    Raises:
        DataError: If no problem has candidates.
    """
    read = [item for item in probabilities(found.samples) if item.candidates]
    if not read:
        raise DataError(f"None of the {len(found.samples)} problems has candidates, so there is nothing to vote on.")
    clustered = [(item, cluster_candidates(item.problem.id, item.candidates, item.problem.answer)) for item in read]
    answered = sum(len(cluster.members) for _, clusters in clustered for cluster in clusters)
    scores = [_scores(item) for item, _ in clustered]
    scored = sum(
        i in known for (_, found), known in zip(clustered, scores, strict=True) for c in found for i in c.members
    )
    used = 2 * scored >= answered and scored > 0
    items = []
    for (item, clusters), known in zip(clustered, scores, strict=True):
        filled = {c.index: known.get(c.index, 0.0) for c in item.candidates} if used else {}
        pool = Pool(item.problem.id, len(item.candidates), clusters, filled)
        items.append(VotePool(item, pool, frozenset(known) if used else frozenset()))
    lost = "they count as 0 and never win" if used else "scores are not used: fewer than half have one"
    counts = {
        "problems": len(items),
        "candidates": sum(len(item.candidates) for item in read),
        "candidates without an answer": sum(len(item.candidates) for item in read) - answered,
        "candidates that were cut off": sum(not c.finished for item in read for c in item.candidates),
        "candidates with control characters in their text (shown written out)": sum(
            holds_control_characters(f"{c.text}{c.answer or ''}") for item in read for c in item.candidates
        ),
        "problems with control characters in their text (shown written out)": sum(
            holds_control_characters(item.problem.text) for item in read
        ),
        "candidates with HTML in their text": sum(holds_html(c.text) for item in read for c in item.candidates),
        "problems with HTML in their text": sum(holds_html(item.problem.text) for item in read),
        "problems without candidates, left out": len(found.samples) - len(read),
        "problems without a reference, voted on and not graded": sum(item.problem.answer is None for item in read),
        f"answered candidates without a score ({lost})": answered - scored if scored else 0,
        **_sizes(read),
        **(found.notices or {}),
    }
    return ReadPools(
        items, {name: count for name, count in counts.items() if count or name == "problems"}, found.columns
    )


def _scores(item: Samples) -> dict[int, float]:
    pairs = zip(item.candidates, item.scores or (), strict=False)
    return {candidate.index: score for candidate, score in pairs if score is not None}


def _sizes(read: Sequence[Samples]) -> dict[str, int]:
    sizes = [len(item.candidates) for item in read]
    largest, smallest = max(sizes), min(sizes)
    if largest == smallest:
        return {}
    words = (
        f"problems with fewer than {largest} candidates (from {smallest}): in figures @{largest} each counts with all it has, "
        f"and curves end at {smallest}"
    )
    return {words: sum(size < largest for size in sizes)}


def _only(pool: Pool, members: Iterable[int]) -> Pool:
    """The pool with only these candidates in its clusters."""
    kept = set(members)
    clusters = [replace(c, members=tuple(i for i in c.members if i in kept)) for c in pool.clusters]
    left = sorted((c for c in clusters if c.members), key=lambda c: largest_first(c.members))
    return replace(pool, clusters=left, scores={i: s for i, s in pool.scores.items() if i in kept})


def of_models(read: ReadPools) -> dict[str, list[Pool]]:
    """The graded pools of each model alone, where the files name several models."""
    models = dict.fromkeys(m for item in read.items for m in item.samples.models or () if m is not None)
    if len(models) < 2:
        return {}
    found: dict[str, list[Pool]] = {model: [] for model in models}
    for item in read.items:
        if item.samples.problem.answer is None:
            continue
        members: dict[str, list[int]] = {}
        for candidate, model in zip(item.samples.candidates, item.samples.models or (), strict=False):
            if model is not None:
                members.setdefault(model, []).append(candidate.index)
        for model, own in members.items():
            found[model].append(replace(_only(item.pool, own), num_candidates=len(own)))
    return {model: pools for model, pools in found.items() if pools}
