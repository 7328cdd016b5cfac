"""A model's tokenizer, and whether it can write what the model will be shown and asked."""

from __future__ import annotations

from typing import Any

from mathquorum.errors import ModelError
from mathquorum.models.codec import Codec, check_prompt
from mathquorum.models.faults import cannot_load
from mathquorum.models.sources import Source, read_source
from mathquorum.prompts import PLAIN, Prompt

__all__ = ["check_model", "ids_of", "load_codec", "load_tokenizer"]


def load_codec(model: str, wording: Prompt = PLAIN) -> Codec:
    """How texts become tokens for a model; see `load_tokenizer`."""
    return Codec(load_tokenizer(model), wording)


def check_model(model: str, wording: Prompt) -> None:
    """Makes sure that a model can be shown its prompts and asked for a verdict, before anything is trained or loaded.

    Raises:
        ModelError: If there is no such model, or it cannot; see `models.codec.check_prompt`.
    """
    check_prompt(load_codec(model, wording), _generation_ends(model))


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
    except Exception as error:  # transformers raises whatever the file at fault raised
        raise cannot_load("The tokenizer of", source, error) from error


def _generation_ends(model: str) -> list[int]:
    """What a model's generation settings end a text at; nothing where it has none."""
    from transformers import GenerationConfig

    try:
        name, arguments = read_source(model).arguments()
        return ids_of(GenerationConfig.from_pretrained(name, **arguments).eos_token_id)
    except (OSError, ValueError, TypeError):  # a GGUF file has none
        return []


def ids_of(ids: Any) -> list[int]:
    """Token ids of a setting of transformers that holds one, several or None."""
    return ids if isinstance(ids, list) else [] if ids is None else [ids]
