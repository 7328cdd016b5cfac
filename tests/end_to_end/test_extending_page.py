"""docs/extending.md as a reader would follow it: its files written, its commands typed, its Python run, from top to bottom."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import solutions

from mathquorum.assets import tiny_base_path
from mathquorum.records import Candidate, Problem
from mathquorum.store import write_records

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
SAMPLES = [
    {"id": "a", "problem": "1+3=?", "answer": "4", "samples": ["#### 4", "#### 5", "#### 5"], "scores": [0.9, 0.2, 0.3]}
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The folder of somebody who has samples, labelled solutions and a model."""
    (tmp_path / "base").symlink_to(tiny_base_path())
    write_records(tmp_path / "labeled.jsonl", solutions())
    write_records(tmp_path / "problems.jsonl", [Problem("p", "1+1=?", "2")])
    write_records(tmp_path / "candidates.jsonl", [Candidate("p", 0, "#### 2", "2"), Candidate("p", 1, "#### 3", "3")])
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SAMPLES))
    return tmp_path


def test_the_page_can_be_followed(desk: Path) -> None:
    kinds = []
    for kind, title, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if title:
            (desk / title).write_text(text)
        elif kind == "bash":
            for line in text.replace("\\\n", " ").strip().splitlines():
                name, *words = shlex.split(line)
                assert name == "mathquorum"
                follow(desk, ["-c", "from mathquorum.cli import main; main()", *words])
        elif kind == "python":
            follow(desk, ["-c", text])
        kinds.append(kind)
    assert {"bash", "python"} <= set(kinds)


def follow(desk: Path, words: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PAGE.parents[1] / "src")}
    done = subprocess.run([sys.executable, *words], cwd=desk, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
