"""How many candidates can be decoded together: what the memory takes, known before the first token.

It is computed from the model's shape and the size of the memory, not from what happens to be free: the number of rows is a
part of what fixes the last digits of a log-probability, so a stage that goes on must find the same.
"""

from __future__ import annotations

from mathquorum.engines.embedded.footprint import drawing_bytes
from mathquorum.models import Hardware, load_config
from mathquorum.models.footprint import Shape, memory_of

__all__ = ["row_bytes", "rows_in", "rows_that_fit"]

# More rows than this bring nothing: on a CPU a step is bound by arithmetic long before, but prompts share a step by how many rows
# they may come to (with 32 problems of 64 candidates, 512 were 1.4 times as fast as 256); on a GPU by then too. Our choice.
_MOST_ON_CPU, _MOST_ON_GPU = 512, 1024
# Share of the memory that one process plans with. On a CPU several processes sample side by side, and a container may have less
# than the machine; what remains of a GPU's is for the framework, fragments, and prompts.
_USABLE_ON_CPU, _USABLE_ON_GPU = 0.25, 0.8
_GROWING = (
    2.25  # buffers grow by half, in rows and in tokens; the prompts of a unit come out of what is not planned with
)
_LOGITS = 2  # of a row: the logits, and what a model that squeezes them takes beside them


def rows_that_fit(model: str, hardware: Hardware, max_tokens: int) -> int:
    """Rows of at most `max_tokens` new tokens that one process can hold on a device beside the model, at least 1.

    Raises:
        ModelError: If the model's config cannot be read.
    """
    return rows_in(Shape.of_config(load_config(model)), hardware, max_tokens)


def rows_in(shape: Shape, hardware: Hardware, max_tokens: int) -> int:
    """As `rows_that_fit`, of a model of that shape."""
    size = hardware.torch_dtype().itemsize
    device = hardware.torch_device()
    usable, most = (_USABLE_ON_CPU, _MOST_ON_CPU) if device.type == "cpu" else (_USABLE_ON_GPU, _MOST_ON_GPU)
    left = usable * memory_of(device) - shape.weights * size - drawing_bytes(device.type, most * shape.vocabulary)
    rows = int(left // row_bytes(shape, size, max_tokens))
    return max(1, min(most, rows // 8 * 8 or rows))


def row_bytes(shape: Shape, size: int, max_tokens: int) -> int:
    """Memory of one row: keys and values of its own tokens, and its logits. The prompt's are shared.

    Args:
        shape: Of the model.
        size: Bytes of a number of the model's.
        max_tokens: Tokens that a row may grow by.
    """
    cache = shape.layers * 2 * shape.kept * size * max_tokens
    return int(_GROWING * cache + _LOGITS * 4 * shape.vocabulary)
