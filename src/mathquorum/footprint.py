"""How much memory training and sampling take at their peak, computed from a model's config before any weight is loaded.

A peak is a sum of few terms: the process, the weights, for each trained weight a gradient and Adam's two averages, what the forward
pass keeps for the backward one, and the logits that are there at once. What a layer keeps was counted on Llama and Qwen2
(docs/models.md has the measurements); models with other layers are taken to be like them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mathquorum.errors import ModelError
from mathquorum.models import Hardware, load_config, num_weights
from mathquorum.models.sources import read_source, weight_bytes
from mathquorum.training.batches import Step, step_chunks
from mathquorum.training.settings import Lora, Training

if TYPE_CHECKING:
    import torch

__all__ = [
    "DRAWN_AT_ONCE",
    "Load",
    "Shape",
    "check_fits",
    "drawing_bytes",
    "gigabytes",
    "judging_peak",
    "loading_notice",
    "memory_of",
    "peaks",
    "sampling_peak",
    "training_peak",
]

_PROCESS = 0.43e9  # Python, torch and transformers, measured on Linux; on a GPU they lie elsewhere
_LOGITS_AT_ONCE = 2**25  # as `training.logprobs` cuts them
_HEAVIEST = 8  # of a training's steps that are looked at
_GROWING = 1.25  # of buffers that get room for half as many rows again when they are full
_LOGITS_COPIES = 11  # of a row's logits while its token is drawn from the whole vocabulary, as measured: softmax, sort, sums in double precision
_HOLES = 0.25  # of what training keeps and its gradients: what glibc's heap loses between aligned tensors; 0.2 to 0.3 were measured
_JUDGED_ROW, _JUDGED_ENDS = (
    192,
    64,
)  # tokens of a row of texts that are judged (`engines.embedded.beginnings`), and places that are read of it
_SURE = 0.85  # an estimate is right within 15%: what is refused would not have fitted


DRAWN_AT_ONCE = {"cpu": 2**21, "cuda": 2**25}
"""Logits that tokens are drawn from at once, by device (others as a CPU): on a GPU many parts would cost more in calls than they save."""


def drawing_bytes(device: str, logits: int | None = None) -> int:
    """Memory of drawing tokens beside the logits themselves, which are worked on a part at a time (`engines.embedded.steps`).

    Args:
        device: "cpu", "cuda" or "mps".
        logits: Of all rows; None where they are many.
    """
    at_once = DRAWN_AT_ONCE.get(device, DRAWN_AT_ONCE["cpu"])
    return _LOGITS_COPIES * 4 * min(at_once, logits or at_once)


@dataclass(frozen=True)
class Shape:
    """What of a model decides its memory.

    Attributes:
        weights: Number of weights, those that are tied once.
        layers: Of the decoder.
        width: Of what goes from layer to layer.
        inner: Width of a layer's MLP.
        attention: Query heads times their width.
        kept: Key heads times their width.
        vocabulary: Entries.
        file_bytes: Of the weight files.
        tied: Whether the head's weights are those of the embedding.
    """

    weights: int
    layers: int
    width: int
    inner: int
    attention: int
    kept: int
    vocabulary: int
    file_bytes: int
    tied: bool

    @classmethod
    def of(cls, model: str) -> Shape:
        """The shape of a model by its name; no weight is read.

        Raises:
            ModelError: If its config cannot be read.
        """
        return cls.of_config(load_config(model), weight_bytes(read_source(model).base))

    @classmethod
    def of_config(cls, config: Any, file_bytes: int = 0) -> Shape:
        """The shape that a transformers config describes."""
        text: Any = config.get_text_config(decoder=True)
        heads = text.num_attention_heads
        head = getattr(text, "head_dim", None) or text.hidden_size // heads
        return cls(
            weights=num_weights(config),
            layers=text.num_hidden_layers,
            width=text.hidden_size,
            inner=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
            attention=heads * head,
            kept=(getattr(text, "num_key_value_heads", None) or heads) * head,
            vocabulary=text.vocab_size,
            file_bytes=file_bytes,
            tied=bool(text.tie_word_embeddings),
        )

    def adapter_weights(self, lora: Lora) -> int:
        """Weights of an adapter on these of a layer's linear maps."""
        wide, inner, attention, kept = self.width, self.inner, self.attention, self.kept
        sizes = {"q_proj": wide + attention, "k_proj": wide + kept, "v_proj": wide + kept, "o_proj": wide + attention}
        sizes |= dict.fromkeys(("gate_proj", "up_proj", "down_proj"), wide + inner)
        chosen = sizes if lora.targets == "all-linear" else lora.targets
        return self.layers * lora.r * sum(sizes.get(name, wide + inner) for name in chosen)

    def kept_per_token(self, lora: Lora | None, half: bool = False) -> int:
        """Bytes that a layer keeps of each token for the backward pass.

        Args:
            lora: The adapter that is trained; None for all weights.
            half: Whether bfloat16 is computed with, save in norms.
        """
        adapters = 7 * lora.r if lora else 0
        norms = 4 * self.width if lora else 6 * self.width  # a frozen scale keeps nothing
        others = 4 * self.inner + 5 * self.attention + adapters
        return 2 * (others + self.width) + 4 * norms if half else 4 * (others + norms)


