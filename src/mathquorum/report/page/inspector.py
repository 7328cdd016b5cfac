"""The inspector's data: every problem of a pool with its clusters, their members, why they were merged and who chose what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mathquorum.answers import explain, explain_match
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.selection import Strategy

__all__ = ["InspectedPool", "Looked", "look_at", "looked_json"]

MAX_FORMS = 6  # ways of writing an answer that a cluster shows, each with the rule that merged it
MAX_ANSWER = 300  # characters


@dataclass(frozen=True)
class Looked:
    """One problem of a pool.

    Attributes:
        candidates: By index.
        scores: By scorer, then by candidate; without scores empty.
        chosen: By scorer ("" where there is none), then by strategy: the place of the chosen cluster, -1 for none.
    """

    problem: Problem
    num_candidates: int
    clusters: Sequence[AnswerCluster]
    candidates: Mapping[int, Candidate]
    scores: Mapping[str, Mapping[int, float]]
    chosen: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class InspectedPool:
    """The problems of one generator.

    Attributes:
        scorers: Those whose choices are shown; [""] where there are only votes.
    """

    name: str
    scorers: Sequence[str]
    problems: Sequence[Looked] = field(default_factory=tuple)


def look_at(
    problem: Problem,
    num_candidates: int,
    clusters: Sequence[AnswerCluster],
    candidates: Iterable[Candidate],
    scores: Mapping[str, Mapping[int, float]],
    strategies: Mapping[str, Sequence[Strategy]],
) -> Looked:
    """Looks at one problem.

    Args:
        scores: By scorer, then by candidate.
        strategies: By scorer, "" for none; each is asked for its choice.
    """
    chosen = {
        scorer: {s.name: _place(clusters, s.select(clusters, scores.get(scorer, {}))) for s in of_scorer}
        for scorer, of_scorer in strategies.items()
    }
    return Looked(problem, num_candidates, clusters, {c.index: c for c in candidates}, scores, chosen)


def _place(clusters: Sequence[AnswerCluster], chosen: AnswerCluster | None) -> int:
    return next((place for place, cluster in enumerate(clusters) if cluster is chosen), -1)


def looked_json(looked: Looked, strategies: Sequence[str]) -> dict[str, Any]:
    """All but the candidates' texts, in short keys: the page holds tens of thousands of these.

    Args:
        strategies: In the order in which choices are listed.
    """
    reference = looked.problem.answer
    return {
        "id": looked.problem.id,
        "n": looked.num_candidates,
        "c": [_cluster_json(cluster, looked, reference) for cluster in looked.clusters],
        "s": {scorer: _per_mille(found, looked) for scorer, found in looked.scores.items() if found},
        "p": {scorer: [found.get(name) for name in strategies] for scorer, found in looked.chosen.items()},
        "k": [c.num_tokens for _, c in sorted(looked.candidates.items())],
        "x": [index for index, c in sorted(looked.candidates.items()) if not c.finished],
    }


def _cluster_json(cluster: AnswerCluster, looked: Looked, reference: str | None) -> dict[str, Any]:
    written = Counter(looked.candidates[i].answer or cluster.answer for i in cluster.members if i in looked.candidates)
    others = [form for form in written if form != cluster.answer]
    held: dict[str, Any] = {"a": cluster.answer[:MAX_ANSWER], "m": list(cluster.members)}
    if cluster.correct is not None:
        held["ok"] = cluster.correct
    if reference is not None:
        held["g"] = explain_match(reference, cluster.answer).rule
    if others:
        held["f"] = [
            [form[:MAX_ANSWER], explain(form, cluster.answer).rule, written[form]] for form in others[:MAX_FORMS]
        ]
        held["w"] = len(others)
    return held


def _per_mille(scores: Mapping[int, float], looked: Looked) -> list[int | None]:
    indices = range(max((*looked.candidates, *scores), default=-1) + 1)
    return [round(1000 * scores[i]) if i in scores else None for i in indices]
