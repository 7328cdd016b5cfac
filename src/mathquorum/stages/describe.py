"""Describe: how many problems and solutions a study has, and how long they are in tokens (Table 1 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from pydantic import Field

from mathquorum.config import InputModel, InputPath, Settings
from mathquorum.records import LabeledSolution, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_json

__all__ = ["Describe"]


class Describe(Settings):
    """Makes data.json: {"solutions": {name: figures}, "problems": {name: figures}}, lengths in the model's tokens."""

    model: InputModel
    """Whose tokenizer counts: local folder or hub id."""
    solutions: dict[str, InputPath] = Field(default_factory=dict)
    """labeled.jsonl files, by the name of their source."""
    problems: dict[str, InputPath] = Field(default_factory=dict)
    """problems.jsonl files, by the name of their part."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        from mathquorum.models import load_tokenizer

        tokenizer = load_tokenizer(self.model)

        def length(texts: Sequence[str]) -> float:
            return round(fmean(map(len, tokenizer(list(texts), add_special_tokens=False)["input_ids"])), 1)

        described: dict[str, dict[str, dict[str, float]]] = {"solutions": {}, "problems": {}}
        for name, path in self.solutions.items():
            solutions = list(read_records(path, LabeledSolution))
            described["solutions"][name] = {
                "solutions": len(solutions),
                "problems": len({s.problem_id for s in solutions}),
                "problem tokens": length([s.problem for s in solutions]),
                "solution tokens": length([s.solution for s in solutions]),
            }
        for name, path in self.problems.items():
            problems = list(read_records(path, Problem))
            described["problems"][name] = {
                "problems": len(problems),
                "problem tokens": length([p.text for p in problems]),
            }
        write_json(out / "data.json", described)
        progress(1, 1)
        return {name: int(figures["solutions"]) for name, figures in described["solutions"].items()}
