"""The settings of an endpoint."""

from __future__ import annotations

import ipaddress
import os

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.errors import SettingsError

__all__ = ["Limits", "Listening", "is_loopback"]


class Limits(Settings):
    """What a request may ask for, and how many may ask at once."""

    requests: int = Field(default=16, ge=1)
    """Requests in work or waiting at most; further ones get 429."""
    body_bytes: int = Field(default=1 << 20, ge=1)
    """Of a request; longer ones get 413."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Until a request's body is there; slower ones get 408."""
    seconds: float = Field(default=600.0, gt=0)
    """Until a request's answer is there, waiting included; then it gets 408 and its work ends. 600 as OpenAI's own client waits."""
    candidates: int = Field(default=256, ge=1)
    """Candidates of a request at most."""
    max_tokens: int = Field(default=4096, ge=1)
    """Tokens of a candidate at most."""
    shutdown_seconds: int = Field(default=30, ge=0)
    """For requests in work to end after SIGTERM or Ctrl-C; those that have not by then are ended."""


class Listening(Settings):
    """Where an endpoint listens, under which name the model is known there, and how its work is shared."""

    host: str = "127.0.0.1"
    """Address to listen at. Any other than loopback needs a key."""
    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one, which is printed."""
    key_variable: str = "MATHQUORUM_API_KEY"
    """Name of the environment variable that holds the key. Where it is set, every request must bring it."""
    name: str | None = None
    """The model's name for clients. None: that of its folder. NAME:raw is the generator alone, without the quorum."""
    raw: bool = False
    """Serve the generator alone, under its plain name."""
    turn: int = Field(default=16, ge=1)
    """Candidates that are sampled for a request before the next request has its turn. Fewer let short requests pass sooner, more are faster in all;
    part of what fixes the last digits of a probability, and so of which texts a seed gives."""
    lanes: int | None = Field(default=None, ge=1)
    """Turns at the same time, each with an engine of its own. None: 1 for a model in this process, 8 for one behind a server."""
    limits: Limits = Limits()

    def key(self) -> str | None:
        """The key, from the environment.

        Raises:
            SettingsError: If there is none and the host can be reached from elsewhere.
        """
        key = os.environ.get(self.key_variable, "").strip() or None
        if key is None and not is_loopback(self.host):
            raise SettingsError(
                f"host {self.host} can be reached from other machines, and there is no key. Put one into the environment variable "
                f"{self.key_variable} (python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one), or listen at 127.0.0.1."
            )
        return key


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
