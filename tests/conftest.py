"""Fixtures shared by all tests. Everything is made here: no network, no weights, no GPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per process: tests run side by side
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parent))

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the project; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not here")
    return SHARED


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The names of all files that are opened while the test runs, each as often as it is."""
    _recorders.append(names := [])
    yield names
    _recorders.remove(names)


_recorders: list[list[str]] = []


def _record(event: str, arguments: tuple[object, ...]) -> None:
    if _recorders and event == "open":
        for names in _recorders:
            names.append(str(arguments[0]))


sys.addaudithook(_record)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Qwen2 checkpoint."""
    from tiny_models import make_model

    return make_model(tmp_path_factory.mktemp("models") / "qwen2")
