"""The plans of the recipes, written out: every stage with the files that it reads and what it is told beside its defaults.

A plan that changes on purpose is written again by `make plans`; read the difference before it is checked in, since it
shows what a generator or an evaluator is trained on and what is chosen on which problems.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from mathquorum.assets import tiny_base_path
from mathquorum.config import build
from mathquorum.recipes import recipe
from mathquorum.run import PlannedStage, Run

KEPT = Path(__file__).parent / "plans"

_THREE = {
    "math": ["math.jsonl"],
    "prm800k": [{"dataset": "jsonl", "path": "prm800k.jsonl", "style": "fine"}],
    "both": ["math.jsonl", {"dataset": "jsonl", "path": "prm800k.jsonl", "style": "fine"}],
}
PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "paper": ("paper", {"train": _THREE, "test": "test.jsonl", "mtsft": {"likelihood_weight": 0.7}}),
    "paper-own-evaluator-problems": (
        "paper",
        {
            "train": "math.jsonl",
            "test": "test.jsonl",
            "evaluator": {"problems": "fresh.jsonl"},
            "few_shot": False,
            "contamination": "drop",
        },
    ),
    "paper-two-training-seeds": (
        "paper",
        {
            "train": "math.jsonl",
            "test": "test.jsonl",
            "evaluator": {"problems": "fresh.jsonl"},
            "mtsft": {"objectives": ["margin"]},
            "signals": ["likelihood"],
            "seeds": 2,
        },
    ),
    "demo": ("demo", {}),
    "study": ("study-small", {"seeds": [0, 1], "mtsft": {"likelihood_weight": 0.7}}),
}
"""Recipe and settings of each. Names of files stand for files in a folder of their own."""


def planned(name: str, place: Path, **changed: Any) -> list[PlannedStage]:
    """The plan of that name as the recipe lists it, dry, in an empty folder, with some settings changed."""
    of, values = PLANS[name]
    values = _in_place(values, place) | changed
    if of == "paper":
        values["base"] = str(tiny_base_path())
    found = recipe(of)
    run = Run(place / "run", dry=True)
    found.follow(run, build(found.settings, values))
    return run.plan


def written(plan: list[PlannedStage], place: Path) -> dict[str, dict[str, Any]]:
    """Each stage's kind and settings, with paths that are the same on every machine."""
    made = {}
    for item in plan:
        assert isinstance(item.stage, BaseModel)
        made[item.name] = {"stage": item.kind, **_told(item.stage, place)}
    return made


def read(name: str) -> dict[str, dict[str, Any]]:
    """The plan that is checked in."""
    held: dict[str, dict[str, Any]] = yaml.safe_load((KEPT / f"{name}.yaml").read_text(encoding="utf-8"))
    return held


def _in_place(value: Any, place: Path) -> Any:
    """A file of a few bytes for each name of one."""
    if isinstance(value, Mapping):
        return {key: _in_place(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_place(item, place) for item in value]
    if isinstance(value, str) and value.endswith(".jsonl"):
        (place / value).write_text(f'"{value}"\n')
        return str(place / value)
    return value


def _told(value: Any, place: Path) -> Any:
    """As plain values. Of settings, those that are not the default, and always the name of an objective."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        kept = {
            name: item
            for name, item in value
            if name == "name" or item != fields[name].get_default(call_default_factory=True)
        }
        return _told(kept, place)
    if isinstance(value, Mapping):
        return {str(key): _told(item, place) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_told(item, place) for item in value]
    if isinstance(value, str | Path):
        inside = str(value).replace(str(place), "").replace(str(tiny_base_path().parent), "assets")
        return inside.removeprefix("/")
    return value


def main() -> None:
    """Writes all plans again."""
    KEPT.mkdir(exist_ok=True)
    for name in PLANS:
        with tempfile.TemporaryDirectory() as folder:
            plan = written(planned(name, Path(folder)), Path(folder))
        text = yaml.safe_dump(plan, sort_keys=False, width=160, default_flow_style=None)
        (KEPT / f"{name}.yaml").write_text(text, encoding="utf-8")
        print(f"{name}: {len(plan)} stages", file=sys.stderr)


if __name__ == "__main__":
    main()
