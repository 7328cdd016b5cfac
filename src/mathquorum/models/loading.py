"""Models in and out: load from a folder, a hub, a GGUF file or a base with an adapter; check, place on a device, save."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.errors import ModelError, RunError, SettingsError
from mathquorum.models.codec import Codec, check_prompt
from mathquorum.models.sources import Source, gguf_fault, hub_answers, read_source
from mathquorum.prompts import PLAIN, Prompt
from mathquorum.store import write_error

if TYPE_CHECKING:
    import torch

    from mathquorum.models.adapters import AdaptedBase

__all__ = [
    "Hardware",
    "LoadedModel",
    "check_model",
    "context_length",
    "context_of",
    "enough_memory",
    "load_codec",
    "load_config",
    "load_model",
    "load_together",
    "load_tokenizer",
    "merge_adapter",
    "merged",
    "multiplies_bfloat16",
    "num_weights",
    "silence_transformers",
    "stop_tokens",
    "writing",
]


class Hardware(Settings):
    """Where a model runs. All of it counts as settings of the result: sums of floats depend on it."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """"auto" takes an NVIDIA GPU (cuda) where there is one, else the CPU; mps must be asked for."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the weights. "auto": bfloat16 on a GPU, float32 on a CPU. A CPU with instructions for bfloat16 (avx512_bf16, amx_bf16) samples
    a model of half a billion weights 1.7 times as fast in it, but scores are coarse then: the recipes' scoring_hardware (docs/models.md)."""
    threads: int = Field(default=1, ge=1)
    """CPU threads per process. One, because processes are what we run side by side, and two multi-threaded ones on two
    cores ran 2 to 10 times slower than two with one thread each (docs/inside.md)."""

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

    def settled(self) -> Hardware:
        """These settings with what "auto" means here, for workers on other machines.

        Raises:
            SettingsError: If a GPU is asked for and this machine has none: how much fits into its memory is measured here.
        """
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            raise SettingsError(
                "hardware.device is cuda, and the machine that starts this run has no such GPU, by whose memory the work is cut. "
                "Start it on a node that has one, or set hardware.device to cpu."
            )
        number = str(self.torch_dtype()).removeprefix("torch.")
        return self.model_copy(update={"device": self.torch_device().type, "dtype": number})

    def resolved(self) -> str:
        """What "auto" means here: "cpu, float32"."""
        return f"{self.torch_device().type}, {str(self.torch_dtype()).removeprefix('torch.')}"


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without, nothing is gained by it."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def load_codec(model: str, wording: Prompt = PLAIN) -> Codec:
    """How texts become tokens for a model; see `load_tokenizer`."""
    return Codec(load_tokenizer(model), wording)


def check_model(model: str, wording: Prompt) -> None:
    """Makes sure that a model can be shown its prompts and asked for a verdict, before anything is trained or loaded.

    Raises:
        ModelError: If there is no such model, or it cannot; see `models.codec.check_prompt`.
    """
    check_prompt(load_codec(model, wording), _generation_ends(model))


def _generation_ends(model: str) -> list[int]:
    """What a model's generation settings end a text at; nothing where it has none."""
    from transformers import GenerationConfig

    try:
        name, arguments = read_source(model).arguments()
        return _as_list(GenerationConfig.from_pretrained(name, **arguments).eos_token_id)
    except (OSError, ValueError, TypeError):  # a GGUF file has none
        return []


def _as_list(ids: Any) -> list[int]:
    return ids if isinstance(ids, list) else [] if ids is None else [ids]


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
) -> LoadedModel:
    """The model and tokenizer that a name stands for.

    Args:
        model: See `models.sources.read_source`: a folder, a hub id such as "Qwen/Qwen2.5-1.5B", a GGUF file (its weights are unpacked to
            `dtype`), an adapter's folder, or BASE+ADAPTER.
        hardware: Device and threads.
        wording: How problems are put to it; plain text by default.
        dtype: Overrides `hardware.dtype`; training keeps float32 weights.
        quantization: transformers' settings of a base in few bits (`training.lora.quantization`).

    Raises:
        ModelError: If there is no such model, it cannot be read as a causal language model, whole, or its adapter is of another
            base.
    """
    import torch

    torch.set_num_threads(hardware.threads)
    silence_transformers()
    source = read_source(model)
    codec = Codec(load_tokenizer(model), wording)
    loaded = _load_base(source, dtype or hardware.torch_dtype(), quantization)
    if codec.wording.template == "chat":
        check_prompt(codec, _as_list(loaded.generation_config.eos_token_id))
    _check_vocabulary(model, codec.tokenizer, loaded)
    if quantization is None:
        try:
            loaded = loaded.to(hardware.torch_device())
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"Model {model!r} cannot be put on device {hardware.device!r}: {_first_line(error)}"
            ) from error
    loaded = loaded.eval()
    if _loses_softcap(loaded):
        loaded.set_attn_implementation("eager")
    whole = LoadedModel(loaded, codec, hardware.torch_device(), source.base)
    return _with_adapter(whole, source.adapter) if source.adapter else whole


