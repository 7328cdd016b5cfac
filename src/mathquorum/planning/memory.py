"""What a model would take in each of its uses, and what its name was read as; no weight is read."""

from __future__ import annotations

from mathquorum.engines.embedded.footprint import sampling_peak
from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape
from mathquorum.models.sources import read_source
from mathquorum.training.footprint import Load, training_peak
from mathquorum.training.settings import Lora, Training

__all__ = ["loading_notice", "peaks"]


def loading_notice(model: str, hardware: Hardware) -> str:
    """What a model's name was read as, and what it takes once it is loaded.

    Raises:
        ModelError: If there is no such model.
    """
    source, shape = read_source(model), Shape.of(model)
    kind = "a GGUF file" if source.gguf else "a local folder" if source.is_local else "a hub id"
    number = str(hardware.torch_dtype()).removeprefix("torch.")
    adapter = f", with the adapter in {source.adapter}" if source.adapter else ""
    size = f"{shape.file_bytes / 1e9:.2f} GB on disk, " if shape.file_bytes else ""
    unpacked = "unpacked to " if source.gguf else ""
    return (
        f"{source.base} is {kind}{adapter}: {shape.weights / 1e6:,.0f} million weights, {size}"
        f"{unpacked}{shape.weights * hardware.torch_dtype().itemsize / 1e9:.2f} GB as {number} on {hardware.torch_device().type}."
    )


def peaks(model: str, hardware: Hardware, tokens: int, rows: int, max_tokens: int) -> list[tuple[str, float]]:
    """What a model would be used for, and the bytes that it would take at its peak.

    Args:
        model: As in `sources.read_source`.
        hardware: Where it runs.
        tokens: Of a forward pass in training; two thirds of them are solutions'.
        rows: Candidates sampled together.
        max_tokens: Of each.
    """
    shape, load = Shape.of(model), Load(tokens, 2 * tokens // 3, 1)
    whole = Training(steps=1)
    again = whole.model_copy(update={"gradient_checkpointing": True})
    small, least = (training.model_copy(update={"lora": Lora()}) for training in (whole, again))
    return [
        ("sampling", sampling_peak(shape, rows, max_tokens, hardware)),
        *((name, training_peak(shape, load, training, hardware)) for name, training in (
            ("training all weights", whole),
            ("training all weights, gradient checkpointing", again),
            ("training an adapter (LoRA r = 16)", small),
            ("training an adapter, gradient checkpointing", least),
        )),
    ]  # fmt: skip
