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
# Bytes and operations a second that linear layers come to in decoding, of a CPU thread and of a GPU. Measured on one core of an AMD EPYC
# (AVX-512 with its bfloat16 instructions) by packed layers of 4,864 x 896: 1 row takes 1.5 ms and 64 rows 5.9 ms in float32, 0.6 and 2.9 ms in
# bfloat16. Without the instructions, bfloat16 is no faster than float32. Those of a GPU are a third of what an A100 is sold for. A machine of
# half the speed loses twice the time.
_CPU_BYTES, _CPU_OPERATIONS, _CPU_HALF_OPERATIONS = 1.2e10, 6e10, 1.6e11
_GPU_BYTES, _GPU_OPERATIONS = 1e12, 3e13
# Seconds of a CPU thread that a candidate's token takes beside that, for each number of the hidden state in each layer: attention, norms,
# drawing. SmolLM2-135M with four demonstrations wrote 165 tokens a second on that core, 512 rows at once in bfloat16: 6.0 ms each, 1.7 of them
# in linear layers.
_CPU_SECONDS_BESIDE = 2.5e-7


def candidates_in_time(model: str, hardware: Hardware, max_tokens: int) -> int:
    """Candidates of at most `max_tokens` tokens that a unit may hold: a power of two, at least 1.

    Raises:
        ModelError: If the model's config cannot be read.
    """
    config = load_config(model)
    weights, shape = num_weights(config), config.get_text_config(decoder=True)
    read = weights * hardware.torch_dtype().itemsize
    if hardware.torch_device().type != "cpu":
        return candidates_of(read / _GPU_BYTES, 2 * weights / _GPU_OPERATIONS, max_tokens)
    halves = hardware.dtype == "bfloat16" and multiplies_bfloat16()
    operations = (_CPU_HALF_OPERATIONS if halves else _CPU_OPERATIONS) * hardware.threads
    beside = _CPU_SECONDS_BESIDE * shape.num_hidden_layers * shape.hidden_size
    return candidates_of(read / _CPU_BYTES, 2 * weights / operations + beside, max_tokens)


def candidates_of(seconds_to_read: float, seconds_each: float, max_tokens: int) -> int:
    """See `candidates_in_time`.

    Args:
        seconds_to_read: What a step costs however many candidates it has: the weights are read once.
        seconds_each: What it costs more for each candidate.
        max_tokens: Tokens of a candidate at most.
    """
    step = _SECONDS / (_LENGTH * max_tokens)
    fitting = (step - seconds_to_read) / seconds_each
    return 1 << max(0, int(fitting).bit_length() - 1) if fitting >= 1 else 1
