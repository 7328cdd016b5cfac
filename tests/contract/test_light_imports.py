"""Figures and tables come without the heavy packages, which the other doors need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (
            "mathquorum.metrics.evaluation, mathquorum.selection, mathquorum.report.tables",
            "torch matplotlib jinja2 transformers",
        ),
        ("mathquorum.stages.evaluate", "torch matplotlib jinja2 transformers"),
        ("mathquorum.stages.report", "torch transformers"),
    ],
)
def test_what_is_not_loaded(modules: str, absent: str) -> None:
    code = f"import sys, {modules}; print(*(name for name in {absent.split()!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
