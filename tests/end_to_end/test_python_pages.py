"""The pages of Python run as they stand."""

from __future__ import annotations

import pydoc
import re
from pathlib import Path

import pytest

import mathquorum

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["python.md", "reward.md"])
def test_the_code_of_a_page_runs(page: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_dir_and_help_show_the_whole_door() -> None:
    assert set(dir(mathquorum)) == set(mathquorum.__all__) >= {"vote", "solve", "cluster", "grade", "reward"}
    text = pydoc.render_doc(mathquorum, renderer=pydoc.plaintext)
    assert all(f"{name}(" in text for name in ("vote", "solve", "cluster", "grade", "extract_answer"))
