"""Which engine a model gets where nothing is recorded: the quickest to open."""

from __future__ import annotations

from pathlib import Path

from mathquorum.engines.base import Engine
from mathquorum.engines.small import SmallEngine

__all__ = ["open_engine"]


def open_engine(model: str) -> Engine:
    """An engine for one problem: for a small Llama such as the embedded models one without torch, on the CPU and in float32, else that
    of transformers, on a GPU where there is one.

    Args:
        model: Folder or hub id.

    Raises:
        ModelError: If there is no such model, or it cannot be read as a causal language model, whole.
    """
    small = SmallEngine.from_folder(Path(model))
    if small:
        return small
    from mathquorum.engines.hf import HuggingFaceEngine
    from mathquorum.models import Hardware, load_model

    return HuggingFaceEngine(load_model(model, Hardware()))
