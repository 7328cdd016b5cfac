"""An adapter and its base as one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mathquorum.errors import ModelError, RunError
from mathquorum.models.faults import writing
from mathquorum.models.hardware import Hardware
from mathquorum.models.loading import LoadedModel, load_model
from mathquorum.models.sources import read_source

__all__ = ["merge_adapter", "merged"]


def merged(loaded: LoadedModel) -> LoadedModel:
    """The model as one whole, its adapter added to the weights; the base that it shared is used up."""
    if loaded.adapted is None or loaded.adapter is None:
        return loaded
    return replace(loaded, model=loaded.adapted.merged(loaded.adapter), adapted=None, adapter=None)


def merge_adapter(model: str, folder: Path) -> None:
    """Saves an adapter and its base as one model, in the number type of the base's files.

    Args:
        model: An adapter's folder, or BASE+ADAPTER.
        folder: Must not exist.

    Raises:
        ModelError: If the model has no adapter, or cannot be loaded.
        RunError: If the folder is there, or cannot be written.
    """
    if read_source(model).adapter is None:
        raise ModelError(f"{model!r} has no adapter to merge. Give an adapter's folder, or BASE+ADAPTER.")
    if folder.exists():
        raise RunError(f"{folder} is there already. Give a folder that is not, or delete it.")
    import torch

    loaded = load_model(model, Hardware(device="cpu"), dtype=torch.float32)
    whole = merged(loaded)
    files_have = getattr(whole.model.config, "dtype", None) or torch.float32
    with writing(folder):
        whole.model.to(files_have).save_pretrained(folder)
        whole.tokenizer.save_pretrained(folder)
