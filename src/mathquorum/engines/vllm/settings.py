"""The settings of the vLLM engine: the server engine, with a server that is ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mathquorum.config import InputPath, Runtime
from mathquorum.engines.server.settings import Asked, answered, cut_by, opened
from mathquorum.engines.settings import Answerer, Cut, ModelUse, Writing

if TYPE_CHECKING:
    from mathquorum.engines.server.engine import ServerEngine
    from mathquorum.engines.vllm.launch import Launch

__all__ = ["Vllm"]


class Vllm(Asked):
    """See `engines.settings.EngineSettings`. A stage starts `vllm serve` when it asks the first question; the next stage of the process that
    wants the same server gets it; another one, and the end of the process, end it."""

    kind: Literal["vllm"] = "vllm"
    python: Annotated[str, Runtime()]
    """Interpreter of the environment that has vLLM: its pins clash with ours."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Number type of the weights; "auto" is the model's own (vLLM's --dtype)."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Tokens of prompt and solution together at most; None is the model's own length, which may not fit the memory (--max-model-len)."""
    adapters: dict[str, InputPath] = {}
    """LoRA adapters that the server has besides what the stage's `model` names, by name. With generator and evaluator both here, as adapters of
    one base, sampling and scoring ask one server."""
    tensor_parallel: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """GPUs that share the model (--tensor-parallel-size)."""
    arguments: tuple[str, ...] = ()
    """Further ones of `vllm serve`, word by word."""
    start_timeout: Annotated[float, Runtime()] = Field(default=1800.0, gt=0.0)
    """Seconds until the server must answer: large models load for many minutes."""

    @property
    def takes_names(self) -> bool:
        """See `EngineSettings.takes_names`."""
        return False

    def place(self, use: ModelUse) -> str:
        """The same everywhere: what other requests share a batch decides the last digits, on any machine."""
        return "vllm"

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """As `Server.cut_writing`."""
        return cut_by(lambda: self.open(use), "vllm", self, use, writing)

    def open(self, use: ModelUse) -> ServerEngine:
        """See `EngineSettings.open`. The server's log is vllm.log beside the stage's folder, and among temporary files without one."""
        from mathquorum.engines.vllm.running import SERVERS

        launch, name = self.launch(use)
        log = (
            use.folder.parent / "vllm.log" if use.folder else Path(gettempdir()) / f"mathquorum-{os.getpid()}-vllm.log"
        )
        running = SERVERS.get(launch, log, self.start_timeout)
        return opened(running.url, running.key, "vllm", self, use, self.served_model or name)

    def launch(self, use: ModelUse) -> tuple[Launch, str]:
        """The server that has the model, and its name there."""
        from mathquorum.engines.vllm.launch import launch_of

        length = () if self.max_model_len is None else ("--max-model-len", str(self.max_model_len))
        arguments = (
            *("--dtype", self.dtype),
            *("--tensor-parallel-size", str(self.tensor_parallel)),
            *length,
            *("--generation-config", "vllm"),  # else the model's own may cut the distribution (top_k)
            *("--uvicorn-log-level", "warning"),
            *self.arguments,
        )
        return launch_of(self.python, use.model, self.adapters, arguments)

    def answerers(self, use: ModelUse) -> Sequence[Answerer]:
        """See `EngineSettings.answerers`: without addresses, which are ports of this machine's for as long as a stage runs."""
        return [Answerer(self.kind, model=one.model) for one in answered(use)]
