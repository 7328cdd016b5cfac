"""Models that score solutions without being asked in words: reward models and process reward models."""

from __future__ import annotations

from mathquorum.scorers.settings import AnyReading, AnyScorer, ProcessReward, Question, Reward, Scorer, check_names

__all__ = ["AnyReading", "AnyScorer", "ProcessReward", "Question", "Reward", "Scorer", "check_names"]
