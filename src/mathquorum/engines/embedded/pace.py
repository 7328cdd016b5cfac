"""How many candidates a unit of sampling may hold, so that a killed run loses at most about two minutes of it.

Computed from the model's shape, not from a clock: which candidates share a unit fixes the last digits of their probabilities, so two runs
of the same settings must cut alike. How far a unit is, is told while it is written (`stages.meter`).
"""

from __future__ import annotations

from mathquorum.models import Hardware, load_config, multiplies_bfloat16, num_weights

__all__ = ["candidates_in_time", "candidates_of"]

_SECONDS = 120.0
# A candidate's length by the longest that is allowed, on average: 0.3 to 0.8 were measured with SmolLM2-135M and Qwen2.5-Coder-0.5B.
_LENGTH = 0.5
# Bytes and operations a second that decoding comes to, of a CPU thread and of a GPU. Measured on one core of an AMD EPYC (AVX-512 with its
# bfloat16 instructions) by packed layers of 4,864 x 896: 1 row takes 1.5 ms and 64 rows 5.9 ms in float32, 0.6 and 2.9 ms in bfloat16; half as
# much again is left for all that is not a linear layer. A machine of half the speed loses twice the time. Without the instructions, bfloat16
# is no faster than float32. Those of a GPU are a third of what an A100 is sold for.
_CPU_BYTES, _CPU_OPERATIONS, _CPU_HALF_OPERATIONS = 1.2e10, 6e10, 1.6e11
_GPU_BYTES, _GPU_OPERATIONS = 1e12, 3e13


def candidates_in_time(model: str, hardware: Hardware, max_tokens: int) -> int:
    """Candidates of at most `max_tokens` tokens that a unit may hold: a power of two, at least 1.

    Raises:
        ModelError: If the model's config cannot be read.
    """
    weights = num_weights(load_config(model))
    on_cpu = hardware.torch_device().type == "cpu"
    scale = hardware.threads if on_cpu else 1
    size = hardware.torch_dtype().itemsize
    halves = hardware.dtype == "bfloat16" and multiplies_bfloat16()
    pace = (
        (_CPU_BYTES, (_CPU_HALF_OPERATIONS if halves else _CPU_OPERATIONS) * scale)
        if on_cpu
        else (_GPU_BYTES, _GPU_OPERATIONS)
    )
    return candidates_of(weights, weights * size / pace[0], pace[1], max_tokens)


def candidates_of(weights: int, seconds_to_read: float, operations: float, max_tokens: int) -> int:
    """See `candidates_in_time`.

    Args:
        weights: Of the model.
        seconds_to_read: What a step costs however many candidates it has: the weights are read once.
        operations: A second; each candidate costs two for each weight.
        max_tokens: Tokens of a candidate at most.
    """
    step = _SECONDS / (_LENGTH * max_tokens)
    fitting = (step - seconds_to_read) * operations / (2 * weights)
    return 1 << max(0, int(fitting).bit_length() - 1) if fitting >= 1 else 1
