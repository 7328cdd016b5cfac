"""`make real` in small, on a real model: only where MATHQUORUM_REAL_MODEL=1 asks for it, since it fetches 93 MB and takes minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mathquorum.metrics.results import read_results

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "real_model.py"
SMALL = (
    "--num-candidates", "2", "--sampling.max-tokens", "40", "--generator.epochs", "null", "--generator.steps", "2",
    "--evaluator.num-problems", "4", "--evaluator.num-candidates", "2", "--few-shot", "false", "--signals", "[likelihood]",
    "--evaluator.objectives", "{}", "--test.limit", "4",
)  # fmt: skip


@pytest.mark.skipif(
    os.environ.get("MATHQUORUM_REAL_MODEL") != "1", reason="MATHQUORUM_REAL_MODEL=1 asks for the run on a real model"
)
def test_the_recipe_runs_on_a_real_model(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / "run"), *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout.startswith("Skipped:"):
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    results = read_results(tmp_path / "run" / "ssft.human.evaluation.likelihood" / "results.json")
    assert {"pass@1", "maj1@2", "pass@2"} <= {estimate.name for estimate in results.estimates}
