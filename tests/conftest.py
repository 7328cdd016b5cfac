"""Fixtures shared by all tests. Everything is made here: no network, no weights, no GPU."""

from __future__ import annotations

import os
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per process: tests run side by side
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parent))

SHARED = Path(__file__).parents[2] / "shared" / "data"


SLICES = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The whole real data beside the project; tests that need them are skipped where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the whole data sets in ../shared/data, which are not here")
    return SHARED


@pytest.fixture(scope="session", params=["slices", "whole"])
def real_data(request: pytest.FixtureRequest) -> Path:
    """Real data in one layout: the slices that are checked in, and the whole data sets where they are there."""
    if request.param == "whole" and not SHARED.is_dir():
        pytest.skip("the same test has passed or failed on the slices in tests/data; the whole data sets are not here")
    return SLICES if request.param == "slices" else SHARED


@pytest.fixture
def whole(real_data: Path) -> bool:
    """Whether the real data are the whole data sets."""
    return real_data == SHARED


@pytest.fixture(scope="session")
def pool_file() -> Callable[[str], Path]:
    """The file of a pool of real candidates, by its name: two are checked in whole."""

    def find(name: str) -> Path:
        found = [place / "candidates" / f"{name}.jsonl.gz" for place in (SLICES, SHARED)]
        if not any(path.exists() for path in found):
            pytest.skip("needs the pools of candidates in ../shared/data, which are not here")
        return next(path for path in found if path.exists())

    return find


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


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Cluster]:
    """A Ray cluster on this machine: a head without room for work, and a node with one CPU. Tests add nodes of their own to kill them."""
    pytest.importorskip("ray", reason="needs ray: pip install 'mathquorum[ray]'")
    from ray_nodes import started

    with started() as cluster:
        yield cluster


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """The closing line: what was skipped, and why; and the seed of a random order."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reporter.stats.get("skipped", []))
    told = "; ".join(f"{number} ({why})" for why, number in reasons.most_common())
    reporter.write_line(f"Skipped: {told or 'nothing'}.")
    if session.config.getoption("randomly_seed", None) is not None:
        reporter.write_line(f"Order: -p randomly --randomly-seed={session.config.getoption('randomly_seed')}")


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python looks for modules in."""
    before = list(sys.path)
    sys.path.append(str(tmp_path))
    yield tmp_path
    sys.path[:] = before


@pytest.fixture
def write_module(modules: Path) -> Callable[[str], str]:
    """Writes a module of a name that no other test has, and tells the name."""

    def written(text: str) -> str:
        name = f"own_{uuid.uuid4().hex[:12]}"
        (modules / f"{name}.py").write_text(text)
        return name

    return written
