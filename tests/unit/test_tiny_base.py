"""The pre-training loop, on a model of a few thousand parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from mathquorum.errors import RunError
from mathquorum.pretraining.batches import Batches
from mathquorum.pretraining.beginning import first_tokenizer
from mathquorum.pretraining.corpus import CorpusMix
from mathquorum.pretraining.loop import Progress, learning_rate, pretrain
from mathquorum.pretraining.muon import orthogonalize
from mathquorum.recipes.tiny_base import TwoPartBase, tiny_base
from mathquorum.run import Run
from mathquorum.stages.pretrain import TinyBase

SETTINGS = TinyBase(
    size="nano", num_tokens=5 * 2 * 64, rows=2, context=64, vocabulary_size=400, tokenizer_documents=200,
    warmup_steps=2, checkpoint_steps=2,
)  # fmt: skip


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def dying(report: Progress) -> None:
        raise Killed  # after the last step, whose checkpoint is that of the step before

    whole = pretrain(SETTINGS, tmp_path / "whole")
    with pytest.raises(Killed):
        pretrain(SETTINGS, tmp_path / "killed", dying)
    assert torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)["step"] == 4
    again = pretrain(SETTINGS, tmp_path / "killed")
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()


def test_the_folder_is_an_ordinary_hugging_face_model(tmp_path: Path) -> None:
    steps = []
    folder = pretrain(SETTINGS, tmp_path, steps.append)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer("Problem:\n", return_tensors="pt")["input_ids"]
    assert model.generate(ids, max_new_tokens=3, do_sample=False).shape[1] <= ids.shape[1] + 3
    assert steps[-1].step == steps[-1].num_steps == SETTINGS.num_steps


def test_verdicts_weigh_more_and_what_cannot_be_foreseen_does_not_count() -> None:
    settings = SETTINGS.model_copy(update={"mixes": {0: CorpusMix(solve=0, equations=1, lines=0, questions=0)}})
    tokenizer = first_tokenizer(settings)
    batch = Batches(settings, tokenizer).batch(0)
    heavy = batch.tokens[batch.weights == settings.mixes[0].verdict_weight]
    assert set(tokenizer.convert_ids_to_tokens(heavy)) == {"Ġcorrect", "Ġincorrect"}
    text = "".join(
        tokenizer.decode([token]) if weight else "_"
        for token, weight in zip(batch.tokens[0].tolist(), batch.weights[0].tolist(), strict=True)
    )
    assert re.search(r"_=-?\d+_ correct", text)
    assert not re.search(r"\d_ incorrect", text)
    assert torch.equal(batch.tokens, Batches(settings, first_tokenizer(settings)).batch(0).tokens)


def test_the_recipe_goes_on_from_its_first_part(tmp_path: Path) -> None:
    settings = TwoPartBase(base=SETTINGS, checks=SETTINGS.model_copy(update={"seed": 1}))
    folder = tiny_base(Run(tmp_path), settings)
    first = tmp_path / "base" / "model"
    assert folder == tmp_path / "checks" / "model"
    assert (folder / "tokenizer.json").read_bytes() == (first / "tokenizer.json").read_bytes()
    assert (folder / "model.safetensors").read_bytes() != (first / "model.safetensors").read_bytes()
    assert tiny_base(Run(tmp_path / "short"), TwoPartBase(base=SETTINGS, checks=None)).parent.name == "base"


def test_other_settings_are_refused(tmp_path: Path) -> None:
    pretrain(SETTINGS, tmp_path)
    with pytest.raises(RunError, match="other settings"):
        pretrain(SETTINGS.model_copy(update={"seed": 1}), tmp_path)


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    settings = TinyBase(num_tokens=1000 * 2048)
    factors = [learning_rate(step, settings) for step in (0, 100, 599, 800, 999)]
    assert factors == pytest.approx([0.01, 1, 1, 2 / 3, 1 / 300])


def test_orthogonalized_matrices_have_singular_values_near_one() -> None:
    stack = torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(0))
    for matrices in (stack, stack.mT):
        values = torch.linalg.svdvals(orthogonalize(matrices))
        assert ((values > 0.5) & (values < 1.4)).all()
