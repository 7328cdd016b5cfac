"""What the README says runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from mathquorum.recipes import RECIPES

README = Path(__file__).parents[2] / "README.md"


def test_the_python_examples_of_the_readme_print_what_they_say() -> None:
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted > 3 and outcome.failed == 0


def test_every_command_of_the_readme_exists() -> None:
    from mathquorum.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    blocks = re.findall(r"```\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    used = {word for block in blocks for word in re.findall(r"^mathquorum (\w+)", block, re.MULTILINE)}
    assert used and used <= known


def test_every_recipe_can_be_loaded() -> None:
    from mathquorum.recipes import recipe

    assert all(callable(recipe(name).follow) for name in RECIPES)


def test_links_of_the_docs_lead_to_files() -> None:
    root = README.parent
    for page in (README, *sorted((root / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
