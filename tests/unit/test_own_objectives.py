"""Objectives of a user's own: found by name, checked before a model is loaded, trained with, remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from own_modules import declare
from tiny_models import solutions

from mathquorum.config import Settings, build, parse_overrides
from mathquorum.config.listing import describe
from mathquorum.errors import RunError, SettingsError
from mathquorum.objectives import AnyObjective, MarginLoss
from mathquorum.recipes.paper_settings import Paper
from mathquorum.recipes.train import TrainEvaluator, train_evaluator
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.store import write_records
from mathquorum.training.settings import Training

OBJECTIVE = '''
from pydantic import Field
from mathquorum import OwnObjective
from mathquorum.objectives.examples import keep_fitting
from mathquorum.objectives.verdict import balanced_pairs, log_score, pair_example

class Squared(OwnObjective):
    """A squared hinge on the gap of a pair."""
    margin: float = Field(default=1.0, gt=0)
    slots: int = 4
    wrong: str = ""

    @property
    def num_slots(self):
        return self.slots

    def examples(self, solutions, codec, max_length, seed):
        pairs, left_out = balanced_pairs(solutions, 4, seed)
        return keep_fitting([pair_example(codec, *pair) for pair in pairs], max_length, left_out)

    def losses(self, logprobs):
        gap = log_score(logprobs[:, 0], logprobs[:, 1]) - log_score(logprobs[:, 2], logprobs[:, 3])
        found = (self.margin - gap).clamp(min=0) ** 2
        return {"mean": found.mean(), "detached": found.detach(), "nan": found / 0 * 0}.get(self.wrong, found)
'''


class One(Settings):
    objective: AnyObjective = MarginLoss()


def told(modules: Path, objective: str, **more: object) -> TrainEvaluator:
    write_records(modules / "labeled.jsonl", solutions())
    values = {"data": str(modules / "labeled.jsonl"), "training": {"steps": 2, "batch_tokens": 512}, "batch_size": 2}
    return build(TrainEvaluator, {**values, **more}, parse_overrides(["--objective", objective]))


def test_a_mapping_and_a_text_name_the_same(write_module: Callable[[str], str]) -> None:
    name = write_module(OBJECTIVE)
    made = build(One, {"objective": {"name": f"{name}:Squared", "margin": 2}})
    assert made.objective == build(One, {"objective": f"{name}:Squared(margin=2)"}).objective
    assert made.model_dump(mode="json") == {
        "objective": {"name": f"{name}:Squared", "margin": 2.0, "slots": 4, "wrong": ""}
    }
    assert build(One, made.model_dump(mode="json")) == made == One.model_validate_json(made.model_dump_json())
    paper = {"base": "b", "train": "x", "test": "t"}
    words = ["--evaluator.objectives", f"{{mine: {{name: '{name}:Squared', margin: 3}}, margin: margin}}"]
    assert build(Paper, paper, parse_overrides([*words, "--mtsft.objectives", "margin"])).evaluator.objectives["mine"] == build(
        One, {"objective": f"{name}:Squared(margin=3)"}
    ).objective  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": "{name}:Squared", "margin": -1},
            "objective: {name}:Squared: margin should be greater than 0. Got -1",
        ),
        (
            {"name": "{name}:Squared", "margn": 1},
            "objective: {name}:Squared: Unknown setting 'margn'. Did you mean 'margin'",
        ),
        ({"name": "{name}:balanced_pairs"}, "balanced_pairs is a function, not a subclass of mathquorum.OwnObjective"),
        (
            {"name": "margn"},
            "there is no 'margn'. Did you mean 'margin'? Known: contrastive, cross_entropy, margin, mine, ",
        ),
        ({"name": "margn"}, "One of your own is given as MODULE:CLASS."),
        ({"name": "margin", "margin": -1}, "objective.margin should be greater than 0. Got -1 instead."),
        ({"name": "pairwise"}, "'pairwise' is a built-in objective, and package own 1.0 also declares that name"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    given: dict[str, object], message: str, modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(OBJECTIVE)
    declare(modules, "own", "mathquorum.objectives", mine=f"{name}:Squared", pairwise=f"{name}:Squared")
    assert build(One, {"objective": "mine(margin=2)"}).objective.name == "mine"
    with pytest.raises(SettingsError) as caught:
        build(
            One,
            {
                "objective": {
                    key: value.format(name=name) if isinstance(value, str) else value for key, value in given.items()
                }
            },
        )
    assert message.format(name=name) in str(caught.value)


def test_choices_say_that_it_may_be_an_own_one() -> None:
    listed = {item.name: item.admits for item in describe(TrainEvaluator)}
    assert "steps or MODULE:CLASS." in listed["objective"] and "Parts of pairwise:" in listed["objective"]


def test_an_evaluator_is_trained_with_it_and_again_when_its_file_changes(
    modules: Path, write_module: Callable[[str], str], tiny_model: Path
) -> None:
    name = write_module(OBJECTIVE)
    wanted = told(modules, f"{name}:Squared(margin=2)", model=str(tiny_model))
    made = train_evaluator(Run(modules / "run"), wanted)
    assert (made / "model" / "config.json").exists()
    record = read_record(made)
    assert record is not None and record.summary[f"{name}:Squared examples"] == 10
    assert record.settings["tasks"][0]["objective"] == {
        "name": f"{name}:Squared",
        "margin": 2.0,
        "slots": 4,
        "wrong": "",
    }
    again = Run(modules / "run", dry=True)
    train_evaluator(again, wanted)
    assert again.plan[0].complete
    (modules / f"{name}.py").write_text(OBJECTIVE.replace("** 2", "** 3"))
    with pytest.raises(RunError, match=rf"contents of tasks\.0\.objective \({name}\.py\) changed"):
        train_evaluator(Run(modules / "run", dry=True), wanted)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "slots=3",
            "an example reads a position or slot that is not there: positions are those of its ids, slots 0 to 2",
        ),
        ("wrong=mean", "losses must be one finite number for each example, shape (3,)"),
        ("wrong=nan", "losses must be one finite number for each example"),
        ("wrong=detached", "losses do not depend on the log-probabilities"),
    ],
)
def test_what_somebody_wrote_is_tried_before_a_model_is_loaded(
    settings: str, message: str, modules: Path, write_module: Callable[[str], str], tiny_model: Path
) -> None:
    wanted = told(modules, f"{write_module(OBJECTIVE)}:Squared({settings})", model=str(tiny_model))
    with pytest.raises(SettingsError) as caught:
        train_evaluator(Run(modules / "run"), wanted)
    assert message in str(caught.value)


def test_a_process_that_is_launched_finds_it_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(OBJECTIVE)
    task = {"objective": {"name": "losses:Squared", "margin": 2}, "data": ["d"]}
    text = json.dumps({"model": "m", "tasks": [task], "training": {"steps": 1}})
    code = (
        "import sys; from mathquorum.stages.finetune import Finetune;"
        "print(type(Finetune.model_validate_json(sys.argv[1]).tasks[0].objective).__module__)"
    )
    path = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, text], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )  # fmt: skip
    assert done.stdout.strip() == "losses", done.stderr


def test_python_users_give_the_object(modules: Path, write_module: Callable[[str], str]) -> None:
    module = __import__(write_module(OBJECTIVE))
    task = Task(objective=module.Squared(margin=2), data=(modules / "labeled.jsonl",))
    held = Finetune(model="m", tasks=(task,), training=Training(steps=1))
    assert Finetune.model_validate_json(held.model_dump_json()) == held
