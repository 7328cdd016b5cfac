"""What clients may send, in the shapes of OpenAI's protocol. A field that would change the answer and is not known is refused, never passed over."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mathquorum.serving.refusals import Refused

__all__ = ["Asked", "AskedChat", "AskedText", "OwnFields", "Turn", "read_asked"]

_SEED = 2**63
MOST_LIKELIEST = 20
"""What OpenAI's chat gives."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


def _only(*values: Any) -> Any:
    """A field that is taken with these values alone, because they change nothing."""

    def check(value: Any) -> Any:
        if value is not None and value not in values:
            raise ValueError("is not supported here. Leave it out")
        return value

    return Annotated[Any, AfterValidator(check)]


Stop = Annotated[str, Field(min_length=1, max_length=256)]


class OwnFields(_Shape):
    """Settings of the quorum for one request: `extra_body={"mathquorum": {...}}` of OpenAI's client."""

    num_candidates: int | None = Field(default=None, ge=1)
    strategy: str | None = Field(default=None, max_length=40)
    style: str | None = Field(default=None, max_length=200)


class _StreamOptions(_Shape):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Asked(_Shape):
    """What both questions have."""

    model: str = Field(max_length=1000)
    n: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-_SEED, lt=_SEED)
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    mathquorum: OwnFields = OwnFields()

    # Taken, and of no consequence.
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    store: _only(False) = None  # type: ignore[valid-type]
    service_tier: _only("auto", "default") = None  # type: ignore[valid-type]
    frequency_penalty: _only(0) = None  # type: ignore[valid-type]
    presence_penalty: _only(0) = None  # type: ignore[valid-type]
    repetition_penalty: _only(1) = None  # type: ignore[valid-type]
    logit_bias: _only({}) = None  # type: ignore[valid-type]
    top_k: _only(0, -1) = None  # type: ignore[valid-type]
    min_p: _only(0) = None  # type: ignore[valid-type]

    @property
    def number(self) -> int:
        """Of choices."""
        return self.n or 1

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end a candidate."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


class _TextPart(_Shape):
    type: Literal["text"]
    text: str


class Turn(_Shape):
    """A message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[_TextPart], Field(min_length=1, max_length=64)]
    name: str | None = None
    refusal: _only() = None  # type: ignore[valid-type]
    annotations: _only([]) = None  # type: ignore[valid-type]
    audio: _only() = None  # type: ignore[valid-type]
    function_call: _only() = None  # type: ignore[valid-type]
    tool_calls: _only([]) = None  # type: ignore[valid-type]

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


class _TemplateOptions(_Shape):
    enable_thinking: bool | None = None


class _Format(_Shape):
    type: Literal["text"]


class AskedChat(Asked):
    """A body of /v1/chat/completions."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=512)]
    max_completion_tokens: int | None = Field(default=None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=MOST_LIKELIEST)
    chat_template_kwargs: _TemplateOptions | None = None
    response_format: _Format | None = None
    tools: _only([]) = None  # type: ignore[valid-type]
    tool_choice: _only("none", "auto") = None  # type: ignore[valid-type]
    parallel_tool_calls: bool | None = None

    @property
    def likeliest(self) -> int | None:
        """Likeliest tokens that are told in each place; None where no log-probabilities are asked for."""
        return (self.top_logprobs or 0) if self.logprobs else None


class AskedText(Asked):
    """A body of /v1/completions."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    logprobs: int | None = Field(default=None, ge=0, le=MOST_LIKELIEST)
    best_of: int | None = Field(default=None, ge=1)
    echo: _only(False) = None  # type: ignore[valid-type]
    suffix: _only("") = None  # type: ignore[valid-type]

    @property
    def text(self) -> str:
        """The prompt."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    @property
    def likeliest(self) -> int | None:
        """As in a chat."""
        return self.logprobs


A = TypeVar("A", bound=Asked)


def read_asked(kind: type[A], body: bytes) -> A:
    """The request in a body.

    Raises:
        Refused: If it is none, naming the field and never its value.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        raise Refused(400, "The body is no valid JSON.", "invalid_json")
    # pydantic names the chosen member of a union as a part of the place, and the client did not.
    param = ".".join(
        str(part) for part in first["loc"] if (str(part).isidentifier() and part != "str") or type(part) is int
    )[:100]
    if first["type"] == "extra_forbidden":
        raise Refused(
            400,
            f"Unknown field {param!r}. Leave it out: what is not known here is not passed over.",
            "unknown_field",
            param,
        )
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    raise Refused(400, f"{param or 'The body'} {said[:1].lower()}{said[1:]}.", "invalid_value", param or None)
