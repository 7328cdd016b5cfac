"""How much memory a training takes at its peak, computed before any weight is loaded; what does not fit is refused.

A peak is a sum of few terms: the process, the weights, for each trained weight a gradient and Adam's two averages, what the forward
pass keeps for the backward one, and the logits that are there at once. What a layer keeps was counted on Llama and Qwen2
(docs/models.md has the measurements); models with other layers are taken to be like them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mathquorum.errors import ModelError
from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape, gigabytes, process_bytes
from mathquorum.training.batches import Step, step_chunks
from mathquorum.training.settings import Lora, Training

__all__ = ["Load", "adapter_weights", "check_fits", "kept_per_token", "training_peak"]

_LOGITS_AT_ONCE = 2**25  # as `training.logprobs` cuts them
_HEAVIEST = 8  # of a training's steps that are looked at
_HOLES = 0.25  # of what training keeps and its gradients: what glibc's heap loses between aligned tensors; 0.2 to 0.3 were measured
_SURE = 0.85  # an estimate is right within 15%: what is refused would not have fitted


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


def adapter_weights(shape: Shape, lora: Lora) -> int:
    """Weights of an adapter on these of a layer's linear maps."""
    wide, inner, attention, kept = shape.width, shape.inner, shape.attention, shape.kept
    sizes = {"q_proj": wide + attention, "k_proj": wide + kept, "v_proj": wide + kept, "o_proj": wide + attention}
    sizes |= dict.fromkeys(("gate_proj", "up_proj", "down_proj"), wide + inner)
    chosen = sizes if lora.targets == "all-linear" else lora.targets
    return shape.layers * lora.r * sum(sizes.get(name, wide + inner) for name in chosen)


def kept_per_token(shape: Shape, lora: Lora | None, half: bool = False) -> int:
    """Bytes that a layer keeps of each token for the backward pass.

    Args:
        shape: Of the model.
        lora: The adapter that is trained; None for all weights.
        half: Whether bfloat16 is computed with, save in norms.
    """
    adapters = 7 * lora.r if lora else 0
    norms = 4 * shape.width if lora else 6 * shape.width  # a frozen scale keeps nothing
    others = 4 * shape.inner + 5 * shape.attention + adapters
    return 2 * (others + shape.width) + 4 * norms if half else 4 * (others + norms)


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
    trained = adapter_weights(shape, lora) if lora else shape.weights
    bytes_each = (0.55 if lora.load_in_4bit else hardware.torch_dtype().itemsize) if lora else 4
    still = shape.weights * bytes_each + (4 * trained if lora else 0) + 8 * trained  # weights, and Adam's averages
    still, gradients = still / shards, 4 * trained / shards
    device = hardware.torch_device().type
    half = device != "mps" and hardware.torch_dtype().itemsize == 2
    per_layer = kept_per_token(shape, lora, half) * load.tokens
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
    loading = shape.loading(bytes_each) if shards == 1 else 0  # else in the machine's memory
    return process_bytes(hardware) + max(still + max(backward_begins, backward_ends) + holes, loading)


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
