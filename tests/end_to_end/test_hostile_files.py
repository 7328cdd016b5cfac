"""Files that nobody means well with, through each door: refused by file and line, or read, counted and shown as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typed import mathquorum

ESCAPE = (
    "\x1b]0;taken\x07\x9b31m\u202e"  # renames a terminal's window, rings, colours, and turns the direction of writing
)
STEERING = frozenset("\x1b\x07\x9b\u202e")
WRITTEN_OUT = "\\x1b]0;taken\\x07\\x9b31m\\u202e"
FOUR = ("--model", "x", "--engine.kind", "scripted", "--engine.texts", '["\\\\boxed{4}"]', "-n", "2")


def written(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def hostile(place: Path, **more: object) -> str:
    """A file of samples with escapes in each text."""
    texts = [f"{ESCAPE} so \\boxed{{4{ESCAPE}}}", f"<script>alert(1)</script> \\boxed{{{ESCAPE}}}"]
    row = {"id": f"a{ESCAPE}", "problem": f"{ESCAPE} 2+2?", "model": f"m{ESCAPE}", "subject": ESCAPE, "samples": texts}
    return written(
        place / "samples.jsonl", {**row, **more}, {"id": "b", "problem": "1+1?", "model": "n", "samples": ["2"], **more}
    )


def said(words: Sequence[str], code: int = 0) -> str:
    """What a command printed, which holds none of the characters that steer a terminal."""
    done = mathquorum(*words, check=code)
    assert not STEERING & set(done.stdout + done.stderr)
    return done.stdout + done.stderr


def test_votes_on_hostile_texts_are_counted_and_show_them_written_out(tmp_path: Path) -> None:
    shown = said(["vote", hostile(tmp_path), "--report", str(tmp_path / "report")])
    assert "candidates with control characters in their text (shown written out): 2" in shown
    assert "problems with control characters in their text (shown written out): 1" in shown
    assert WRITTEN_OUT in "".join(shown.split()).replace("│", "")
    for page in (tmp_path / "report").iterdir():
        assert not STEERING & set(page.read_text(encoding="utf-8"))
    graded = said(["vote", hostile(tmp_path, answer=f"4{ESCAPE}")])
    assert WRITTEN_OUT in "".join(graded.split()), "the model's name"


def test_solving_and_preparing_hostile_texts_shows_them_written_out(tmp_path: Path) -> None:
    file = hostile(tmp_path, answer=f"5{ESCAPE}", solution=f"{ESCAPE} \\boxed{{5}}")
    assert f"a{WRITTEN_OUT}: 4 (2 of 2, wrong: 5{WRITTEN_OUT})" in said(
        ["solve", file, *FOUR, "--out", str(tmp_path / "out.jsonl")]
    )
    prepared = said(["prepare", "--sources", f"jsonl:{file}", "--out", str(tmp_path / "run")])
    assert "control characters, as for a terminal" in prepared


def test_grading_shows_texts_written_out() -> None:
    assert "equal" in said(["grade", "4", f"{ESCAPE} \\boxed{{4}}"])


@pytest.mark.parametrize(
    ("door", "content", "text"),
    [
        ("vote", json.dumps({f"texts{ESCAPE}": 1}), f"Columns there: texts{WRITTEN_OUT}. Known layouts: "),
        ("vote", "hello world\n", "Its one line, 'hello world', was read as the names of a table's columns"),
        ("vote", "", "no rows. Known layouts: "),
        ("vote", "[" * 100_000, "nested too deeply"),
        ("solve", "[1, 2]\n[3]\n", "an object on each line"),
        ("solve", "", "holds no problem. Known layouts: "),
        ("prepare", json.dumps({f"texts{ESCAPE}": 1}), f"texts{WRITTEN_OUT}. Set columns to say"),
        ("prepare", "", "no problem is there. Known layouts: "),
    ],
    ids=["columns", "words", "nothing", "depth", "solve lists", "solve nothing", "prepare columns", "prepare nothing"],
)
def test_files_of_no_known_layout_say_what_was_seen(door: str, content: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text(content, encoding="utf-8")
    further = {"solve": FOUR, "prepare": ("--out", str(tmp_path / "run"))}.get(door, ())
    shown = said([door, *(("--sources", f"jsonl:{file}") if door == "prepare" else (str(file),)), *further], 1)
    assert "data.jsonl" in shown and text in shown
