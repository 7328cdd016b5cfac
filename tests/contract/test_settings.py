"""What is printed of settings can be given back, for every setting of every recipe."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mathquorum.cli import app
from mathquorum.config import Settings, build, parse_overrides
from mathquorum.config.listing import describe
from mathquorum.recipes import RECIPES, recipe
from mathquorum.recipes.paper import Paper

REQUIRED: dict[str, Any] = {
    "base": "some/base",
    "bases": {"S": "some/base"},
    "candidates": "candidates.jsonl",
    "clusters": "clusters.jsonl",
    "data": "labeled.jsonl",
    "evaluators": {"problems": "math:evaluator.jsonl"},
    "model": "some/model",
    "problems": "problems.jsonl",
    "sources": "math:math.jsonl",
    "test": "math:test.jsonl",
    "validation": "math:validation.jsonl",
    "train": {"one": "math:train.jsonl", "another": "jsonl:other.jsonl"},
}


def of(name: str) -> tuple[type[Settings], dict[str, Any]]:
    kind = recipe(name).settings
    needed = [field for field, info in kind.model_fields.items() if info.is_required()]
    return kind, {field: REQUIRED[field] for field in (*needed, *(["data"] if name == "train-evaluator" else []))}


@pytest.mark.parametrize("name", RECIPES)
def test_every_default_that_settings_prints_can_be_given_back(name: str) -> None:
    kind, required = of(name)
    defaults = build(kind, required)
    printed = [line for line in CliRunner().invoke(app, ["settings", name]).output.splitlines() if line[:2] == "--"]
    assert len(printed) == sum(listed.words is not None for listed in describe(kind)) > 0
    for line in printed:
        assert build(kind, parse_overrides(shlex.split(line)), required) == defaults, line
    assert build(kind, parse_overrides(shlex.split(" ".join(printed))), required) == defaults


@pytest.mark.parametrize("name", RECIPES)
def test_the_settings_that_show_prints_are_a_settings_file(name: str) -> None:
    kind, required = of(name)
    settings = build(kind, required)
    assert build(kind, yaml.safe_load(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))) == settings


@pytest.mark.parametrize("name", ["paper", "study", "sample"])
def test_a_kind_of_settings_is_explained_once(name: str) -> None:
    meanings = [listed.meaning for listed in describe(recipe(name).settings)]
    assert sum(meaning.startswith("A stopped training run goes on") for meaning in meanings) <= 1
    assert len([m for m in meanings if len(m) > 40]) == len({m for m in meanings if len(m) > 40})


def test_choices_are_listed() -> None:
    admitted = {listed.name: listed.admits for listed in describe(recipe("paper").settings)}
    assert admitted["generator.schedule"] == "Choices: linear, cosine or constant_with_warmup."
    assert admitted["few_shot"] == "Choices: true or false."
    assert admitted["seeds"] == "At least 1."
    assert admitted["evaluator.objectives"].startswith("Choices: solution, cross_entropy, margin, pairwise")
    engines = {listed.name: listed.admits for listed in describe(recipe("sample").settings)}["engine"]
    assert "embedded, scripted" in engines and "Parts of server:" in engines and "url (required)" in engines


@pytest.mark.parametrize(
    ("objectives", "chosen", "trained"),
    [
        ("{margin: margin, cross_entropy: cross_entropy}", None, ("margin", "cross_entropy")),
        ("{margin: {}}", None, ("margin",)),
        ("{pairwise: pairwise}", None, ()),
        ("{pairwise: pairwise}", "pairwise", ("pairwise",)),
    ],
)
def test_sequential_fine_tuning_follows_the_objectives_that_the_evaluator_has(
    objectives: str, chosen: str | None, trained: tuple[str, ...]
) -> None:
    words = ["--evaluator.objectives", objectives, *(["--mtsft.objectives", chosen] if chosen else [])]
    files = {"base": "b", "train": "t.jsonl", "test": "u.jsonl"}
    assert build(Paper, files, parse_overrides(words)).sequential == trained
