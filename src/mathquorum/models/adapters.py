"""LoRA adapters on a base that is loaded once: checked, put on, switched between per call, merged. By peft."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mathquorum.errors import ModelError
from mathquorum.models.sources import ADAPTER_CONFIG, files_of, weights_print
from mathquorum.store import read_json

__all__ = ["BASE_NOTE", "AdaptedBase", "adapter_shapes", "base_note", "check_peft", "read_adapter"]

BASE_NOTE = "base.json"
"""Beside an adapter's own files: which base it was trained on."""
_WEIGHTS = "adapter_model.safetensors"
_EMBEDDINGS = ("embed", "lm_head", "wte", "wpe")


def check_peft() -> None:
    """Makes sure that adapters can be used here, before a model is loaded.

    Raises:
        ModelError: If peft is not installed.
    """
    if importlib.util.find_spec("peft") is None:
        raise ModelError("LoRA adapters need the package peft. Install it with: pip install 'mathquorum[lora]'.")


class AdaptedBase:
    """A base with its adapters. It computes as one of them, or as the base alone, until it is switched.

    Args:
        model: A transformers model; its layers are wrapped in place.
        base: How the user named it.
    """

    def __init__(self, model: Any, base: str) -> None:
        check_peft()
        self._model, self._base = model, base
        self._peft: Any = None
        self._names: dict[Path, str] = {}
        self._current: str | None = None

    def add(self, folder: Path) -> str:
        """The name of the adapter in a folder, which is loaded unless it is there already.

        Raises:
            ModelError: If the adapter is of another base or another kind, or cannot be read.
        """
        from peft import PeftConfig, PeftModel, set_peft_model_state_dict

        if folder.resolve() in self._names:
            return self._names[folder.resolve()]
        weights, _ = read_adapter(folder)
        _check_note(folder, self._model, self._base)
        name = f"adapter{len(self._names)}"
        with _of_another_base(folder, self._base):
            settings = PeftConfig.from_pretrained(str(folder))
            if self._peft is None:
                self._peft = PeftModel(self._model, settings, adapter_name=name)
            else:
                self._peft.add_adapter(name, settings)
            if shapes(weights) != adapter_shapes(self._peft, name):
                raise ValueError("its layers have other names or shapes")
            set_peft_model_state_dict(self._peft, weights, adapter_name=name)
        self._peft.to(next(self._model.parameters()).device).eval()
        self._names[folder.resolve()] = name
        self._switch(name)
        return name

    @property
    def reads_weights(self) -> bool:
        """Whether an adapter looks at its base's weights while it computes, as DoRA does."""
        return any(settings.use_dora for settings in self._peft.peft_config.values())

    def use(self, name: str | None) -> None:
        """Switches the base to that adapter, or to none."""
        if name != self._current:
            self._switch(name)

    def _switch(self, name: str | None) -> None:
        if name is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(name, inference_mode=True)
        self._current = name

    def merged(self, name: str) -> Any:
        """The base with an adapter's change added to its weights: a transformers model as any other. Nothing else can be done with
        this object then."""
        self.use(name)
        return self._peft.merge_and_unload(adapter_names=[name]).requires_grad_(True)


def read_adapter(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """An adapter's weights and settings.

    Raises:
        ModelError: If they cannot be read, are not those of LoRA, or train embeddings.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    settings = read_json(folder / ADAPTER_CONFIG)
    if settings.get("peft_type") != "LORA":
        raise ModelError(
            f"Adapter {str(folder)!r} is of kind {settings.get('peft_type')!r}. Only LoRA adapters can be used; merge it with peft "
            "and give the merged model."
        )
    try:
        weights = load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"Adapter {str(folder)!r} cannot be read: {_WEIGHTS} is missing, or not a whole safetensors file ({error})."
        ) from error
    trained = [key for key in weights if any(part in key for part in _EMBEDDINGS)]
    if trained or settings.get("trainable_token_indices"):
        raise ModelError(
            f"Adapter {str(folder)!r} holds embeddings or a head of its own ({trained[0] if trained else 'trainable tokens'}), as "
            "for added tokens. Merge it with peft into its base and give the merged model."
        )
    return weights, settings


def shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor."""
    return {key: tuple(tensor.shape) for key, tensor in weights.items()}


def adapter_shapes(peft_model: Any, name: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that an adapter on a model has."""
    from peft import get_peft_model_state_dict

    return shapes(get_peft_model_state_dict(peft_model, adapter_name=name, save_embedding_layers=False))


def base_note(model: Any, base: str) -> dict[str, str | None]:
    """What is noted of an adapter's base.

    Args:
        model: The base, as a transformers model.
        base: How the user named it.
    """
    return {"base": base, "architecture": type(model).__name__, "weights": weights_print(files_of(base))}


def _check_note(folder: Path, model: Any, base: str) -> None:
    """Adapters that others trained have no note: for them names and shapes of the layers decide."""
    if not (folder / BASE_NOTE).is_file():
        return
    noted, found = read_json(folder / BASE_NOTE), base_note(model, base)
    for part in ("architecture", "weights"):
        if noted.get(part) and noted[part] != found[part]:
            raise _another_base(
                folder,
                base,
                f"{part} {noted[part]} of {noted.get('base')!r} was noted when it was trained, here {found[part]}",
            )


@contextlib.contextmanager
def _of_another_base(folder: Path, base: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError, KeyError, AttributeError) as error:  # whatever peft finds not to fit
        raise _another_base(folder, base, str(error).strip().split("\n")[0][:200]) from error


def _another_base(folder: Path, base: str, why: str) -> ModelError:
    return ModelError(
        f"Adapter {str(folder)!r} is of another base than {base!r}: {why}. Give the base that it was trained on, as BASE+ADAPTER"
        + (f"; where you know that both are the same, delete {folder / BASE_NOTE}." if "noted" in why else ".")
    )
