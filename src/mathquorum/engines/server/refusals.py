"""What a server's refusal means for who gave the settings."""

from __future__ import annotations

from mathquorum.engines.server.faults import Refusal
from mathquorum.errors import ModelError

__all__ = ["explain"]


def explain(refusal: Refusal, url: str, model: str, path: str, key_variable: str | None) -> ModelError:
    """The error that says what to do.

    Args:
        refusal: Of the server.
        url: Its address.
        model: The name that it was asked for.
        path: Where below the address.
        key_variable: Where the key came from.
    """
    words = f"{url} refused {model!r} ({refusal.status}{': ' + refusal.words if refusal.words else ''})."
    return ModelError(f"{words} {_advice(refusal.status, path, key_variable)}")


def _advice(status: int, path: str, key_variable: str | None) -> str:
    if status in (401, 403) and key_variable is None:
        return "If it wants a key, put it in an environment variable and name that: engine.key_variable OPENAI_API_KEY."
    if status in (401, 403):
        return f"Look whether the key in {key_variable} is right, and may use this model."
    if status == 429:
        return (
            "The account has nothing left to spend. What was answered is kept: run the same command again to continue."
        )
    if status in (404, 405):
        asked = f"It was asked at {path}: look whether engine.url ends as the server wants it (most end in /v1)"
        chat = ", or set prompt.template chat if it knows conversations alone" if path == "/completions" else ""
        return f"{asked}{chat}, and whether this is its name for the model (engine.served_model)."
    return "Look at its message, and at engine.extra and the sampling settings."
