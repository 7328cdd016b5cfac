"""Training with LoRA (Hu et al. 2021, arXiv 2106.09685) by peft: a new adapter on a model, or an old one to go on with, and how it is
saved."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mathquorum.errors import SettingsError
from mathquorum.models.adapters import BASE_NOTE, adapter_shapes, base_note, read_adapter, shapes
from mathquorum.models.sources import ADAPTER_CONFIG
from mathquorum.store import read_json, write_json
from mathquorum.training.settings import Lora

__all__ = ["freeing_at_once", "new_adapter", "quantization", "save_adapter", "take_over"]

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h: larger blocks are mapped, and unmapped when they are freed


def quantization(device: str) -> Any:
    """How a base is held in 4 bits while an adapter is trained on it: QLoRA (Dettmers et al. 2023, arXiv 2305.14314), NF4 with double
    quantisation.

    Args:
        device: "cuda", "cpu" or "mps".

    Raises:
        SettingsError: If there is no GPU, or no bitsandbytes.
    """
    lacking = [] if device == "cuda" else [f"a CUDA GPU (the device is {device!r})"]
    if importlib.util.find_spec("bitsandbytes") is None:
        lacking.append("the package bitsandbytes (pip install 'mathquorum[qlora]')")
    if lacking:
        raise SettingsError(
            f"training.lora.load_in_4bit needs {' and '.join(lacking)}. Leave it out to train an adapter on the base as it is."
        )
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def new_adapter(model: Any, lora: Lora, seed: int) -> Any:
    """The model with a new adapter on it: it changes nothing yet (B is zero), and it alone is trained.

    Args:
        model: A transformers model; its layers are wrapped in place.
        lora: The adapter's settings.
        seed: Of the start of A.

    Returns:
        A peft model around it.

    Raises:
        SettingsError: If no layer has a name that `training.lora.targets` gives.
    """
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if lora.load_in_4bit:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    model.name_or_path = ""  # peft would ask a hub for this name's vocabulary at every save
    torch.manual_seed(seed)
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        use_rslora=lora.rslora,
        use_dora=lora.dora,
    )
    try:
        return get_peft_model(model, settings)
    except ValueError as error:
        raise SettingsError(
            f"training.lora.targets {lora.targets!r} are not linear layers of {type(model).__name__}. "
            'Give "all-linear", or names such as ["q_proj", "v_proj"].'
        ) from error


def take_over(peft_model: Any, folder: Path, lora: Lora) -> None:
    """Training goes on with an adapter: its weights take the place of the new one's.

    Args:
        peft_model: With a new adapter.
        folder: Of the adapter to go on with.
        lora: The settings of the new one.

    Raises:
        ModelError: If the adapter cannot be read.
        SettingsError: If it was made with other settings.
    """
    from peft import set_peft_model_state_dict

    weights, settings = read_adapter(folder)
    before = {"alpha": settings.get("lora_alpha"), "rslora": bool(settings.get("use_rslora"))}
    wanted = {"alpha": lora.alpha, "rslora": lora.rslora}
    differing = [f"{name}: {before[name]}, now {wanted[name]}" for name in before if before[name] != wanted[name]]
    if shapes(weights) != adapter_shapes(peft_model, "default"):
        differing.append(f"r: {settings.get('r')}, now {lora.r}; or dora or targets")
    if differing:
        raise SettingsError(
            f"Adapter {str(folder)!r} was made with other settings of training.lora ({'; '.join(differing)}). "
            "Go on with the same, or merge it first: mathquorum merge."
        )
    set_peft_model_state_dict(peft_model, weights)


@contextlib.contextmanager
def freeing_at_once() -> Iterator[None]:
    """Within it the C library gives the memory of a freed tensor back at once, where it is glibc.

    An adapter's forward pass frees a tensor between any two that it keeps, and glibc's heap cannot put an aligned tensor into a hole of
    its own size: SmolLM2-135M grew by 1.40 GB where 0.77 were kept, and by 0.79 within this, for 15% more processor time.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, 2**20)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, 2**25)  # where glibc's own adapting of it ends


def save_adapter(peft_model: Any, base: str, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Writes the adapter's weights and settings as peft does, and a note of its base. Equal adapters give equal bytes.

    Args:
        peft_model: With the one adapter.
        base: The base as the user named it.
        folder: Made when it is missing.
        weights: All of them by name, where the model itself holds only a part (`training.trainer.Trained`).
    """
    peft_model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
    settings = read_json(folder / ADAPTER_CONFIG)
    settings["base_model_name_or_path"] = base
    if isinstance(settings["target_modules"], list):
        settings["target_modules"].sort()  # a set, which peft writes in whatever order
    write_json(folder / ADAPTER_CONFIG, settings)
    write_json(folder / BASE_NOTE, base_note(peft_model.get_base_model(), base))
    (folder / "README.md").unlink(missing_ok=True)  # a form for the author to fill in
