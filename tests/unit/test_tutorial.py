"""The tutorial, followed: what its console blocks type prints the lines that they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mathquorum.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_the_tutorial_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (samples,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "samples.jsonl").write_text(samples, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```console\n\$ mathquorum (.*?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert [command.split()[0] for command, _ in blocks] == ["grade", "vote"]
    for command, shown in blocks:
        outcome = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "200"})
        assert outcome.exit_code == 0, outcome.output
        printed = [" ".join(line.split()) for line in outcome.output.splitlines()]
        assert [line for line in shown.splitlines() if " ".join(line.split()) not in printed] == []
