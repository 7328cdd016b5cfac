"""Which engine a model gets where nothing is recorded: the quickest to open."""

from __future__ import annotations

from pathlib import Path

from mathquorum.engines.base import Engine
from mathquorum.engines.small import SmallEngine
from mathquorum.sources import model_parts

__all__ = ["open_engine", "open_engines"]


def open_engine(model: str) -> Engine:
    """An engine for one problem: for a small Llama such as the embedded models one without torch, on the CPU and in float32, else that
    of transformers, on a GPU where there is one.

    Args:
        model: As in `sources.read_source`.

    Raises:
        ModelError: If there is no such model, or it cannot be read as a causal language model, whole.
    """
    small = SmallEngine.from_folder(Path(model))
    if small:
        return small
    from mathquorum.engines.hf import HuggingFaceEngine
    from mathquorum.models import Hardware, load_model

    return HuggingFaceEngine(load_model(model, Hardware()))


def open_engines(generator: str, evaluator: str | None) -> tuple[Engine, Engine | None]:
    """Engines for one problem. Two adapters of one base, or an adapter and its base, are loaded with the base once, and switched
    between from call to call.

    Raises:
        ModelError: As `open_engine`, or if an adapter is of another base.
    """
    if evaluator is None:
        return open_engine(generator), None
    if len(model_parts(generator)) == len(model_parts(evaluator)) == 1:
        return open_engine(generator), open_engine(evaluator)
    from mathquorum.engines.hf import HuggingFaceEngine
    from mathquorum.models import Hardware, load_together

    writer, judge = (HuggingFaceEngine(loaded) for loaded in load_together([generator, evaluator], Hardware()))
    return writer, judge
