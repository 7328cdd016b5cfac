"""Recipes: Python functions that call stages from top to bottom. Each has one settings object.

To add one: a file, a line below, a row in the docs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mathquorum.config import Settings
from mathquorum.errors import SettingsError, suggest
from mathquorum.run import Run

__all__ = ["RECIPES", "Recipe", "recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the command line needs to know of a recipe."""

    settings: type[Settings]
    follow: Callable[[Run, Any], Path]


RECIPES: dict[str, tuple[str, str, str]] = {
    "cluster": ("mathquorum.recipes.alone", "Cluster", "cluster"),
    "demo": ("mathquorum.recipes.demo", "Demo", "demo"),
    "evaluate": ("mathquorum.recipes.alone", "Evaluate", "evaluate"),
    "label": ("mathquorum.recipes.alone", "Label", "label"),
    "measure": ("mathquorum.recipes.measure", "Measure", "measure"),
    "mini-base": ("mathquorum.recipes.tiny_base", "MiniBase", "mini_base"),
    "paper": ("mathquorum.recipes.paper", "Paper", "paper"),
    "prepare": ("mathquorum.recipes.alone", "Prepare", "prepare"),
    "sample": ("mathquorum.recipes.alone", "Sample", "sample"),
    "score": ("mathquorum.recipes.alone", "ScoreCandidates", "score"),
    "study": ("mathquorum.recipes.study", "Study", "study"),
    "study-full": ("mathquorum.recipes.study", "FullStudy", "study"),
    "study-small": ("mathquorum.recipes.study", "SmallStudy", "study"),
    "tiny-base": ("mathquorum.recipes.tiny_base", "TwoPartBase", "tiny_base"),
    "train-evaluator": ("mathquorum.recipes.train", "TrainEvaluator", "train_evaluator"),
    "train-generator": ("mathquorum.recipes.train", "TrainGenerator", "train_generator"),
}
"""Module, settings and function of each. A module is imported when its recipe is asked for."""


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SettingsError: If there is none.
    """
    if name not in RECIPES:
        raise SettingsError(f"Unknown recipe {name!r}. {suggest(name, RECIPES)}")
    module_name, settings, function = RECIPES[name]
    module = import_module(module_name)
    return Recipe(getattr(module, settings), getattr(module, function))
