"""Hugging Face models in and out: load, check, place on a device, save."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.errors import ModelError
from mathquorum.prompts import CORRECT, INCORRECT
from mathquorum.store import write_error

if TYPE_CHECKING:
    import torch

__all__ = [
    "Codec",
    "Hardware",
    "LoadedModel",
    "Template",
    "check_labels",
    "context_length",
    "enough_memory",
    "load_model",
    "load_tokenizer",
    "silence_transformers",
    "stop_tokens",
    "writing",
]


class Hardware(Settings):
    """Where a model runs. All of it counts as settings of the result: sums of floats depend on it."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """"auto" takes a GPU where there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the weights. "auto": bfloat16 on a GPU, float32 on a CPU."""
    threads: int = Field(default=1, ge=1)
    """CPU threads per process. One, because processes are what we run side by side, and two multi-threaded ones on two
    cores ran 2 to 10 times slower than two with one thread each (docs/architecture.md)."""

    def torch_device(self) -> torch.device:
        import torch

        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def torch_dtype(self) -> torch.dtype:
        import torch

        if self.dtype == "auto":
            return torch.bfloat16 if self.torch_device().type == "cuda" else torch.float32
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.dtype]

    def resolved(self) -> str:
        """What "auto" means here: "cpu, float32"."""
        return f"{self.torch_device().type}, {str(self.torch_dtype()).removeprefix('torch.')}"


Template = Literal["plain", "chat"]
"""How a prompt is put to a model: as it stands, or as a user's message in the model's own chat template."""


@dataclass(frozen=True)
class Codec:
    """How texts become tokens for one model, in training and in sampling alike."""

    tokenizer: Any
    template: Template = "plain"

    def prompt(self, text: str) -> list[int]:
        """Ids of a prompt, with the marks that the model expects at the beginning of a text and none at its end."""
        if self.template == "chat":
            message = [{"role": "user", "content": text}]
            text = self.tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
            return self.continuation(text)
        ids: list[int] = self.tokenizer(text)["input_ids"]
        while ids and ids[-1] == self.tokenizer.eos_token_id and not text.endswith(str(self.tokenizer.eos_token)):
            ids = ids[:-1]  # some tokenizers close every text
        return ids

    def continuation(self, text: str) -> list[int]:
        """Ids of a text that follows a prompt: tokenized apart from it, as when sampling, so that the prompt's tokens are
        the same in both."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def label(self, word: str) -> list[int]:
        """Ids of a label word as it follows a prompt.

        Raises:
            ModelError: If the tokenizer does not know it.
        """
        ids = self.continuation(word)
        if self.tokenizer.decode(ids).strip() != word.strip():
            raise ModelError(f"The tokenizer cannot write the label word {word!r}: it has no tokens for it.")
        return ids

    @property
    def end(self) -> int:
        """The end-of-sequence token."""
        return int(self.tokenizer.eos_token_id)


def check_labels(model: str, template: Template = "plain") -> None:
    """Makes sure that a model can be asked for a verdict, before anything is trained.

    Raises:
        ModelError: If there is no such model, or its tokenizer cannot write the label words.
    """
    codec = Codec(load_tokenizer(model), template)
    for word in (CORRECT, INCORRECT):
        codec.label(word)


@dataclass(frozen=True)
class LoadedModel:
    """A model with its tokenizer, on its device. Both are transformers objects."""

    model: Any
    codec: Codec
    device: torch.device

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self.codec.tokenizer


def load_model(
    model: str, hardware: Hardware, template: Template = "plain", dtype: torch.dtype | None = None
) -> LoadedModel:
    """The model and tokenizer of a local folder, or of a hub id such as "Qwen/Qwen2.5-1.5B".

    Args:
        model: Folder or hub id.
        hardware: Device and threads.
        template: How prompts are put to it.
        dtype: Overrides `hardware.dtype`; training keeps float32 weights.

    Raises:
        ModelError: If there is no such model, or it cannot be read as a causal language model, whole.
    """
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(hardware.threads)
    silence_transformers()
    codec = Codec(load_tokenizer(model), template)
    if template == "chat" and not codec.tokenizer.chat_template:
        raise ModelError(f"Model {model!r} has no chat template. Use template 'plain'.")
    try:
        loaded, found = AutoModelForCausalLM.from_pretrained(
            model, dtype=dtype or hardware.torch_dtype(), output_loading_info=True
        )
    except Exception as error:  # transformers raises whatever the file at fault raised
        raise ModelError(f"Model {model!r} cannot be loaded: {_first_line(error)}") from error
    missing = sorted(found["missing_keys"])
    if missing:  # transformers would fill them with random numbers and go on
        raise ModelError(
            f"Model {model!r} cannot be loaded: its files lack {len(missing)} of its weights (first: {missing[0]})."
        )
    try:
        loaded = loaded.to(hardware.torch_device()).eval()
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"Model {model!r} cannot be put on device {hardware.device!r}: {_first_line(error)}"
        ) from error
    if _loses_softcap(loaded):
        loaded.set_attn_implementation("eager")
    return LoadedModel(loaded, codec, hardware.torch_device())


def _loses_softcap(model: Any) -> bool:
    """Whether the attention that transformers chose drops the model's softcap in silence, as 5.16 does for Gemma 2 (5.23 chooses
    "eager" itself)."""
    config = model.config.get_text_config(decoder=True)
    return bool(getattr(config, "attn_logit_softcapping", None)) and config._attn_implementation == "sdpa"


@contextlib.contextmanager
def enough_memory(setting: str) -> Iterator[None]:
    """Says in words that the GPU's memory ran out.

    Raises:
        ModelError: If it did, naming the setting to lower.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"The GPU's memory ran out. Lower {setting} and run the same command again; what was finished is kept."
        ) from error


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Says in words what the libraries raise when they save to a folder and the disk is full.

    Raises:
        RunError: If something cannot be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise write_error(folder, error) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error) and "inline_container" not in str(error):
            raise
        raise write_error(folder, OSError("the disk may be full")) from error


