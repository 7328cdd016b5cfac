"""Imports point down. The floors are those of docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "mathquorum"

FLOORS = {
    "records errors config store processes spreading versions": 0,
    "answers prompts selection metrics report study stopping": 1,
    "datasets engines evaluator models scorers objectives training pretraining": 2,
    "stages run solving voting serving reward": 3,
    "recipes assets launched planning sharing": 4,
    "cli door __main__": 5,
}
FLOOR = {name: floor for names, floor in FLOORS.items() for name in names.split()}
COLUMNS = {
    "datasets": {"datasets"},
    "engines": {"engines", "evaluator", "models"},
    "evaluator": {"evaluator", "engines", "models", "scorers"},
    "models": {"models"},
    "scorers": {"scorers", "models"},
    "training": {"training", "models", "objectives"},
    "objectives": {"objectives", "models"},
    "pretraining": {"pretraining", "datasets", "training"},
}
"""Within floor 2: what each column may import of that floor."""


def imports() -> Iterator[tuple[str, str, str]]:
    """Place, importing part and imported part of every import of our own, function-level ones included."""
    for file in sorted(ROOT.rglob("*.py")):
        part = file.relative_to(ROOT).with_suffix("").parts[0]
        if part == "__init__":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mathquorum"):
                names = (
                    [f"mathquorum.{alias.name}" for alias in node.names]
                    if node.module == "mathquorum"
                    else [node.module]
                )
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.startswith("mathquorum.")]
            for name in names:
                target = name.split(".")[1]
                if not target.startswith("__"):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", part, target


def test_every_part_has_a_floor() -> None:
    parts = {p.stem for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}
    assert parts == set(FLOOR)


def test_imports_point_down() -> None:
    wrong = [f"{place} imports {target}" for place, part, target in imports() if FLOOR[target] > FLOOR[part]]
    assert not wrong


def test_no_two_rooms_import_each_other_by_whatever_way() -> None:
    arrows: dict[str, set[str]] = {}
    for _, part, target in imports():
        arrows.setdefault(part, set()).add(target)
    for part in arrows:
        reached, waiting = set(), [target for target in arrows[part] if target != part]
        while waiting:
            room = waiting.pop()
            if room not in reached:
                reached.add(room)
                waiting.extend(arrows.get(room, set()) - {room})
        assert part not in reached, f"a circle of imports runs through {part}"


def test_the_map_names_every_room() -> None:
    page = (ROOT.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [part for part in FLOOR if f"`{part}/`" not in page and f"`{part}`" not in page] == []


def test_the_columns_of_the_second_floor_do_not_import_each_other() -> None:
    wrong = [
        f"{place} imports {target}"
        for place, part, target in imports()
        if FLOOR[part] == FLOOR[target] == 2 and target not in COLUMNS[part]
    ]
    assert not wrong


def test_stages_do_not_import_each_other() -> None:
    shared = {"mathquorum.stages.base", "mathquorum.stages.units", "mathquorum.stages.meter"}
    wrong = [
        f"{place} imports {name}"
        for place, name in modules_imported("stages")
        if name.startswith("mathquorum.stages.") and name not in shared
    ]
    assert not wrong


def test_stages_and_recipes_know_engines_by_their_settings_alone() -> None:
    """Else an engine could not be added by its own file."""
    known = {"mathquorum.engines", "mathquorum.engines.base", "mathquorum.engines.settings"}
    wrong = [
        f"{place} imports {name}"
        for folder in ("stages", "recipes")
        for place, name in modules_imported(folder)
        if name.startswith("mathquorum.engines") and name not in known
    ]
    assert not wrong


def modules_imported(folder: str) -> Iterator[tuple[str, str]]:
    """Place and module of every `from` import in a folder."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node.module


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("mathquorum.cli", {"torch", "transformers", "pydantic", "numpy"}),
        ("mathquorum.answers", {"torch", "sympy", "numpy", "pydantic"}),
        ("mathquorum.voting", {"torch", "transformers", "sympy", "matplotlib"}),
        ("mathquorum.recipes.paper", {"torch", "transformers", "sympy"}),
        ("mathquorum.recipes.demo", {"torch", "transformers", "sympy"}),
    ],
)
def test_light_doors_load_nothing_heavy(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {absent!r}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
