"""What the README says runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from typer.main import get_command

from mathquorum.cli import app
from mathquorum.recipes import RECIPES

README = Path(__file__).parents[2] / "README.md"
PAGES = (README, *sorted((README.parent / "docs").glob("*.md")))
COMMANDS = frozenset(get_command(app).commands)


def test_the_python_examples_of_the_readme_print_what_they_say() -> None:
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted > 3 and outcome.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:bash|console)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text))
    for word in re.findall(r"^(?:\$ )?(?:\S*/)?mathquorum (\w+)", lines, re.MULTILINE):
        assert word in COMMANDS, f"{page.name} has mathquorum {word}"


def test_every_recipe_can_be_loaded() -> None:
    from mathquorum.recipes import recipe

    assert all(callable(recipe(name).follow) for name in RECIPES)


def test_links_of_the_docs_lead_to_files() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
