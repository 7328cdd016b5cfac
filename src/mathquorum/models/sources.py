"""Where a model comes from: a local folder, a hub id, a GGUF file, or a base with a LoRA adapter on it."""

from __future__ import annotations

import functools
import hashlib
import json
import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mathquorum.errors import ModelError
from mathquorum.models.gguf import check_gguf

__all__ = [
    "ADAPTER_CONFIG",
    "Source",
    "files_of",
    "hub_answers",
    "model_parts",
    "prints_of",
    "read_source",
    "weight_bytes",
    "weights_print",
]

ADAPTER_CONFIG = "adapter_config.json"
"""What peft calls an adapter's settings."""
_WEIGHTS = (".safetensors", ".bin", ".gguf")
_HUB_SECONDS = 3.0
_READ, _PLACES = 2**16, 256  # of a weight file so many bytes at so many places stand for the whole


@dataclass(frozen=True)
class Source:
    """A model as a user named it, taken apart.

    Attributes:
        base: Folder, hub id or GGUF file that holds the weights.
        adapter: Folder of a LoRA adapter on them; None without.
    """

    base: str
    adapter: Path | None = None

    @property
    def gguf(self) -> Path | None:
        """The GGUF file, where the base is one."""
        return Path(self.base) if self.base.endswith(".gguf") else None

    @property
    def is_local(self) -> bool:
        """Whether the base lies on this machine, by its name; the other names are hub ids."""
        return Path(self.base).exists() or self.base.startswith((".", "/", "~")) or self.base.count("/") > 1

    def arguments(self) -> tuple[str, dict[str, Any]]:
        """What transformers' `from_pretrained` wants in order to find the base's config and tokenizer."""
        if self.gguf:
            return str(self.gguf.parent), {"gguf_file": self.gguf.name}
        return self.base, {} if self.is_local or hub_answers() else {"local_files_only": True}


@functools.cache
def hub_answers() -> bool:
    """Whether the hub can be reached. Asked once, for a few seconds: its client would try for a minute, and say so line by line."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if urllib.request.getproxies():
        return True  # the proxy knows
    place = urlsplit(constants.ENDPOINT)
    try:
        with socket.create_connection((place.hostname, place.port or 443), _HUB_SECONDS):
            return True
    except OSError:
        return False


def read_source(model: str) -> Source:
    """Takes a model's name apart, and checks what can be checked without opening a weight file.

    Args:
        model: A folder, a hub id, a GGUF file, an adapter's folder (its base is the one that it names), or BASE+ADAPTER.

    Raises:
        ModelError: If it names a folder or file that is not there, or that holds no model.

    Example:
        >>> read_source("Qwen/Qwen2.5-1.5B")
        Source(base='Qwen/Qwen2.5-1.5B', adapter=None)
    """
    source = _apart(model)
    if source.gguf:
        check_gguf(source.gguf)
    elif source.is_local:
        _check_folder(Path(source.base), source.base)
    return source


def model_parts(model: str) -> tuple[str, ...]:
    """What of a model's name lies in a place of its own: the base, and the adapter's folder where there is one.

    Raises:
        ModelError: If an adapter does not say what it is for.
    """
    source = _apart(model)
    return (source.base, str(source.adapter)) if source.adapter else (source.base,)


def _apart(model: str) -> Source:
    if (Path(model) / ADAPTER_CONFIG).is_file():
        return Source(_named_base(Path(model)), Path(model))
    base, plus, adapter = model.rpartition("+")
    if not plus or Path(model).exists():
        return Source(model)
    if not (Path(adapter) / ADAPTER_CONFIG).is_file():
        raise ModelError(
            f"{adapter!r} of {model!r} is not a LoRA adapter's folder: it has no {ADAPTER_CONFIG}. "
            "Give BASE+ADAPTER, or the adapter's folder alone."
        )
    return Source(base, Path(adapter))


def _named_base(adapter: Path) -> str:
    try:
        named = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError):
        named = None
    if not isinstance(named, str) or not named:
        raise ModelError(f"Adapter {str(adapter)!r} does not name its base. Give it as BASE+{adapter}.")
    if Source(named).is_local and not Path(named).exists():
        raise ModelError(
            f"Adapter {str(adapter)!r} was made for base {named!r}, which is not there. Give it as BASE+{adapter}."
        )
    return named


def _check_folder(folder: Path, name: str) -> None:
    if not folder.is_dir():
        raise ModelError(
            f"There is no model folder {name!r}. Give a local folder, a hub id such as 'Qwen/Qwen2.5-1.5B', or a .gguf file."
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name!r} is not a Hugging Face model folder: it has no config.json.")


def files_of(base: str) -> Path:
    """Where a base's files lie: its folder or GGUF file, or the snapshot of a hub id that was fetched."""
    if Source(base).is_local:
        return Path(base)
    from transformers.utils import cached_file

    return Path(str(cached_file(base, "config.json"))).parent


def weight_bytes(base: str) -> int:
    """Size of a base's weight files; 0 for a hub id that was not fetched."""
    place = Path(base)
    if place.is_file():
        return place.stat().st_size
    if not place.is_dir():
        return 0
    return sum(file.stat().st_size for file in place.iterdir() if file.suffix in _WEIGHTS)


def prints_of(model: str) -> dict[str, str]:
    """A print of the weights in each local part of a model's name, by its path, empty where it is not there; none for hub ids."""
    try:
        parts = [part for part in model_parts(model) if Source(part).is_local]
    except ModelError:  # an adapter that does not find its base here
        return {}
    return {part: weights_print(Path(part)) if Path(part).exists() else "" for part in parts}


def weights_print(place: Path) -> str:
    """A short hash of a base's weight files, by 64 KB at 256 places of each: training moves every weight, so that a sample tells one
    model from another, and a checkpoint of 100 GB costs no minute.

    Args:
        place: A model folder or GGUF file.

    Raises:
        ModelError: If a file cannot be read.
    """
    digest = hashlib.sha256()
    files = [place] if place.is_file() else [file for file in place.iterdir() if file.suffix in _WEIGHTS]
    try:
        for file in sorted(files):
            size = file.stat().st_size
            digest.update(f"{size}\0".encode())
            last = max(0, size - _READ)
            with file.open("rb") as handle:
                for start in sorted({last * place // (_PLACES - 1) for place in range(_PLACES)}):
                    handle.seek(start)
                    digest.update(handle.read(_READ))
    except OSError as error:
        raise ModelError(f"The weights in {place} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()[:16]
