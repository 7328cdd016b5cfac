"""Starting the processes of a training: `torchrun` for plain copies of the model, `accelerate launch` for a user's own configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mathquorum import errors
from mathquorum.config import read_settings_file
from mathquorum.errors import RunError, SettingsError
from mathquorum.models import Hardware
from mathquorum.store import write_json
from mathquorum.training.ranks import local_world, sharding, world
from mathquorum.training.settings import Training

__all__ = ["MARK", "Ranks", "launch", "launches", "ranks_of"]

MARK = "mathquorum:"
"""Before what a process says to the one that launched it: a line of JSON with "done" and "total", or "error" and "text"."""

_ENTRY = "mathquorum.launched"
_LOG = ".ranks.log"
_PATIENCE = 20  # seconds that processes have to end when they are told to
_SHARDING = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed"}


def launches(training: Training) -> bool:
    """Whether a training starts processes of its own; not where a launcher has started this one."""
    return world() == 1 and (training.processes > 1 or training.accelerate is not None)


@dataclass(frozen=True)
class Ranks:
    """Who trains a model together. Sums of floats depend on it, as on the device.

    Attributes:
        number: Of processes.
        here: Of those on this machine.
        sharding: What shares weights out among them; None where each holds all.
    """

    number: int
    here: int
    sharding: str | None

    @property
    def in_words(self) -> list[str]:
        """What is more than one plain process: ["8 processes", "FSDP"]."""
        return ([f"{self.number} processes"] if self.number > 1 else []) + ([self.sharding] if self.sharding else [])

    @property
    def shards(self) -> int:
        """In how many parts weights, gradients and averages lie."""
        return self.number if self.sharding else 1


def ranks_of(training: Training, hardware: Hardware) -> Ranks:
    """Those that a training will have: the launcher's, or those that it starts.

    Raises:
        SettingsError: If accelerate's configuration cannot be read, or is for several machines.
    """
    number, here, shared = world(), local_world(), sharding()
    if launches(training):
        told = _configuration(training.accelerate)
        number = here = training.processes if training.processes > 1 else int(told.get("num_processes", 1))
        shared = _SHARDING.get(str(told.get("distributed_type", "")))
    # accelerate shards nothing on a CPU
    return Ranks(number, here, None if hardware.torch_device().type == "cpu" else shared)


def _configuration(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    told = read_settings_file(file)
    if int(told.get("num_machines", 1)) > 1:
        raise SettingsError(
            f"training.accelerate: {file} is for {told['num_machines']} machines. Launch the whole command on each of them: "
            f"accelerate launch --config_file {file} -m mathquorum ..."
        )
    return told


def launch(
    finetune: str, training: Training, hardware: Hardware, out: Path, progress: Callable[[int, int], None]
) -> None:
    """Has a stage trained by several processes, and returns when they have ended well. They end with this one, however it ends.

    Args:
        finetune: The stage's settings, as JSON.
        training: How many processes, and by whose configuration.
        hardware: Of each.
        out: The stage's directory.
        progress: Told of steps.

    Raises:
        MathquorumError: What a process raised.
        RunError: If one ended without a word.
    """
    job = out / ".job.json"
    write_json(job, {"out": str(out), "finetune": finetune})
    environment = {"OMP_NUM_THREADS": str(hardware.threads)} | dict(os.environ)
    with (out / _LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*_launcher(training), "-m", _ENTRY, str(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        assert process.stdin and process.stdout
        try:
            for word in _heard(process.stdout, log):
                if "error" in word:
                    raise _as_raised(word)
                progress(word["done"], word["total"])
        finally:
            process.stdin.close()  # at whose end each of them ends
            _end(process)
    if process.returncode:
        raise RunError(
            f"A training process ended without a word (the launcher's exit code is {process.returncode}). What they said is in "
            f"{out / _LOG}; its end:\n{_tail(out / _LOG)}\nRun the same command again to continue from the last checkpoint."
        )
    (out / _LOG).unlink()
    job.unlink()


def _launcher(training: Training) -> list[str]:
    number = str(training.processes)
    if training.accelerate is None:
        return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", number]
    chosen = ["--num_processes", number] if training.processes > 1 else []
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(training.accelerate)]
    return [*command, "--main_process_port", "0", *chosen]


def _heard(said: IO[str], log: IO[str]) -> Iterator[dict[str, Any]]:
    for line in said:
        if line.startswith(MARK):
            yield json.loads(line.removeprefix(MARK))
        else:
            log.write(line)


def _as_raised(word: Mapping[str, Any]) -> errors.MathquorumError:
    kinds: dict[str, type[errors.MathquorumError]] = {
        kind.__name__: kind for kind in (errors.DataError, errors.ModelError, errors.RunError, errors.SettingsError)
    }
    return kinds.get(word["error"], RunError)(word["text"])


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
