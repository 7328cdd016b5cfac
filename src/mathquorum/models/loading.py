"""Models in memory: loaded whole, checked, placed on their device, with their adapters."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mathquorum.errors import ModelError
from mathquorum.models.codec import Codec, check_prompt
from mathquorum.models.faults import cannot_load, first_line, silence_transformers
from mathquorum.models.gguf import forget_packing, unpacking
from mathquorum.models.hardware import Hardware
from mathquorum.models.sources import Source, read_source
from mathquorum.models.tokenizers import ids_of, load_codec
from mathquorum.prompts import PLAIN, Prompt

if TYPE_CHECKING:
    import torch

    from mathquorum.models.adapters import AdaptedBase

__all__ = ["Head", "LoadedModel", "load_model", "load_together", "stop_tokens"]

Head = Literal["language", "sequence", "token"]
_AS = {"language": "", "sequence": " as a reward model", "token": " as a process reward model"}


@dataclass(frozen=True)
class LoadedModel:
    """A model with its tokenizer, on its device. Both are transformers objects.

    Attributes:
        base: What was loaded, as the user named it: folder, hub id or GGUF file.
        adapted: The base with its adapters, where it has any; `model` is that base then, and others may use it with other adapters.
        adapter: The name of this one's adapter; None for the base alone.
    """

    model: Any
    codec: Codec
    device: torch.device
    base: str = ""
    adapted: AdaptedBase | None = None
    adapter: str | None = None

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self.codec.tokenizer

    def activate(self) -> None:
        """From here on `model` computes with this one's adapter, until another one is activated on the same base."""
        if self.adapted:
            self.adapted.use(self.adapter)


def load_model(
    model: str,
    hardware: Hardware,
    wording: Prompt = PLAIN,
    dtype: torch.dtype | None = None,
    quantization: Any = None,
    head: Head = "language",
) -> LoadedModel:
    """The model and tokenizer that a name stands for.

    Args:
        model: See `models.sources.read_source`: a folder, a hub id such as "Qwen/Qwen2.5-1.5B", a GGUF file (its weights are unpacked to
            `dtype`), an adapter's folder, or BASE+ADAPTER.
        hardware: Device and threads.
        wording: How problems are put to it; plain text by default.
        dtype: Overrides `hardware.dtype`; training keeps float32 weights.
        quantization: transformers' settings of a base in few bits (`training.lora.quantization`).
        head: What the model gives: the next token, a number or classes for the whole text (a reward model), or classes for each token.

    Raises:
        ModelError: If there is no such model, it cannot be read whole with that head, or its adapter is of another base.
    """
    import torch

    torch.set_num_threads(hardware.threads)
    silence_transformers()
    source = read_source(model)
    codec = load_codec(model, wording)
    if head != "language" and source.adapter:
        raise ModelError(
            f"{model!r} is an adapter on a reward model. Merge it into its base with peft, and give the merged model."
        )
    loaded = _load_base(source, dtype or hardware.torch_dtype(), quantization, head)
    if codec.wording.template == "chat" and head == "language":
        check_prompt(codec, ids_of(loaded.generation_config.eos_token_id))
    _check_vocabulary(model, codec.tokenizer, loaded)
    if quantization is None:
        try:
            loaded = loaded.to(hardware.torch_device())
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"Model {model!r} cannot be put on device {hardware.device!r}: {first_line(error)}"
            ) from error
    loaded = loaded.eval()
    if _loses_softcap(loaded):
        loaded.set_attn_implementation("eager")
    whole = LoadedModel(loaded, codec, hardware.torch_device(), source.base)
    return _with_adapter(whole, source.adapter) if source.adapter else whole


def _load_base(source: Source, dtype: torch.dtype, quantization: Any, head: Head) -> Any:
    if not source.gguf:
        return _read_whole(source, dtype, quantization, head)
    with contextlib.redirect_stderr(io.StringIO()):  # a bar per file
        loaded = _read_whole(source, dtype, unpacking(), head)
    forget_packing(loaded)
    return loaded


