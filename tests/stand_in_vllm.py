"""A Python environment with a stand-in for vLLM: started as vLLM is, and answering as tests/stand_in.py does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent


def make_environment(folder: Path, vllm: bool = True, **does: Any) -> Path:
    """The interpreter of an environment.

    Args:
        folder: For it. `started.jsonl` in it tells of each start: arguments, process ids, whether there was a key.
        vllm: Whether it has vLLM.
        does: "dies", "hangs" or "loses its port" (the first time): what goes wrong when it starts.
    """
    package = folder / "site" / "vllm" / "entrypoints" / "cli"
    folder.mkdir(parents=True, exist_ok=True)
    if vllm:
        package.mkdir(parents=True)
        for place in (package, package.parent, package.parent.parent):
            (place / "__init__.py").touch()
        (package / "main.py").write_text(
            f"import sys; sys.path.insert(0, {str(_TESTS)!r})\n"
            f"from stand_in_vllm import serve; serve({str(folder)!r}, {does!r}, sys.argv[1:])\n"
        )
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder / "site"}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


def serve(folder: str, does: dict[str, Any], arguments: Sequence[str]) -> None:
    """What the stand-in does as a process, with a child that has left its session."""
    from stand_in import Behaviour, StandIn

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    note = Path(folder) / "started.jsonl"
    first = not note.exists()
    with note.open("a") as file:
        key = os.environ.get("VLLM_API_KEY", "")
        row = {"arguments": list(arguments), "pids": [os.getpid(), child.pid, os.getppid()], "key": key}
        file.write(json.dumps(row) + "\n")
    print("loading weights", flush=True)
    if does.get("dies"):
        sys.exit("there is no room for the weights")
    if does.get("loses its port") and first:
        sys.exit("OSError: [Errno 98] Address already in use")
    if does.get("hangs"):
        time.sleep(600)
    port = int(arguments[arguments.index("--port") + 1])
    StandIn(Behaviour(key=key, labels={" correct": 0.6, " incorrect": 0.2}), port).server.serve_forever()


def started(folder: Path) -> list[dict[str, Any]]:
    """What is known of each start."""
    note = folder / "started.jsonl"
    return [json.loads(line) for line in note.read_text().splitlines()] if note.exists() else []


def still_run(pids: Sequence[int]) -> list[int]:
    """Those that still run after a while; it does not wait where none does."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        left = [pid for pid in pids if _runs(pid)]
        if not left:
            return []
        time.sleep(0.05)
    return left


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
