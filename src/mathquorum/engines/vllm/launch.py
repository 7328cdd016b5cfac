"""The command that starts vLLM, from settings and a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mathquorum.errors import ModelError
from mathquorum.models.sources import ADAPTER_CONFIG, model_parts

__all__ = ["Launch", "launch_of"]

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Those that --max-lora-rank takes."""


@dataclass(frozen=True)
class Launch:
    """A server as it is to be started. Equal ones are one server.

    Attributes:
        python: Interpreter of the environment that has vLLM.
        base: Folder or hub id.
        adapters: Names and folders of LoRA adapters.
        arguments: Of `vllm serve`, besides the model, the address and the adapters.
    """

    python: str
    base: str
    adapters: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]

    def command(self, port: int) -> list[str]:
        """What is run. The module is that of the `vllm` command."""
        return [
            self.python,
            *("-m", "vllm.entrypoints.cli.main", "serve", self.base),
            *("--host", "127.0.0.1", "--port", str(port)),
            *self._lora(),
            *self.arguments,
        ]

    def _lora(self) -> list[str]:
        if not self.adapters:
            return []
        rank = max(_rank(Path(folder)) for _, folder in self.adapters)
        allowed = next((allowed for allowed in _RANKS if allowed >= rank), rank)
        modules = [json.dumps({"name": name, "path": folder}) for name, folder in self.adapters]
        number = str(len(self.adapters))
        return ["--enable-lora", "--max-loras", number, "--max-lora-rank", str(allowed), "--lora-modules", *modules]


def launch_of(python: str, model: str, adapters: Mapping[str, Path], arguments: Sequence[str]) -> tuple[Launch, str]:
    """How to start the server that has a model, and the name under which that knows it.

    Args:
        python: As in `Launch`.
        model: Folder or hub id, an adapter's folder, or BASE+ADAPTER.
        adapters: That the server is to have anyway, by name, so that one server has several.
        arguments: As in `Launch`.

    Raises:
        ModelError: If an adapter's folder is none.
    """
    base, *own = model_parts(model)
    folders = {name: str(folder.resolve()) for name, folder in adapters.items()}
    name = base
    if own:
        folder = str(Path(own[0]).resolve())
        name = next((known for known, place in folders.items() if place == folder), "adapter")
        folders.setdefault(name, folder)
    return Launch(python, base, tuple(sorted(folders.items())), tuple(arguments)), name


def _rank(folder: Path) -> int:
    """Of a LoRA adapter; the largest of its patterns."""
    try:
        held = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        return max(int(held["r"]), *map(int, (held.get("rank_pattern") or {}).values()), 1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder} is not a LoRA adapter's folder: its {ADAPTER_CONFIG} tells no rank (r).") from error