@dataclass(frozen=True)
class Load:
    """What of a training's steps decides its memory.

    Attributes:
        tokens: In one forward pass, at most.
        reads: Log-probabilities read from it, at most.
        passes: Forward passes of a step, at most.
    """

    tokens: int
    reads: int
    passes: int

    @classmethod
    def of(cls, steps: Sequence[Step], slots: Sequence[int], batch_tokens: int) -> Load:
        """That of planned steps, by those with the most tokens; arguments as in `training.batches.step_chunks`."""
        heaviest = sorted(steps, key=lambda step: step.num_tokens)[-_HEAVIEST:]
        cut = [step_chunks(step, slots, batch_tokens, longest_grouped=2**31) for step in heaviest]
        chunks = [chunk for chunks in cut for chunk in chunks]
        return cls(
            tokens=max(chunk.tensors["input_ids"].numel() for chunk in chunks),
            reads=max(len(chunk.tensors["places"]) for chunk in chunks),
            passes=max(map(len, cut)),
        )


def training_peak(shape: Shape, load: Load, training: Training, hardware: Hardware, shards: int = 1) -> float:
    """Bytes at the peak of a training, in each of its processes.

    Args:
        shape: Of the model.
        load: Of its steps.
        training: All weights, or an adapter; gradient checkpointing or not.
        hardware: Where it runs.
        shards: In how many processes' memories weights, gradients and averages lie in parts (FSDP, ZeRO-3).
    """
    lora = training.lora
    trained = shape.adapter_weights(lora) if lora else shape.weights
    bytes_each = (0.55 if lora.load_in_4bit else hardware.torch_dtype().itemsize) if lora else 4
    still = shape.weights * bytes_each + (4 * trained if lora else 0) + 8 * trained  # weights, and Adam's averages
    still, gradients = still / shards, 4 * trained / shards
    device = hardware.torch_device().type
    half = device != "mps" and hardware.torch_dtype().itemsize == 2
    per_layer = shape.kept_per_token(lora, half) * load.tokens
    kept = (
        4 * shape.width * load.tokens * shape.layers + per_layer
        if training.gradient_checkpointing
        else shape.layers * per_layer
    )
    copies = 2 * trained / shards if half else 0.0  # of what is float32, made once a pass
    embedding = 4 * shape.width * shape.vocabulary
    if load.reads * shape.vocabulary > _LOGITS_AT_ONCE:
        logits = 3 * 4 * _LOGITS_AT_ONCE + (0 if lora else 2 * embedding)  # the head's gradient and a part of it
    else:
        logits = 3 * 4 * load.reads * shape.vocabulary
    backward_begins = kept + copies + logits + (gradients if load.passes > 1 else 0) + (0 if lora else 2 * embedding)
    backward_ends = gradients + (0 if lora else 3 * embedding)  # Adam's step takes two more of its largest tensor
    holes = 0.0 if lora or device != "cpu" else _HOLES * (kept + gradients)
    loading = _loading(shape, bytes_each) if shards == 1 else 0  # else in the machine's memory
    return _process(hardware) + max(still + max(backward_begins, backward_ends) + holes, loading)


