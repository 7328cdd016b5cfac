"""The engine that a model gets where nothing is recorded: the quickest to open."""

from __future__ import annotations

from pathlib import Path

from mathquorum.engines.base import Engine
from mathquorum.engines.small.engine import SmallEngine
from mathquorum.models.sources import model_parts, read_source
from mathquorum.prompts import PLAIN, Prompt

__all__ = ["open_engine", "open_engines"]


def open_engine(model: str, wording: Prompt = PLAIN) -> Engine:
    """An engine for one problem: for a small Llama such as the embedded models one without torch, on the CPU and in float32, else that
    of transformers, on a GPU where there is one.

    Args:
        model: As in `models.sources.read_source`.
        wording: How problems will be put to it.

    Raises:
        ModelError: If there is no such model, or it cannot be read as a causal language model, whole.
    """
    read_source(model)  # what is not there is told before anything heavy is imported
    small = SmallEngine.from_folder(Path(model)) if wording.template == "plain" else None
    if small:
        return small
    from mathquorum.engines.embedded.hf import HuggingFaceEngine
    from mathquorum.models import Hardware, load_model
    from mathquorum.models.packing import packed

    return HuggingFaceEngine(packed(load_model(model, Hardware(), wording)))


def open_engines(generator: str, evaluator: str | None, wording: Prompt = PLAIN) -> tuple[Engine, Engine | None]:
    """Engines for one problem. Two adapters of one base, or an adapter and its base, are loaded with the base once, and switched
    between from call to call.

    Raises:
        ModelError: As `open_engine`, or if an adapter is of another base.
    """
    if evaluator is None:
        return open_engine(generator, wording), None
    if len(model_parts(generator)) == len(model_parts(evaluator)) == 1:
        return open_engine(generator, wording), open_engine(evaluator, wording)
    from mathquorum.engines.embedded.hf import HuggingFaceEngine
    from mathquorum.models import Hardware, load_together
    from mathquorum.models.packing import packed

    both = load_together([generator, evaluator], Hardware(), wording)
    writer, judge = (HuggingFaceEngine(packed(loaded)) for loaded in both)
    return writer, judge
