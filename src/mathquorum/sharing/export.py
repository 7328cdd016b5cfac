"""Writes a run's model as a folder for others, and puts it on a hub when asked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mathquorum.errors import ModelError, RunError
from mathquorum.models import Hardware, load_config, load_model, merged, writing
from mathquorum.sharing.card import card
from mathquorum.sharing.found import Found, find_model
from mathquorum.store import write_text

__all__ = ["export", "push"]


def export(run: Path, folder: Path, stage: str | None = None, name: str | None = None) -> Found:
    """Writes the model of a stage, an adapter merged into its base, in the number type of the base's files, with a card.

    Args:
        run: A run's directory.
        folder: Must not exist.
        stage: Of which the model is taken; see `find_model`.
        name: What the card calls the model. Default: the folder's name.

    Raises:
        DataError: If the run holds no model.
        RunError: If the folder is there, or cannot be written.
        SettingsError: If there is no such stage.
    """
    if folder.exists():
        raise RunError(f"{folder} is there already. Give a folder that is not, or delete it.")
    found = find_model(run, stage)
    import torch
    import yaml

    whole = merged(load_model(str(found.folder), Hardware(device="cpu"), dtype=torch.float32))
    with writing(folder):
        whole.model.to(_dtype(found)).save_pretrained(folder)
        whole.tokenizer.save_pretrained(folder)
    write_text(folder / "mathquorum_settings.yaml", yaml.safe_dump(_without_places(found.settings), sort_keys=False))
    shutil.copyfile(run / found.stage / "stage.json", folder / "mathquorum_stage.json")
    write_text(folder / "README.md", card(found, name or folder.name))
    return found


def push(folder: Path, repository: str, private: bool = True) -> str:
    """Uploads an exported folder to a repository OWNER/NAME of a hub and returns its address.

    Raises:
        ModelError: If the hub cannot be reached or refuses; the text says what it said.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(folder_path=str(folder), repo_id=repository)
    except Exception as error:  # whatever the hub's client raises: no network, no token, no right
        raise ModelError(
            f"{folder} could not be put on the hub as {repository}: {str(error).splitlines()[0] if str(error) else error!r}. "
            "The folder is complete; log in (`hf auth login`) and push it again."
        ) from error
    return str(address)


def _without_places(value: Any) -> Any:
    """Settings with the names of local files and folders in place of their whole paths."""
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _dtype(found: Found) -> Any:
    """The number type of the base's files where its config can be read, else that of the trained model's."""
    import torch

    for model in (found.base, str(found.folder)):
        try:
            dtype = getattr(load_config(model), "dtype", None)
        except ModelError:
            continue
        if dtype is not None:
            return dtype
    return torch.float32