def sampling_peak(shape: Shape, rows: int, max_tokens: int, hardware: Hardware) -> float:
    """Bytes at the peak of sampling.

    Args:
        shape: Of the model.
        rows: Texts continued together.
        max_tokens: Of each.
        hardware: Where it runs.
    """
    size = hardware.torch_dtype().itemsize
    written = _GROWING * rows * _room(max_tokens) * shape.layers * 2 * shape.kept * size
    logits = 4 * rows * shape.vocabulary + drawing_bytes(hardware.torch_device().type, rows * shape.vocabulary)
    return _process(hardware) + max(_asked(shape, hardware) + written + logits, _loading(shape, size))


def judging_peak(shape: Shape, tokens: int, shared: int, hardware: Hardware) -> float:
    """Bytes at the peak of scoring.

    Args:
        shape: Of the model.
        tokens: Of the solutions that are judged in one forward pass.
        shared: Of what they all begin with, whose keys and values are repeated for each row.
        hardware: Where it runs.
    """
    size = hardware.torch_dtype().itemsize
    rows = max(1, -(-tokens // _JUDGED_ROW))
    held = shape.layers * 2 * shape.kept * size * (tokens + shared * rows)
    layer = size * tokens * (3 * shape.inner + 4 * shape.width)
    logits = 4 * rows * min(rows * 2, _JUDGED_ENDS) * shape.vocabulary
    return _process(hardware) + max(_asked(shape, hardware) + held + layer + logits, _loading(shape, size))


def _asked(shape: Shape, hardware: Hardware) -> float:
    """The weights of a model that is only asked: on a CPU a head is packed apart from the embedding (`models.packing`)."""
    apart = shape.vocabulary * shape.width if shape.tied and hardware.torch_device().type == "cpu" else 0
    return (shape.weights + apart) * hardware.torch_dtype().itemsize


def _room(tokens: int) -> int:
    """What a buffer of `engines.embedded` has come to when a row has so many tokens."""
    room = 32
    while room < tokens:
        room = -(-int(1.5 * room) // 32) * 32
    return room


def _loading(shape: Shape, bytes_each: float) -> float:
    """The weights and their file beside each other."""
    return shape.weights * bytes_each + shape.file_bytes


def _process(hardware: Hardware) -> float:
    return _PROCESS if hardware.torch_device().type == "cpu" else 0.0


def gigabytes(size: float) -> str:
    """A size in words.

    Example:
        >>> gigabytes(3.14e9)
        '3.1 GB'
    """
    return f"{size / 1e9:.1f} GB"


def loading_notice(model: str, hardware: Hardware) -> str:
    """What a model's name was read as, and what it takes once it is loaded; no weight is read.

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


def check_fits(shape: Shape, load: Load, training: Training, hardware: Hardware, memory: int, shards: int = 1) -> float:
    """The peak of a training that fits, in bytes.

    Args:
        shape: Of the model.
        load: Of its steps.
        training: As it was asked for.
        hardware: Where it runs.
        memory: Bytes that there are, for each process.
        shards: As in `training_peak`.

    Raises:
        ModelError: If it surely does not fit, with what would.
    """
    peak = training_peak(shape, load, training, hardware, shards)
    if _SURE * peak <= memory:
        return peak
    proposals = [
        f"{name} would take {gigabytes(size)}"
        for name, size in _cheaper(shape, load, training, hardware, shards)
        if size < peak and size <= memory
    ]
    what = "This adapter" if training.lora else "Training all weights"
    raise ModelError(
        f"{what} would take {gigabytes(peak)} at its peak; there are {gigabytes(memory)}. "
        + (f"{'; '.join(proposals)}." if proposals else "Nothing that we know of would fit: take a smaller model.")
    )


def _cheaper(
    shape: Shape, load: Load, training: Training, hardware: Hardware, shards: int
) -> Sequence[tuple[str, float]]:
    again = training.model_copy(update={"gradient_checkpointing": True})
    lora = training.model_copy(update={"lora": training.lora or Lora()})
    both = lora.model_copy(update={"gradient_checkpointing": True})
    found = [("training.gradient_checkpointing", again)]
    if training.lora is None:
        found += [
            ("LoRA r = 16 (training.lora.r=16)", lora),
            ("LoRA r = 16 with training.gradient_checkpointing", both),
        ]
    return [(name, training_peak(shape, load, changed, hardware, shards)) for name, changed in found]


def memory_of(device: torch.device) -> int:
    """Bytes: a GPU's own, or the machine's."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
