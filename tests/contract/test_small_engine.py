"""The engine without torch, against the one of transformers: the same distributions, and the same draws where they are certain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from agreement import TOLERANCE, certain_token, compare, distance, distributions
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import make_model

from mathquorum.assets import mini_base_path, tiny_base_path
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.embedded import draws
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.engines.opening import open_engine
from mathquorum.engines.small import engine as small
from mathquorum.engines.small.engine import SmallEngine
from mathquorum.engines.small.llama import SmallLlama, Written
from mathquorum.models import Hardware, load_model
from mathquorum.prompts import CORRECT, INCORRECT, STOP_STRINGS, evaluator_prompt, generator_prompt

PROBLEMS = ["Find t if 5t-12=23.", "What is $7$?", "How many primes are below 20?"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random, with query heads that share key heads, and labels of several tokens."""
    return make_model(tmp_path_factory.mktemp("llama") / "model", "llama", single_token_labels=False)


@pytest.fixture(params=["random", "tiny", "mini"])
def folder(request: pytest.FixtureRequest, llama: Path) -> Path:
    return {"random": llama, "tiny": tiny_base_path(), "mini": mini_base_path()}[request.param]


def both(folder: Path) -> tuple[SmallEngine, HuggingFaceEngine]:
    engine = open_engine(str(folder))
    assert isinstance(engine, SmallEngine)
    return engine, HuggingFaceEngine(load_model(str(folder), Hardware()))


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random, and its texts tell its tokens."""
    return make_model(tmp_path_factory.mktemp("letters") / "model", "llama", letters=True)


def test_it_has_the_distributions_of_transformers(folder: Path) -> None:
    """Given the same beginning, at every place of a text: read at once, and token by token."""
    loaded, model = load_model(str(folder), Hardware()), SmallLlama.from_folder(folder)
    assert model is not None
    before = loaded.codec.prompt(generator_prompt(PROBLEMS[0], "terse"))
    after = loaded.tokenizer("Add $12$ on both sides: $5t=35$. Divide by $5$: $t=7$.\nThe answer is $\\boxed{7}$")[
        "input_ids"
    ]
    expected = distributions(loaded, before, after)
    logits, read = model.read(before)
    written, steps = Written(read), [logits]
    for token in after:
        written.follow([0])
        steps.append(model.step([token], read, written))
    assert distance(softmax(np.concatenate(steps)), expected) < TOLERANCE
    assert distance(softmax(model.read([*before, *after])[0]), expected[-1:]) < TOLERANCE


def softmax(logits: Any) -> Any:
    return torch.softmax(torch.from_numpy(logits).double(), -1).numpy()


def asked(seed: int) -> list[Request]:
    """Of eight candidates each."""
    seeds = [tuple(candidate_seed(seed, problem, index) for index in range(8)) for problem in PROBLEMS]
    return [Request(generator_prompt(p, "terse"), s) for p, s in zip(PROBLEMS, seeds, strict=True)]


@pytest.mark.parametrize("sampling", [{"temperature": 0.0}, {}, {"temperature": 0.5, "top_p": 0.6}])
@pytest.mark.parametrize("stop", [(), ("a",), ("a", "b")])
def test_it_draws_what_the_engine_of_transformers_draws(
    letters: Path, sampling: dict[str, float], stop: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More tokens than there is room for at first, more candidates than are written at once. Tokens of a random model nearly tie
    now and then, so texts may part there, and nowhere else."""
    monkeypatch.setattr(small, "_AT_ONCE", 5)
    ours, theirs = both(letters)
    settings = Sampling(max_tokens=150, **sampling)
    found, expected = ours.generate(asked(0), settings, stop), theirs.generate(asked(0), settings, stop)
    loaded = load_model(str(letters), Hardware())
    for request, one, other in zip(asked(0), found, expected, strict=True):
        made = compare(loaded, request.prompt, request.seeds, settings, stop, one, other)
        assert made.num_unread == 0 and made.num_draws > 150 and made.num_certain > made.num_draws / 2
        logprobs = [[c.logprob for c, same in zip(cs, made.equal, strict=True) if same] for cs in (one, other)]
        assert logprobs[0] == pytest.approx(logprobs[1], abs=1e-2)  # 150 tokens, each within 3e-5 in the measurements


