"""Adapters: trained, saved, loaded, switched and merged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_model, solutions, write_gguf

from mathquorum.config import build
from mathquorum.engines.base import Request, Sampling
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.engines.opening import open_engines
from mathquorum.errors import ModelError, RunError, SettingsError
from mathquorum.models import Hardware, LoadedModel, load_model, load_together, load_tokenizer, merge_adapter, merged
from mathquorum.objectives import (
    AnyObjective,
    ContrastiveLoss,
    CrossEntropyLoss,
    MarginLoss,
    PairwiseLoss,
    SolutionLoss,
    StepLoss,
)
from mathquorum.run import Run
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.store import read_json, read_rows, write_json, write_records
from mathquorum.training.batches import plan_steps
from mathquorum.training.lora import new_adapter, quantization
from mathquorum.training.settings import Lora, Training
from mathquorum.training.trainer import WeightedObjective, train

OBJECTIVES: list[AnyObjective] = [
    SolutionLoss(),
    CrossEntropyLoss(),
    MarginLoss(),
    PairwiseLoss(),
    ContrastiveLoss(),
    StepLoss(),
]
PROMPTS = ["What is $12+30$?", "Here is a math problem: What is $7 \\cdot 8$?"]
LABELS = [" correct", " incorrect"]
LORA = Lora(r=4, alpha=8)


def finetune(
    place: Path, model: Path | str, objective: AnyObjective | None = None, steps: int = 3, lora: Lora | None = LORA
) -> Path:
    """The model folder of a fine-tuning."""
    place.mkdir(parents=True, exist_ok=True)
    write_records(place / "labeled.jsonl", solutions())
    task = Task(objective=objective or SolutionLoss(), data=(place / "labeled.jsonl",), batch_size=4)
    training = Training(steps=steps, learning_rate=1e-2, log_steps=1, lora=lora)
    stage = Finetune(model=str(model), tasks=(task,), training=training)
    return Run(place / "run").do("tuned", stage) / "model"


def contents(folder: Path) -> dict[str, bytes]:
    """Of each file."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def scores(model: Path | str | LoadedModel) -> torch.Tensor:
    loaded = model if isinstance(model, LoadedModel) else load_model(str(model), Hardware())
    return torch.tensor(HuggingFaceEngine(loaded).label_probabilities(PROMPTS, LABELS))


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finetune(tmp_path_factory.mktemp("adapter"), tiny_model)