def silence_transformers() -> None:
    """The library prints nothing: no bar per loaded tensor, no advice; what matters comes back as an error."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def load_tokenizer(model: str) -> Any:
    """The tokenizer of a local folder or hub id.

    Raises:
        ModelError: If there is none, or it has no tokens for text or for the end of sequence.
    """
    from transformers import AutoTokenizer

    folder = Path(model)
    if folder.exists() or model.startswith((".", "/", "~")) or model.count("/") > 1:
        _check_folder(folder, model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except Exception as error:  # as above
        raise ModelError(f"The tokenizer of {model!r} cannot be loaded: {_first_line(error)}") from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"The tokenizer of {model!r} has no end-of-sequence token, so no solution could ever end.")
    if not tokenizer("1+1=2", add_special_tokens=False)["input_ids"]:  # what transformers makes of missing files
        raise ModelError(f"The tokenizer of {model!r} has no tokens for any text: its files are missing or empty.")
    return tokenizer


def _check_folder(folder: Path, name: str) -> None:
    if not folder.is_dir():
        raise ModelError(
            f"There is no model folder {name!r}. Give a local folder, or a hub id such as 'Qwen/Qwen2.5-1.5B'."
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name!r} is not a Hugging Face model folder: it has no config.json.")


def _first_line(error: BaseException) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def context_length(model: Any) -> int:
    """Positions that the model can attend to; a very large number where its config sets none."""
    config = model.config.get_text_config(decoder=True)
    return int(getattr(config, "max_position_embeddings", None) or 2**31)


def stop_tokens(loaded: LoadedModel) -> list[int]:
    """Ids that end a solution: the tokenizer's end of sequence, and what the model's generation settings add."""
    ids = {loaded.tokenizer.eos_token_id}
    configured = loaded.model.generation_config.eos_token_id
    ids.update(configured if isinstance(configured, list) else [configured] if configured is not None else [])
    return sorted(ids)