def _read_whole(source: Source, dtype: torch.dtype, quantization: Any, head: Head) -> Any:
    name, arguments = source.arguments()
    try:
        loaded, found = _kind(head).from_pretrained(
            name, dtype=dtype, quantization_config=quantization, output_loading_info=True, **arguments
        )
    except Exception as error:  # transformers raises whatever the file at fault raised
        raise cannot_load("Model", source, error) from error
    missing = sorted(found["missing_keys"])
    if missing:  # transformers would fill them with random numbers and go on
        raise ModelError(
            f"Model {source.base!r} cannot be loaded{_AS[head]}: its files lack {len(missing)} of its weights (first: {missing[0]})."
        )
    return loaded


def _kind(head: Head) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoModelForTokenClassification

    kinds = {
        "language": AutoModelForCausalLM,
        "sequence": AutoModelForSequenceClassification,
        "token": AutoModelForTokenClassification,
    }
    return kinds[head]


def _check_vocabulary(model: str, tokenizer: Any, loaded: Any) -> None:
    rows = int(loaded.get_input_embeddings().weight.shape[0])
    added = sorted(number for number in tokenizer.get_vocab().values() if number >= rows)
    if added and added != [tokenizer.pad_token_id]:  # nobody shows a model its padding
        raise ModelError(
            f"The tokenizer of {model!r} has {len(added)} tokens that the model has no embedding for (numbers {added[0]} to "
            f"{added[-1]}, its embedding has {rows} rows): they were added. Resize the model's embeddings, train all of its weights, "
            "and give that model."
        )


def _loses_softcap(model: Any) -> bool:
    """Whether the attention that transformers chose drops the model's softcap in silence, as 5.16 does for Gemma 2 (5.23 chooses
    "eager" itself)."""
    config = model.config.get_text_config(decoder=True)
    return bool(getattr(config, "attn_logit_softcapping", None)) and config._attn_implementation == "sdpa"


def _with_adapter(base: LoadedModel, folder: Path) -> LoadedModel:
    from mathquorum.models.adapters import AdaptedBase

    adapted = base.adapted or AdaptedBase(base.model, base.base)
    return replace(base, adapted=adapted, adapter=adapted.add(folder))


def load_together(models: Sequence[str], hardware: Hardware, wording: Prompt = PLAIN) -> list[LoadedModel]:
    """Several models to be asked in turn. Where all are adapters of one base, or that base itself, it is loaded once; each has to be
    activated before it is used then, as engines do.

    Args:
        models: Names as in `load_model`.
        hardware: Device and threads.
        wording: How problems are put to them.

    Raises:
        ModelError: As `load_model`.
    """
    sources = [read_source(model) for model in models]
    one_base = all(_same_place(source.base, sources[0].base) for source in sources)
    if not one_base or not any(source.adapter for source in sources):
        return [load_model(model, hardware, wording) for model in models]
    from mathquorum.models.adapters import AdaptedBase

    base = load_model(sources[0].base, hardware, wording)
    adapted = AdaptedBase(base.model, base.base)
    return [
        replace(
            base,
            codec=load_codec(model, wording),
            adapted=adapted,
            adapter=adapted.add(source.adapter) if source.adapter else None,
        )
        for model, source in zip(models, sources, strict=True)
    ]


def _same_place(one: str, other: str) -> bool:
    return one == other or (Path(one).exists() and Path(other).exists() and Path(one).samefile(other))


def stop_tokens(loaded: LoadedModel) -> list[int]:
    """Ids that end a solution: the tokenizer's end of sequence, that of a turn, and what the model's generation settings add."""
    configured = ids_of(loaded.model.generation_config.eos_token_id)
    return sorted({loaded.tokenizer.eos_token_id, loaded.codec.end, *configured})