@pytest.fixture(scope="module")
def judge(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finetune(tmp_path_factory.mktemp("judge"), tiny_model, MarginLoss())


# --- training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.name)
def test_an_adapter_lowers_every_objective_and_leaves_the_base_alone(
    objective: AnyObjective, family: str, tmp_path: Path
) -> None:
    base = make_model(tmp_path / family, family)
    before = contents(base)
    tuned = finetune(tmp_path, base, objective, steps=12)
    losses = [row["loss"] for _, row in read_rows(tuned.parent / "log.jsonl")]
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
    assert contents(base) == before and not (tuned / "model.safetensors").exists()


def gradients(model: Path, tmp_path: Path, lora: Lora, checkpointing: bool) -> dict[str, torch.Tensor]:
    loaded = load_model(str(model), Hardware())
    examples = MarginLoss().examples(solutions(), loaded.codec, 200, 0).examples
    trained = new_adapter(loaded.model, lora, seed=0)
    training = Training(
        steps=2, batch_tokens=200, learning_rate=1e-2, lora=lora, gradient_checkpointing=checkpointing, log_steps=1
    )
    steps = plan_steps([examples], [6], 2, 0)
    objectives = [WeightedObjective(MarginLoss(), 1.0)]
    train(trained, steps, objectives, training, 0, Hardware(), tmp_path / f"{checkpointing}", lambda done, total: None)
    return {name: p.detach().clone() for name, p in trained.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    "lora", [LORA, Lora(r=4, rslora=True), Lora(r=4, dora=True), Lora(targets=("q_proj", "v_proj"))]
)
def test_gradient_checkpointing_trains_the_same_adapter(lora: Lora, tiny_model: Path, tmp_path: Path) -> None:
    """Of packed rows with shared beginnings, in several chunks a step."""
    plain = gradients(tiny_model, tmp_path, lora, checkpointing=False)
    repeated = gradients(tiny_model, tmp_path, lora, checkpointing=True)
    assert plain.keys() == repeated.keys() and all("lora" in name for name in plain)
    assert all(torch.allclose(plain[name], repeated[name], atol=1e-5) for name in plain)
    assert any(bool(plain[name].any()) for name in plain if "lora_B" in name)


class Cut(Exception):
    """Stands for a kill."""


def losses_of(model: Path, folder: Path, cut_at: int | None = None) -> tuple[list[dict[str, float]], dict[str, Any]]:
    lora = Lora(r=4, dropout=0.1)
    loaded = load_model(str(model), Hardware())
    examples = SolutionLoss().examples(solutions(), loaded.codec, 200, 0).examples

    def progress(done: int, total: int) -> None:
        if done == cut_at:
            raise Cut

    trained = new_adapter(loaded.model, lora, seed=0)
    training = Training(steps=12, learning_rate=3e-3, checkpoint_steps=4, log_steps=1, lora=lora)
    objectives = [WeightedObjective(SolutionLoss(), 1.0)]
    steps = plan_steps([examples], [4], 12, 0)
    log = train(trained, steps, objectives, training, 0, Hardware(), folder, progress).log
    return log, {name: p.detach() for name, p in trained.named_parameters() if p.requires_grad}


def test_a_resumed_adapter_has_the_losses_and_weights_of_an_uncut_one(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(Cut):
        losses_of(tiny_model, tmp_path / "cut", cut_at=6)
    resumed, weights = losses_of(tiny_model, tmp_path / "cut")
    whole, expected = losses_of(tiny_model, tmp_path / "whole")
    assert resumed == whole and len(whole) == 12
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_equal_trainings_give_equal_files(tiny_model: Path, adapter: Path, tmp_path: Path) -> None:
    assert contents(finetune(tmp_path, tiny_model)) == contents(adapter)


def test_training_goes_on_with_an_adapter(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    further = finetune(tmp_path, adapter)
    assert read_json(further / "adapter_config.json")["base_model_name_or_path"] == str(tiny_model)
    first, now = (next(row["loss"] for _, row in read_rows(at.parent / "log.jsonl")) for at in (adapter, further))
    assert now < first


@pytest.mark.parametrize(
    ("lora", "text"),
    [
        (Lora(r=8, alpha=8), "r: 4, now 8"),
        (Lora(r=4, alpha=16), "alpha: 8, now 16"),
        (Lora(r=4, alpha=8, rslora=True), "rslora: False, now True"),
        (Lora(r=4, alpha=8, dora=True), "or dora or targets"),
        (Lora(r=4, alpha=8, targets=("q_proj",)), "or dora or targets"),
    ],
)
def test_training_does_not_go_on_with_other_settings(lora: Lora, text: str, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=text):
        finetune(tmp_path, adapter, lora=lora)


def test_without_lora_an_adapter_is_merged_and_all_weights_are_trained(adapter: Path, tmp_path: Path) -> None:
    whole = finetune(tmp_path, adapter, lora=None)
    assert (whole / "model.safetensors").is_file() and not (whole / "adapter_config.json").exists()
    assert scores(whole).shape == (2, 2)


def test_an_adapter_on_a_gguf_file(tmp_path: Path) -> None:
    file = write_gguf(make_model(tmp_path / "model", "llama"), tmp_path / "model.gguf")
    tuned = finetune(tmp_path, file)
    assert not torch.equal(scores(tuned), scores(file))


# --- used ------------------------------------------------------------------------------------------------------------


def test_an_adapter_is_one_for_peft_too(adapter: Path, tiny_model: Path) -> None:
    from peft import PeftModel

    loaded = load_model(str(tiny_model), Hardware())
    by_peft = PeftModel.from_pretrained(loaded.model, str(adapter)).eval()
    ids = torch.tensor([loaded.codec.prompt(PROMPTS[0])])
    ours = load_model(str(adapter), Hardware())
    with torch.inference_mode():
        assert torch.equal(ours.model(ids).logits, by_peft(ids).logits)


def test_a_merged_model_gives_what_its_adapter_gives(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    loaded = load_model(str(adapter), Hardware())
    apart = scores(loaded)
    assert not torch.allclose(apart, scores(tiny_model), atol=1e-3)
    whole = merged(loaded)
    assert torch.allclose(scores(whole), apart, atol=1e-5)
    whole.model.save_pretrained(tmp_path / "whole")
    whole.tokenizer.save_pretrained(tmp_path / "whole")
    assert torch.allclose(scores(tmp_path / "whole"), apart, atol=1e-5)


def test_two_adapters_and_their_base_are_one_model_in_memory(adapter: Path, judge: Path, tiny_model: Path) -> None:
    """Asked in turn, each gives what it gives alone."""
    names = [str(tiny_model), str(adapter), str(judge)]
    together = load_together(names, Hardware())
    assert together[0].model is together[1].model is together[2].model
    engines = [HuggingFaceEngine(loaded) for loaded in together]
    alone = [scores(name) for name in names]
    for _ in range(2):
        for engine, expected in zip(engines, alone, strict=True):
            found = torch.tensor(engine.label_probabilities(PROMPTS, LABELS))
            assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(alone[1], alone[2], atol=1e-3)


def test_an_adapter_writes_its_own_solutions_between_the_calls_of_another(adapter: Path, judge: Path) -> None:
    writer, weigher = open_engines(str(adapter), str(judge))
    assert weigher
    requests, sampling = [Request(PROMPTS[0], (1, 2, 3))], Sampling(max_tokens=12)
    expected = HuggingFaceEngine(load_model(str(adapter), Hardware())).generate(requests, sampling, [])
    for _ in range(2):
        weigher.label_probabilities(PROMPTS, LABELS)
        assert [c.text for c in writer.generate(requests, sampling, [])[0]] == [c.text for c in expected[0]]


def test_models_of_other_bases_are_loaded_apart(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    other = str(make_model(tmp_path / "other", "llama"))
    first, second = load_together([str(adapter), other], Hardware())
    assert first.model is not second.model and torch.equal(scores(second), scores(other))


def test_merging_writes_a_model_like_any_other(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    merge_adapter(str(adapter), tmp_path / "whole")
    assert torch.allclose(scores(tmp_path / "whole"), scores(adapter), atol=1e-5)
    with pytest.raises(RunError, match="is there already"):
        merge_adapter(str(adapter), tmp_path / "whole")
    with pytest.raises(ModelError, match="has no adapter to merge"):
        merge_adapter(str(tiny_model), tmp_path / "other")


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "seed", "text"), [("llama", 0, "architecture Qwen2ForCausalLM"), ("qwen2", 1, "weights [0-9a-f]{16}")]
)
def test_an_adapter_of_another_base_is_refused(
    family: str, seed: int, text: str, adapter: Path, tmp_path: Path
) -> None:
    other = make_model(tmp_path / "other", family, seed)
    with pytest.raises(ModelError, match=f"is of another base than .*: {text}"):
        load_model(f"{other}+{adapter}", Hardware())


def test_without_a_note_names_and_shapes_decide(adapter: Path, tmp_path: Path) -> None:
    foreign = Path(shutil.copytree(adapter, tmp_path / "foreign"))
    (foreign / "base.json").unlink()
    other = make_model(tmp_path / "other", "gpt2")
    with pytest.raises(ModelError, match="is of another base than"):
        load_model(f"{other}+{foreign}", Hardware())
    with pytest.raises(ModelError, match="its layers have other names or shapes"):
        load_model(f"{_of_one_layer(tmp_path, adapter)}+{foreign}", Hardware())
    assert scores(f"{make_model(tmp_path / 'like', seed=1)}+{foreign}").shape == (2, 2)


def _of_one_layer(tmp_path: Path, adapter: Path) -> Path:
    """The adapter's base without its last layer."""
    base = Path(read_json(adapter / "adapter_config.json")["base_model_name_or_path"])
    folder = Path(shutil.copytree(base, tmp_path / "shorter"))
    config = read_json(folder / "config.json")
    config["num_hidden_layers"] = 1
    config["layer_types"] = config["layer_types"][:1]
    write_json(folder / "config.json", config)
    return folder


def test_an_adapter_whose_base_is_gone_says_how_to_give_it(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(adapter, tmp_path / "moved"))
    settings = read_json(moved / "adapter_config.json")
    write_json(moved / "adapter_config.json", {**settings, "base_model_name_or_path": str(tmp_path / "gone")})
    with pytest.raises(ModelError, match=r"was made for base '.*gone', which is not there. Give it as BASE\+"):
        load_model(str(moved), Hardware())
    assert torch.equal(scores(f"{tiny_model}+{moved}"), scores(adapter))


def test_an_adapter_with_an_embedding_of_its_own_is_refused(adapter: Path, tmp_path: Path) -> None:
    grown = Path(shutil.copytree(adapter, tmp_path / "grown"))
    weights = load_file(grown / "adapter_model.safetensors")
    name = "base_model.model.model.embed_tokens.weight"
    save_file({**weights, name: torch.zeros(330, 32)}, grown / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="holds embeddings or a head of its own"):
        load_model(str(grown), Hardware())


def test_an_adapter_with_tokens_of_its_own_is_refused(adapter: Path, tmp_path: Path) -> None:
    grown = Path(shutil.copytree(adapter, tmp_path / "grown"))
    tokenizer = load_tokenizer(str(adapter))
    tokenizer.save_pretrained(grown)
    assert torch.equal(scores(grown), scores(adapter))
    tokenizer.add_tokens(["<think>"])
    tokenizer.save_pretrained(grown)
    with pytest.raises(ModelError, match="other tokens than its base"):
        load_model(str(grown), Hardware())


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        ("adapter_model.safetensors", b"cut", "not a whole safetensors file"),
        ("adapter_config.json", json.dumps({"peft_type": "IA3", "base_model_name_or_path": "a/b"}).encode(), "'IA3'"),
        ("adapter_config.json", b"{}", "does not name its base"),
    ],
)
def test_a_broken_adapter_is_refused(
    file: str, content: bytes, text: str, adapter: Path, tiny_model: Path, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(adapter, tmp_path / "broken"))
    (broken / file).write_bytes(content)
    with pytest.raises(ModelError, match=text):
        load_model(str(broken) if content == b"{}" else f"{tiny_model}+{broken}", Hardware())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"r": 0}, "lora.r"),
        ({"targets": ["q_proj", "lm_head"]}, "other than the embedding and the head"),
        ({"targets": []}, "other than the embedding and the head"),
    ],
)
def test_settings_that_cannot_be(values: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        build(Training, {"steps": 1, "lora": values})


def test_targets_that_the_model_lacks_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="are not linear layers of Qwen2ForCausalLM"):
        finetune(tmp_path, tiny_model, lora=Lora(targets=("query",)))


def test_four_bits_without_a_gpu_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="load_in_4bit needs a CUDA GPU"):
        finetune(tmp_path, tiny_model, lora=Lora(load_in_4bit=True))
    with pytest.raises(SettingsError, match=r"bitsandbytes \(pip install 'mathquorum\[qlora\]'\)"):
        quantization("cuda")


def test_results_recorded_before_there_was_lora_still_stand(tiny_model: Path, tmp_path: Path) -> None:
    tuned = finetune(tmp_path, tiny_model, lora=None)
    recorded = read_json(tuned.parent / "stage.json")
    del recorded["settings"]["training"]["lora"]
    write_json(tuned.parent / "stage.json", recorded)
    assert finetune(tmp_path, tiny_model, lora=None) == tuned
    with pytest.raises(RunError, match=r"training\.lora"):
        finetune(tmp_path, tiny_model)


def test_another_base_or_adapter_is_another_input(adapter: Path, tiny_model: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    finetune(tmp_path, f"{base}+{moved}")
    assert finetune(tmp_path, f"{base}+{moved}")
    (base / "generation_config.json").write_text("{}")
    with pytest.raises(RunError, match="contents of model changed"):
        finetune(tmp_path, f"{base}+{moved}")
