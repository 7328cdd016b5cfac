"""Models from wherever a user has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, write_gguf
from transformers import AutoModelForCausalLM, GgufConfig

from mathquorum.errors import ModelError
from mathquorum.models import Hardware, load_model, load_tokenizer
from mathquorum.models.codec import Codec
from mathquorum.models.sources import Source, read_source, weights_print

TEXT = "What is $12+30$?\n\nAdd: $12+30=42$."


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def gguf_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return write_gguf(make_model(folder / "model", request.param), folder / "model.gguf")


def logits(model: object, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(torch.tensor([ids])).logits  # type: ignore[operator]
    return found


def test_a_gguf_model_gives_the_logits_of_transformers_own_dequantised_one(gguf_file: Path) -> None:
    loaded = load_model(str(gguf_file), Hardware())
    own = AutoModelForCausalLM.from_pretrained(
        gguf_file.parent,
        gguf_file=gguf_file.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
    )
    ids = loaded.codec.prompt(TEXT)
    assert torch.equal(logits(loaded.model, ids), logits(own.eval(), ids))


def test_a_gguf_model_is_near_the_one_that_it_was_made_of(gguf_file: Path) -> None:
    """8 bits a weight: nearly the same logits."""
    loaded, whole = load_model(str(gguf_file), Hardware()), load_model(str(gguf_file.parent / "model"), Hardware())
    ids = whole.codec.prompt(TEXT)
    assert loaded.tokenizer.decode(ids) == TEXT and loaded.codec.end == whole.codec.end
    found, expected = logits(loaded.model, ids), logits(whole.model, ids)
    assert (found - expected).norm() < 0.05 * expected.norm()


def test_a_gguf_model_is_saved_as_a_folder_like_any_other(gguf_file: Path, tmp_path: Path) -> None:
    loaded = load_model(str(gguf_file), Hardware())
    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    again = load_model(str(tmp_path), Hardware())
    ids = loaded.codec.prompt(TEXT)
    assert torch.equal(logits(again.model, ids), logits(loaded.model, ids))


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.6, 0.99])
def test_a_gguf_file_that_was_cut_short_is_refused(share: float, gguf_file: Path, tmp_path: Path) -> None:
    content = gguf_file.read_bytes()
    (tmp_path / "cut.gguf").write_bytes(content[: max(4, int(share * len(content)))])
    with pytest.raises(ModelError, match="cut short or damaged"):
        load_model(str(tmp_path / "cut.gguf"), Hardware())


def test_a_gguf_file_of_an_unknown_architecture_is_refused(gguf_file: Path, tmp_path: Path) -> None:
    name = gguf_file.parent.name[:-1].encode()  # pytest numbers the folder
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf_file.read_bytes().replace(name, b"x" * len(name)))
    with pytest.raises(ModelError, match=r"does not read its architecture 'x+' .*Give the model as"):
        load_model(str(other), Hardware())


def test_what_is_no_gguf_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no GGUF file"):
        load_model(str(tmp_path / "none.gguf"), Hardware())
    (tmp_path / "text.gguf").write_text("a text")
    with pytest.raises(ModelError, match="does not begin with GGUF"):
        load_model(str(tmp_path / "text.gguf"), Hardware())


def test_tokens_beyond_the_embedding_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    tokenizer = load_tokenizer(str(folder))
    tokenizer.add_tokens([f"<new{number}>" for number in range(9)])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="its embedding has 324 rows"):
        load_model(str(folder), Hardware())


@pytest.mark.parametrize("name", ["gpt2", "Qwen/Qwen2.5-1.5B"])
def test_other_names_are_hub_ids(name: str) -> None:
    assert read_source(name) == Source(name) and not read_source(name).is_local


def test_every_weight_counts_in_a_print(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    assert weights_print(folder) == weights_print(tiny_model)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    assert weights_print(folder) != weights_print(tiny_model)


def test_a_tokenizer_of_a_gguf_file_is_loaded_without_its_weights(gguf_file: Path) -> None:
    assert Codec(load_tokenizer(str(gguf_file))).continuation(" correct")
