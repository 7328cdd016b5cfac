"""How many candidates fit into memory, checked against sums done by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import make_model, write_gguf
from transformers import LlamaConfig, Qwen2Config

from mathquorum.engines.base import Sampling
from mathquorum.engines.embedded import memory
from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape
from mathquorum.records import Problem
from mathquorum.stages.base import no_progress
from mathquorum.stages.sample import Sample
from mathquorum.store import write_records

QWEN_7B = Qwen2Config(
    hidden_size=3584, num_hidden_layers=28, num_attention_heads=28, num_key_value_heads=4, vocab_size=152_064
)


def test_a_row_holds_its_keys_values_and_logits() -> None:
    # 28 layers x keys and values x 4 heads x 128 numbers x 2 bytes = 57,344 bytes a token, twice while it is copied
    assert memory.row_bytes(Shape.of_config(QWEN_7B), 2, 512) == int(2.25 * 57_344 * 512) + 8 * 152_064


def test_without_grouped_queries_every_head_counts() -> None:
    config = LlamaConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    assert memory.row_bytes(Shape.of_config(config), 4, 10) == int(2.25 * (2 * 2 * 64 * 4 * 10)) + 8 * 100


@pytest.mark.parametrize(("gigabytes", "rows"), [(0.0003, 1), (1.0, 512)])
def test_the_memory_decides_and_a_cpu_takes_512_at_most(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, gigabytes: float, rows: int
) -> None:
    monkeypatch.setattr(memory, "memory_of", lambda device: int(gigabytes * 2**30))
    assert memory.rows_that_fit(str(tiny_model), Hardware(device="cpu"), 512) == rows


def test_in_between_it_is_a_multiple_of_eight(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for megabytes in range(30, 90, 4):
        monkeypatch.setattr(memory, "memory_of", lambda device, size=megabytes: size * 2**20)
        found.add(memory.rows_that_fit(str(tiny_model), Hardware(device="cpu"), 512))
    assert len(found) > 3 and all(rows % 8 == 0 or rows < 8 for rows in found)


def test_a_stage_that_goes_on_keeps_its_batches(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{i}", f"{i}+1?", str(i + 1)) for i in range(3)])
    stage = Sample(
        problems=tmp_path / "problems.jsonl",
        model=str(tiny_model),
        num_candidates=4,
        sampling=Sampling(max_tokens=4),
        hardware=Hardware(device="cpu"),
    )
    stage.run(tmp_path, no_progress)
    assert json.loads((tmp_path / "batch.json").read_text()) == {"batch_rows": 512, "unit_candidates": 2097152}
    monkeypatch.setattr(memory, "memory_of", lambda device: 1)
    before = (tmp_path / "candidates.jsonl").read_bytes()
    (tmp_path / "candidates.jsonl").unlink()
    stage.run(tmp_path, no_progress)
    assert (tmp_path / "candidates.jsonl").read_bytes() == before
    assert json.loads((tmp_path / "batch.json").read_text()) == {"batch_rows": 512, "unit_candidates": 2097152}


def test_a_gguf_file_has_the_rows_of_the_model_that_it_holds(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "llama")
    file = write_gguf(folder, tmp_path / "model.gguf")
    cpu = Hardware(device="cpu")
    assert memory.rows_that_fit(str(file), cpu, 2**20) == memory.rows_that_fit(str(folder), cpu, 2**20)