def _load_base(source: Source, dtype: torch.dtype, quantization: Any) -> Any:
    from transformers import AutoModelForCausalLM

    name, arguments = source.arguments()
    if source.gguf:
        from transformers import GgufConfig

        quantization = GgufConfig(dequantize=True)
    try:
        with contextlib.redirect_stderr(io.StringIO()) if source.gguf else contextlib.nullcontext():  # a bar per file
            loaded, found = AutoModelForCausalLM.from_pretrained(
                name, dtype=dtype, quantization_config=quantization, output_loading_info=True, **arguments
            )
    except Exception as error:  # transformers raises whatever the file at fault raised
        raise _cannot_load("Model", source, error) from error
    missing = sorted(found["missing_keys"])
    if missing:  # transformers would fill them with random numbers and go on
        raise ModelError(
            f"Model {source.base!r} cannot be loaded: its files lack {len(missing)} of its weights (first: {missing[0]})."
        )
    if source.gguf:  # whole now, and to be trained and saved as any other
        loaded.hf_quantizer = None
        if getattr(loaded.config, "quantization_config", None) is not None:
            del loaded.config.quantization_config
    return loaded


def _cannot_load(what: str, source: Source, error: Exception) -> ModelError:
    if source.gguf:
        return ModelError(f"GGUF file {source.base!r} cannot be loaded: {gguf_fault(source.gguf, _first_line(error))}")
    if not source.is_local and not hub_answers():
        return ModelError(
            f"{what} {source.base!r} cannot be loaded: there is no such folder here, the hub's cache does not hold it, and the hub cannot "
            "be reached. Give a local folder, or run where the hub can be reached."
        )
    return ModelError(f"{what} {source.base!r} cannot be loaded: {_first_line(error)}")


def load_config(model: str) -> Any:
    """The transformers config of a model's base; no weight is read.

    Raises:
        ModelError: If it cannot be read.
    """
    from transformers import AutoConfig

    silence_transformers()
    source = read_source(model)
    name, arguments = source.arguments()
    try:
        return AutoConfig.from_pretrained(name, **arguments)
    except Exception as error:  # as above
        raise _cannot_load("Model", source, error) from error


def num_weights(config: Any) -> int:
    """Weights of a model, those that are tied once."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):  # no weight is made
        return sum(parameter.numel() for parameter in AutoModelForCausalLM.from_config(config).parameters())


def _check_vocabulary(model: str, tokenizer: Any, loaded: Any) -> None:
    rows = int(loaded.get_input_embeddings().weight.shape[0])
    added = sorted(number for number in tokenizer.get_vocab().values() if number >= rows)
    if added and added != [tokenizer.pad_token_id]:  # nobody shows a model its padding
        raise ModelError(
            f"The tokenizer of {model!r} has {len(added)} tokens that the model has no embedding for (numbers {added[0]} to "
            f"{added[-1]}, its embedding has {rows} rows): they were added. Resize the model's embeddings, train all of its weights, "
            "and give that model."
        )


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
            codec=Codec(load_tokenizer(model), wording),
            adapted=adapted,
            adapter=adapted.add(source.adapter) if source.adapter else None,
        )
        for model, source in zip(models, sources, strict=True)
    ]


def _same_place(one: str, other: str) -> bool:
    return one == other or (Path(one).exists() and Path(other).exists() and Path(one).samefile(other))


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
    """The tokenizer of a model: an adapter's own where it has one, else its base's.

    Raises:
        ModelError: If there is none, it has no tokens for text or for the end of sequence, or an adapter's has other tokens than its
            base's.
    """
    source = read_source(model)
    tokenizer = _read_tokenizer(source)
    if source.adapter and (source.adapter / "tokenizer_config.json").is_file():
        own = _read_tokenizer(Source(str(source.adapter)))
        if own.get_vocab() != tokenizer.get_vocab():
            raise ModelError(
                f"Adapter {str(source.adapter)!r} has a tokenizer with other tokens than its base {source.base!r}, so tokens were "
                "added. Merge it with peft into its base and give the merged model."
            )
        tokenizer = own
    if tokenizer.eos_token_id is None:
        raise ModelError(f"The tokenizer of {model!r} has no end-of-sequence token, so no solution could ever end.")
    if not tokenizer("1+1=2", add_special_tokens=False)["input_ids"]:  # what transformers makes of missing files
        raise ModelError(f"The tokenizer of {model!r} has no tokens for any text: its files are missing or empty.")
    return tokenizer


def _read_tokenizer(source: Source) -> Any:
    from transformers import AutoTokenizer

    name, arguments = source.arguments()
    try:
        return AutoTokenizer.from_pretrained(name, **arguments)
    except Exception as error:  # as above
        raise _cannot_load("The tokenizer of", source, error) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def context_length(model: Any) -> int:
    """Positions that the model can attend to; a very large number where its config sets none."""
    return context_of(model.config)


def context_of(config: Any) -> int:
    """As `context_length`, from a transformers config alone."""
    return int(getattr(config.get_text_config(decoder=True), "max_position_embeddings", None) or 2**31)


def stop_tokens(loaded: LoadedModel) -> list[int]:
    """Ids that end a solution: the tokenizer's end of sequence, that of a turn, and what the model's generation settings add."""
    configured = _as_list(loaded.model.generation_config.eos_token_id)
    return sorted({loaded.tokenizer.eos_token_id, loaded.codec.end, *configured})
