"""Reward models and process reward models, read as the libraries that train them do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification

from mathquorum.assets import tiny_base_path
from mathquorum.errors import ModelError
from mathquorum.models import Hardware, load_tokenizer
from mathquorum.scorers import ProcessReward, Question, Reward
from mathquorum.scorers.reading import open_reader
from mathquorum.scorers.texts import reading_of

PROBLEM = "What is 2+3?"
SOLUTIONS = [
    "2+3=5\nThe answer is 5.",
    "5",
    "2+3=6\n\nSo the answer\nis 6, and that is all that there is to be said.",
    "",
]
CPU = Hardware(device="cpu")


def made(kind: Any, folder: Path, num_labels: int) -> Path:
    torch.manual_seed(3)
    config = AutoConfig.from_pretrained(tiny_base_path(), num_labels=num_labels)
    kind.from_config(config).save_pretrained(folder)
    load_tokenizer(str(tiny_base_path())).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def rewards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(AutoModelForSequenceClassification, tmp_path_factory.mktemp("rewards"), 1)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(AutoModelForTokenClassification, tmp_path_factory.mktemp("process"), 2)


@pytest.mark.parametrize("batch_tokens", [1, 100, 4096])
def test_a_reward_model_scores_each_solution_as_it_does_alone(rewards: Path, batch_tokens: int) -> None:
    tokenizer = load_tokenizer(str(rewards))
    model = AutoModelForSequenceClassification.from_pretrained(rewards, dtype=torch.float32).eval()
    expected = []
    for solution in SOLUTIONS:
        ids = tokenizer(PROBLEM)["input_ids"] + tokenizer(solution, add_special_tokens=False)["input_ids"]
        hidden = model.model(input_ids=torch.tensor([[*ids, tokenizer.eos_token_id]])).last_hidden_state[0, -1]
        expected.append(float(torch.sigmoid(model.score(hidden))))
    reader = open_reader(Reward(), str(rewards), CPU, batch_tokens)
    assert reader.scores(PROBLEM, SOLUTIONS) == pytest.approx(expected, abs=1e-5)
    assert max(expected) - min(expected) > 1e-3


def test_of_two_classes_the_last_is_the_good_one(tmp_path: Path) -> None:
    folder = made(AutoModelForSequenceClassification, tmp_path, 2)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.score.weight.copy_(torch.stack([model.score.weight[0], model.score.weight[0] * -1]))
    model.save_pretrained(folder)
    (value,) = open_reader(Reward(), str(folder), CPU, 4096).scores(PROBLEM, ["5"])
    with torch.no_grad():
        model.score.weight.mul_(-1)
    model.save_pretrained(folder)
    (turned,) = open_reader(Reward(), str(folder), CPU, 4096).scores(PROBLEM, ["5"])
    assert value + turned == pytest.approx(1, abs=1e-6)
    assert abs(value - 0.5) > 1e-4


def _steps_alone(folder: Path, steps: list[str], separator: str) -> list[float]:
    tokenizer = load_tokenizer(str(folder))
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()
    ids, found = tokenizer(PROBLEM)["input_ids"], []
    for step in steps:
        for part in (step, separator):
            ids = ids + tokenizer(part, add_special_tokens=False)["input_ids"]
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        found.append(float(torch.softmax(logits, dim=-1)[1]))
    return found


@pytest.mark.parametrize(
    ("together", "rule"),
    [("product", math.prod), ("minimum", min), ("last", lambda s: s[-1]), ("mean", lambda s: sum(s) / len(s))],
)
def test_a_process_reward_model_judges_after_each_step(process: Path, together: Any, rule: Any) -> None:
    steps = ["2+3=6", "So the answer", "is 6, and that is all that there is to be said."]
    expected = rule(_steps_alone(process, steps, "\n"))
    reader = open_reader(ProcessReward(together=together), str(process), CPU, 4096)
    assert reader.scores(PROBLEM, SOLUTIONS)[2] == pytest.approx(expected, abs=1e-5)


def test_steps_are_parted_by_the_separator_that_is_set(process: Path) -> None:
    expected = math.prod(_steps_alone(process, ["2+3=6", SOLUTIONS[2].split("\n\n")[1]], "\n\n"))
    reader = open_reader(ProcessReward(separator="\n\n"), str(process), CPU, 4096)
    assert reader.scores(PROBLEM, SOLUTIONS)[2] == pytest.approx(expected, abs=1e-5)


def test_a_solution_longer_than_the_context_scores_0_beside_others_that_do_not(rewards: Path) -> None:
    found = open_reader(Reward(), str(rewards), CPU, 4096).scores(PROBLEM, ["1+1=2 " * 3000, "5"])
    assert found[0] == 0.0 < found[1]


def test_how_a_model_is_read_follows_from_its_head(rewards: Path, process: Path) -> None:
    read = [reading_of(str(model)) for model in (rewards, process, tiny_base_path())]
    assert read == [Reward(), ProcessReward(), Question()]


def test_a_language_model_has_no_head_to_read(process: Path) -> None:
    with pytest.raises(
        ModelError, match=r"cannot be loaded as a reward model: its files lack 1 of its weights .*score"
    ):
        open_reader(Reward(), str(tiny_base_path()), CPU, 4096)
