"""What the processes of a launch do beside the command that one of them runs.

Two ways lead here. A user launches the whole command (`accelerate launch -m mathquorum run ...`): the first process runs it, and the others
`attend`, that is wait for a training and help with it. Or a training starts processes for itself (`training.processes`,
`training.accelerate`): all of them run `main`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mathquorum.errors import MathquorumError
from mathquorum.stages.base import no_progress
from mathquorum.stages.finetune import Finetune
from mathquorum.store import read_json
from mathquorum.training.bulletin import posted
from mathquorum.training.launch import MARK
from mathquorum.training.ranks import rank

__all__ = ["attend", "end_with_launcher", "main"]


def attend() -> None:
    """Helps with each training that the first process posts, until that one ends."""
    while (notice := posted()) is not None:
        job = json.loads(notice)
        Finetune.model_validate_json(job["finetune"]).train(Path(job["out"]), no_progress)


def main() -> None:
    """Trains what the job in the file that the command line names says, and tells whoever launched it how it goes."""
    _watch(lambda: os.read(0, 1) == b"")
    job = read_json(Path(sys.argv[1]))
    try:
        Finetune.model_validate_json(job["finetune"]).train(Path(job["out"]), _tell if rank() == 0 else no_progress)
    except MathquorumError as error:
        _say({"error": type(error).__name__, "text": str(error)})
        sys.exit(1)


def end_with_launcher() -> None:
    """From here on this process ends when the one that started it is gone."""
    launcher = os.getppid()

    def is_gone() -> bool:
        time.sleep(1)
        return os.getppid() != launcher

    _watch(is_gone)


def _watch(is_over: Callable[[], bool]) -> None:
    def watch() -> None:
        while not is_over():
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _tell(done: int, total: int, note: str = "") -> None:
    _say({"done": done, "total": total})


def _say(word: dict[str, str | int]) -> None:
    print(f"{MARK}{json.dumps(word)}", flush=True)


if __name__ == "__main__":
    main()
