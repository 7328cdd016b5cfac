"""The commands of README.md and docs/*.md, as a reader finds them: lines of blocks without a language, bash or console, and
cells of the table of doors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROGRAMS = ("mathquorum", "make", "pip", "python3", "ray", "curl", "accelerate", "torchrun")
_TYPED = frozenset(("", "bash", "console"))


@dataclass(frozen=True)
class Command:
    """One command line of a page, without comment and prompt."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def commands(page: Path) -> Iterator[Command]:
    """The command lines of a page. Other lines of a block are what a command prints."""
    text = page.read_text(encoding="utf-8")
    for language, lines in _blocks(text):
        if language in _TYPED:
            yield from _lines(page, lines.replace("\\\n", " "))
    if page.name == "index.md":
        yield from _lines(page, "\n".join(re.findall(r"\| `([^`|]+)` \|", text)))


def _lines(page: Path, text: str) -> Iterator[Command]:
    for line in text.splitlines():
        for typed in re.split(r"\s&&\s", line.removeprefix("$ ")):
            if typed.partition(" ")[0] in PROGRAMS:
                yield Command(page.name, tuple(shlex.split(typed, comments=True)))


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    language: str | None = None
    held: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("```"):
            if language is None:
                language, held = line.strip().removeprefix("```").partition(" ")[0], []
            else:
                yield language, "".join(held)
                language = None
        elif language is not None:
            held.append(line)
