"""How much memory sampling and scoring take at their peak, computed before any weight is loaded.

A peak is a sum of few terms: the process, the weights, keys and values of what was written, and the logits that are there at once
(docs/models.md has the measurements).
"""

from __future__ import annotations

from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape, process_bytes

__all__ = ["DRAWN_AT_ONCE", "drawing_bytes", "judging_peak", "sampling_peak"]

_GROWING = 1.25  # of buffers that get room for half as many rows again when they are full
_LOGITS_COPIES = 11  # of a row's logits while its token is drawn from the whole vocabulary, as measured: softmax, sort, sums in double precision
_JUDGED_ROW, _JUDGED_ENDS = (
    192,
    64,
)  # tokens of a row of judged texts (`engines.embedded.beginnings`), and places read of it

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
    return process_bytes(hardware) + max(_asked(shape, hardware) + written + logits, shape.loading(size))


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
    return process_bytes(hardware) + max(_asked(shape, hardware) + held + layer + logits, shape.loading(size))


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
