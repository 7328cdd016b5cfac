"""The way to a Ray cluster. Ray is imported here and nowhere else."""

from __future__ import annotations

import os
import socket
from typing import Any

from mathquorum.errors import RunError, SettingsError

__all__ = ["check_cluster", "connected", "ray_train"]

_PROBE_SECONDS = 5.0
_START = "Start one with `ray start --head` here and `ray start --address HOST:6379` on other machines, or leave --cluster out."


def connected(address: str) -> Any:
    """The module `ray`, connected. A connection that this process has already is used as it is.

    Args:
        address: HOST:PORT of a cluster that this machine is a node of, or "auto".

    Raises:
        SettingsError: If ray is not installed, or the address is none.
        RunError: If no cluster answers there.
    """
    try:
        import ray
    except ImportError as error:
        raise _not_installed(error) from error
    if ray.is_initialized():
        return ray
    given = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    if given != "auto" and "://" not in given:
        _probe(given)
    try:
        ray.init(address=given, log_to_driver=False, logging_level="ERROR")
    except ValueError as error:
        raise SettingsError(f"--cluster must be auto or HOST:PORT. Got {address!r} instead ({error}).") from error
    except ConnectionError as error:
        where = "No Ray cluster runs on this machine" if given == "auto" else f"No Ray cluster answers at {given}"
        raise RunError(f"{where}. {_START}") from error
    return ray


def check_cluster(address: str) -> None:
    """Makes sure that a cluster answers, before anything is begun.

    Raises:
        SettingsError: As `connected`.
        RunError: As `connected`.
    """
    connected(address).shutdown()


def ray_train(address: str) -> tuple[Any, Any]:
    """The modules `ray` and `ray.train`, connected.

    Raises:
        SettingsError: As `connected`, or if a package that Ray Train needs is not installed.
        RunError: As `connected`.
    """
    ray = connected(address)
    try:
        from ray import train
        from ray.train import torch  # noqa: F401
    except ImportError as error:
        raise _not_installed(error) from error
    return ray, train


def _not_installed(error: ImportError) -> SettingsError:
    return SettingsError(
        f'--cluster needs Ray, which is not installed here ({error}). Install it, here and on every node, with: pip install "mathquorum[ray]"'
    )


def _probe(address: str) -> None:
    """Asks whether anything listens there: Ray itself tries for minutes, and then ends the process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"--cluster must be auto or HOST:PORT, such as 10.0.0.1:6379. Got {address!r} instead.")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS):
            pass
    except OSError as error:
        raise RunError(f"No Ray cluster answers at {address}: {error.strerror or error}. {_START}") from error
