"""Rows of a data set on the Hugging Face hub, through the optional `datasets` package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mathquorum.datasets.tables import Row
from mathquorum.errors import DataError

__all__ = ["is_hub_id", "read_hub"]


def is_hub_id(name: str | Path) -> bool:
    """Whether this is a text (not a path) like "owner/name" that is no file or folder here."""
    return isinstance(name, str) and bool(re.fullmatch(r"[\w\-]+/[\w\-.]+", name)) and not Path(name).exists()


def read_hub(name: str, split: str) -> Iterator[Row]:
    """The rows of one split, of the main configuration, or without one of all in the order of their names.

    Raises:
        DataError: If `datasets` is not installed, or the data set or split cannot be had.
    """
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            f"{name} is not a file here; from the hub it needs the datasets package. "
            "Install it: pip install 'mathquorum[hub]'."
        ) from error
    number = 0
    try:
        configs = sorted(datasets.get_dataset_config_names(name))
        for config in [c for c in configs if c in ("main", "default")] or configs:
            for values in datasets.load_dataset(name, config, split=split):
                yield Row(f"{name} ({config}, {split}), row {number + 1}", number, values)
                number += 1
    except (OSError, ValueError) as error:  # what the package raises for a wrong name or split, and without a network
        raise DataError(f"{name}, split {split!r}, cannot be read from the hub: {error}") from error
