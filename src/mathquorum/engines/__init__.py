"""Models that can be asked, by the kind that settings use. See `engines.base.Engine` and `engines.settings.EngineSettings`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mathquorum.engines.embedded.settings import Embedded
from mathquorum.engines.scripted import Scripted
from mathquorum.engines.server.settings import Server
from mathquorum.engines.vllm.settings import Vllm

__all__ = ["AnyEngine", "Embedded", "Scripted", "Server", "Vllm", "release"]

AnyEngine = Annotated[Embedded | Scripted | Server | Vllm, Field(discriminator="kind")]


def release() -> None:
    """Ends what engines keep running from one stage to the next, so that others have the GPU."""
    from mathquorum.engines.vllm.running import SERVERS

    SERVERS.end()
