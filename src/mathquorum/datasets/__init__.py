"""Datasets: a function each, `load(path, split) -> Iterator[Problem]`. To add one: a file, a line below, a row in the docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mathquorum.errors import SettingsError, suggest
from mathquorum.records import Problem

__all__ = ["DATASETS", "check_name", "load", "module_of"]

DATASETS: dict[str, str] = {
    "candidates": "mathquorum.datasets.own",
    "gsm8k": "mathquorum.datasets.gsm8k",
    "jsonl": "mathquorum.datasets.jsonl",
    "math": "mathquorum.datasets.hendrycks_math",
    "math_shepherd": "mathquorum.datasets.math_shepherd",
    "minimath": "mathquorum.datasets.minimath",
    "prm800k": "mathquorum.datasets.prm800k",
}
"""The module of each dataset. It is imported when the dataset is asked for."""


def load(name: str, path: Path | str | None = None, split: str | None = None) -> Iterator[Problem]:
    """The problems of a dataset.

    Args:
        name: One of `DATASETS`, or MODULE:CLASS of your own, whose module is imported.
        path: A file, a folder or a hub id, as the dataset's own `load` says; minimath is made, not read, and takes none.
        split: For example "train"; None takes all there is.

    Raises:
        SettingsError: If there is no such dataset, or it needs a path.
        DataError: If its files cannot be read.
    """
    if name not in DATASETS:
        from mathquorum.datasets.own_dataset import own_dataset, read_own_dataset

        own = own_dataset(name)
        assert own is not None  # else there is an error
        return iter(read_own_dataset(own, Path(path) if path is not None else None, split).problems)
    loader: Callable[..., Iterator[Problem]] = module_of(name).load
    if name == "minimath":
        return loader(split or "train")
    if path is None:
        raise SettingsError(f"path is required for dataset {name!r}: a file, a folder or a hub id.")
    return loader(path, split)


def module_of(name: str) -> Any:
    """The module of a dataset.

    Raises:
        SettingsError: If there is no such dataset.
    """
    check_name(name)
    return import_module(DATASETS[name])


def check_name(name: str) -> None:
    """Raises:
    SettingsError: If there is no such dataset.
    """
    if name not in DATASETS:
        raise SettingsError(f"Unknown dataset {name!r}. {suggest(name, DATASETS)}")