@pytest.mark.parametrize("temperature", [0.0, 0.9])
@pytest.mark.parametrize("base", [tiny_base_path(), mini_base_path()], ids=lambda path: path.name)
def test_it_writes_the_texts_of_transformers_on_the_embedded_bases(base: Path, temperature: float) -> None:
    """All draws of a text are certain by the margin of `agreement.TOLERANCE`, in 24 of 24 texts when this was written."""
    ours, theirs = both(base)
    loaded, sampling = load_model(str(base), Hardware()), Sampling(temperature=temperature, max_tokens=150)
    num_sure = 0
    found, expected = (engine.generate(asked(0), sampling, STOP_STRINGS) for engine in (ours, theirs))
    for request, one, other in zip(asked(0), found, expected, strict=True):
        made = compare(loaded, request.prompt, request.seeds, sampling, STOP_STRINGS, one, other)
        assert all(same or not sure for same, sure in zip(made.equal, made.sure, strict=True))
        logprobs = [[c.logprob for c, same in zip(cs, made.equal, strict=True) if same] for cs in (one, other)]
        assert logprobs[0] == pytest.approx(logprobs[1], abs=1e-2)
        num_sure += sum(made.sure)
    assert num_sure >= 22, "of 24"


def test_it_weighs_labels_as_the_engine_of_transformers_does(folder: Path) -> None:
    ours, theirs = both(folder)
    texts = [f"{PROBLEMS[0]} gives $\\boxed{{{number}}}$." for number in (7, 7, 5, 12)]
    prompts = [evaluator_prompt(PROBLEMS[0], text) for text in texts] + [evaluator_prompt("x", "y " * 600)]
    found = ours.label_probabilities(prompts, (CORRECT, INCORRECT))
    assert found[-1] == []
    for one, other in zip(found, theirs.label_probabilities(prompts, (CORRECT, INCORRECT)), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_single_text_is_weighed(llama: Path) -> None:
    ours, theirs = both(llama)
    (found,), (expected,) = (e.label_probabilities(["1+1=2 is"], (CORRECT, INCORRECT)) for e in (ours, theirs))
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_prompt_that_fills_the_context_gets_an_empty_unfinished_completion(llama: Path) -> None:
    ((completion,),) = both(llama)[0].generate([Request("word " * 300, (1,))], Sampling(), ())
    assert (completion.text, completion.num_tokens, completion.finished) == ("", 0, False)


@given(
    seeds=st.lists(st.integers(0, 2**53 - 1), min_size=1, max_size=6),
    step=st.integers(0, 2000),
    scale=st.floats(0.1, 8),
    temperature=st.sampled_from([0.3, 0.9, 2.0]),
    top_p=st.sampled_from([0.1, 0.95, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_tokens_are_drawn_alike(seeds: list[int], step: int, scale: float, temperature: float, top_p: float) -> None:
    numbers = small.uniform(seeds, step)
    assert numbers.tolist() == draws.uniform(torch.tensor(seeds), step).tolist()
    logits = (np.random.default_rng(seeds[0]).normal(size=200) * scale).astype(np.float32)
    rows = torch.from_numpy(logits).expand(len(seeds), -1)
    theirs = draws.draw_tokens(rows, torch.from_numpy(numbers), temperature, top_p).tolist()
    ours = small.draw_tokens(logits, numbers, temperature, top_p)
    exact = torch.softmax(torch.from_numpy(logits).double() / temperature, -1).numpy()
    for number, one, other in zip(numbers, ours, theirs, strict=True):
        # Both round an exponential and a sum of 200 of them to float32, to within 1e-6 together.
        must = certain_token(exact, number, top_p, tolerance=1e-6)
        assert must is None or one == other == must


def test_of_equal_tokens_the_lower_one_comes_first() -> None:
    logits = np.array([0, 2, 1, 2, 1], np.float32)
    tokens = [1, 1, 3, 2, 4, 0]
    probabilities = np.exp(logits) / np.exp(logits).sum()
    edges = np.cumsum(probabilities[[1, 3, 2, 4, 0]])
    numbers = np.array([0, edges[0] - 0.01, edges[0] + 0.01, edges[1] + 0.01, edges[2] + 0.01, edges[3] + 0.01])
    rows = torch.from_numpy(logits).expand(len(numbers), -1)
    assert small.draw_tokens(logits, numbers, 1.0, 1.0) == tokens
    assert draws.draw_tokens(rows, torch.from_numpy(numbers), 1.0, 1.0).tolist() == tokens


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "qwen2"},
        {"hidden_act": "gelu"},
        {"attention_bias": True},
        {"mlp_bias": True},
        {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}},
        {"rope_parameters": {"type": "linear", "factor": 2.0, "rope_theta": 1e4}},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
        {"rope_scaling": {"type": "linear", "factor": 2.0}},
        {"quantization_config": {"bits": 4}},
        {"anything": "else"},
        {"num_hidden_layers": 3},
        {"num_hidden_layers": 1},
        {"num_attention_heads": 2},
        {"num_key_value_heads": 4},
        {"num_key_value_heads": 3},
        {"head_dim": 16},
        {"intermediate_size": 32},
        {"vocab_size": 100},
        {"max_position_embeddings": 10**12},
        {"tie_word_embeddings": True},
        {"hidden_size": None, "head_dim": None},
    ],
)
def test_what_it_does_not_know_is_left_to_transformers(change: dict[str, Any], llama: Path, tmp_path: Path) -> None:
    copy(llama, tmp_path)
    assert SmallLlama.from_folder(tmp_path)
    config = json.loads((llama / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert SmallLlama.from_folder(tmp_path) is None


@pytest.mark.parametrize("file", ["special_tokens_map.json", "added_tokens.json", "adapter_config.json"])
def test_files_that_have_a_say_are_left_to_transformers(file: str, llama: Path, tmp_path: Path) -> None:
    copy(llama, tmp_path)
    (tmp_path / file).write_text("{}")
    assert SmallEngine.from_folder(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"pad_token": "the"},
        {"eos_token": "the"},
        {"eos_token": {"content": "<eos>"}},
        {"additional_special_tokens": ["<eos>"]},
        {"added_tokens_decoder": {}},
        {"tokenizer_class": "LlamaTokenizer"},
    ],
)
def test_settings_that_have_a_say_are_left_to_transformers(change: dict[str, Any], llama: Path, tmp_path: Path) -> None:
    copy(llama, tmp_path)
    settings = json.loads((llama / "tokenizer_config.json").read_text()) | change
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert SmallEngine.from_folder(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"truncation": {"direction": "Right", "max_length": 12, "strategy": "LongestFirst", "stride": 0}},
        {
            "padding": {
                "strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None,
                "pad_id": 0, "pad_type_id": 0, "pad_token": "<eos>",
            }
        },
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_tokenizer_neither_truncates_nor_pads(change: dict[str, Any], llama: Path, tmp_path: Path) -> None:
    """As with transformers: what a tokenizer's file says of it is left from training."""
    copy(llama, tmp_path)
    held = json.loads((llama / "tokenizer.json").read_text()) | change
    (tmp_path / "tokenizer.json").write_text(json.dumps(held))
    prompts = [f"{problem} It is" for problem in PROBLEMS]
    found, expected = (
        both(folder)[0].label_probabilities(prompts, (CORRECT, INCORRECT)) for folder in (tmp_path, llama)
    )
    assert found == expected


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}"])
def test_broken_files_are_left_to_transformers(file: str, content: bytes | None, llama: Path, tmp_path: Path) -> None:
    copy(llama, tmp_path)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    assert SmallEngine.from_folder(tmp_path) is None


def test_large_models_and_other_precisions_are_left_to_transformers(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(str(llama), Hardware())
    loaded.model.to(torch.bfloat16).save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    assert SmallLlama.from_folder(tmp_path) is None
    monkeypatch.setattr("mathquorum.engines.small.llama._LARGEST", 1000)
    assert SmallLlama.from_folder(llama) is None


def test_other_models_are_opened_by_transformers(tmp_path: Path) -> None:
    assert isinstance(open_engine(str(make_model(tmp_path / "qwen2"))), HuggingFaceEngine)


def test_solve_on_the_embedded_model_imports_neither_torch_nor_transformers(tmp_path: Path) -> None:
    """A second in place of nine; with an evaluator too."""
    code = (
        "import sys; from mathquorum.cli import app; from mathquorum.assets import tiny_base_path as path\n"
        "app(['solve', 'Find t if 5t-12=23.', '-n', '2', '--evaluator', str(path())], standalone_mode=False)\n"
        "print('loaded', *(name for name in ('torch', 'transformers') if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.rstrip().splitlines()[-1] == "loaded"


def copy(source: Path, target: Path) -> None:
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
