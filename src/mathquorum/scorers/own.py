"""Scorers of your own: see docs/extending.md."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from mathquorum.config import Kind, Own
from mathquorum.config.unions import OrOwn
from mathquorum.errors import SettingsError
from mathquorum.records import Candidate, Problem, Score

__all__ = ["SCORERS", "AnyOwnScorer", "GivenScorer", "OwnScorer", "own_scores", "scorer_of"]


class OwnScorer(Own):
    """What says how likely a candidate is correct. Fields are its settings; `score` is yours to write."""

    group: ClassVar[str] = "mathquorum.scorers"

    label: str | None = Field(default=None, min_length=1, pattern=r"^[^/\\]+$")
    """Under which it is shown in tables. None: the name of the class, or of its entry point."""

    @property
    def shown_as(self) -> str:
        """See `settings.Scorer.shown_as`."""
        return self.label or self.name.rpartition(":")[2]

    @abstractmethod
    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> Sequence[float]:
        """One number in [0, 1] for each candidate of a problem, higher is better.

        It may depend on the problem and on that candidate alone: `solve` asks only about those whose scores count.
        """


SCORERS = Kind("scorer", OwnScorer, lambda name: Path(name).is_dir(), lambda: (), "a model's folder here")  # type: ignore[type-abstract]

GivenScorer = str | Mapping[str, Any] | OwnScorer
"""MODULE:CLASS with or without settings, a mapping of both, or the scorer itself."""

AnyOwnScorer = Annotated[OwnScorer, OrOwn(SCORERS)]
"""{name: "MODULE:CLASS", ...}, or the text of it."""


def scorer_of(given: GivenScorer) -> OwnScorer:
    """The scorer that a person named, whose module is imported.

    Raises:
        SettingsError: If there is none, or it cannot be used.
    """
    return given if isinstance(given, OwnScorer) else SCORERS.read(given)


def own_scores(scorer: OwnScorer, problem: Problem, candidates: Sequence[Candidate]) -> list[Score]:
    """Candidates of one problem by a scorer of somebody's own.

    Raises:
        SettingsError: If it gives anything but one number in [0, 1] for each.
    """
    found = list(scorer.score(problem, candidates))
    if len(found) != len(candidates):
        raise SettingsError(
            f"{scorer.name} gave {len(found)} scores for the {len(candidates)} candidates of problem {problem.id!r}. score must return one for each."
        )
    values = [_number(value) for value in found]
    wrong = next((given for given, value in zip(found, values, strict=True) if value is None), None)
    if None in values:
        raise SettingsError(
            f"{scorer.name} gave the score {wrong!r:.60} for a candidate of problem {problem.id!r}. Scores are numbers from 0 to 1: a "
            "probability, a share, or 1 / (1 + exp(-reward))."
        )
    return [
        Score(c.problem_id, c.index, value) for c, value in zip(candidates, values, strict=True) if value is not None
    ]


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # NumPy's and torch's too
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= 1 else None
