"""What scores solutions without being asked in words: reward models, process reward models, and scorers of a user's own."""

from __future__ import annotations

from mathquorum.scorers.own import AnyOwnScorer, OwnScorer
from mathquorum.scorers.settings import AnyReading, AnyScorer, ProcessReward, Question, Reward, Scorer, check_names

__all__ = [
    "AnyOwnScorer",
    "AnyReading",
    "AnyScorer",
    "OwnScorer",
    "ProcessReward",
    "Question",
    "Reward",
    "Scorer",
    "check_names",
]
