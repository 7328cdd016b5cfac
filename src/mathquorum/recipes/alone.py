"""Single stages as recipes, with the settings that they have anywhere: each reads and writes the records that the others do.

mathquorum prepare --sources math:math500.jsonl --out runs/test
mathquorum sample --problems runs/test/problems/problems.jsonl --model MODEL --out runs/pool
"""

from __future__ import annotations

from pathlib import Path

from mathquorum.run import Run
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates

__all__ = [
    "Cluster",
    "Evaluate",
    "Label",
    "Prepare",
    "Sample",
    "ScoreCandidates",
    "cluster",
    "evaluate",
    "label",
    "prepare",
    "sample",
    "score",
]


def prepare(run: Run, settings: Prepare) -> Path:
    """Problems and solutions from datasets."""
    return run.do("problems", settings)


def sample(run: Run, settings: Sample) -> Path:
    """Candidates of a generator."""
    return run.do("candidates", settings)


def cluster(run: Run, settings: Cluster) -> Path:
    """Clusters of candidates, graded where there are references."""
    return run.do("clusters", settings)


def label(run: Run, settings: Label) -> Path:
    """Graded candidates as an evaluator's training data."""
    return run.do("labels", settings)


def score(run: Run, settings: ScoreCandidates) -> Path:
    """Scores of candidates."""
    return run.do("scores", settings)


def evaluate(run: Run, settings: Evaluate) -> Path:
    """Figures of a pool."""
    return run.do("evaluation", settings)
