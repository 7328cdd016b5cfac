"""The wheel, built from the source archive, installs and runs outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, and sees the other packages of this one."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    assert len(list((place / "dist").glob("*.tar.gz"))) == 1
    (wheel,) = (place / "dist").glob("*.whl")
    venv.create(place / "environment", with_pip=False)
    python = place / "environment" / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    (packages,) = (place / "environment" / "lib").glob("python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def run(programs: Path, folder: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(programs / words[0]), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_run_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    (place,) = run(installed, tmp_path, "python", "-c", "import mathquorum; print(mathquorum.__file__)").splitlines()
    assert Path(place).is_relative_to(installed.parent)
    assert run(installed, tmp_path, "mathquorum", "--version").startswith("mathquorum ")
    assert "equal" in run(installed, tmp_path, "mathquorum", "grade", "1/2", "0.5")
    told = run(installed, tmp_path, "mathquorum", "solve", "What is 3+4?", "--num-candidates", "2", "--json")
    assert json.loads(told)["num_candidates"] == 2  # by the model that comes with it


def test_a_report_is_made_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    row = {"problem": "1+1", "answer": "2", "samples": ["\\boxed{2}", "\\boxed{3}", "\\boxed{2}"]}
    (tmp_path / "samples.jsonl").write_text(json.dumps(row) + "\n")
    run(installed, tmp_path, "mathquorum", "vote", "samples.jsonl", "--report", "page")
    assert "<script" in (tmp_path / "page" / "report.html").read_text()


def test_types_and_licences_come_along(installed: Path) -> None:
    (package,) = (installed.parent / "lib").glob("python*/site-packages/mathquorum")
    vendor = package / "report" / "page" / "vendor"
    assert (package / "py.typed").exists()
    assert {file.name.partition(".")[0] for file in vendor.glob("*.js")} <= {
        file.stem for file in vendor.glob("*.LICENSE")
    }
