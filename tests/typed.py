"""Commands as a person types them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def mathquorum(*words: str, check: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own, and makes sure of its exit code.

    Args:
        words: The command's.
        check: The exit code that it must have.
        environment: Beside that of the tests.
    """
    result = subprocess.run(
        [sys.executable, "-c", "from mathquorum.cli import main; main()", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src"), "COLUMNS": "120", **environment},
    )
    assert result.returncode == check, result.stderr
    assert "Traceback" not in result.stderr
    return result
