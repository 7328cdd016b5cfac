"""Stages are listed first and then called together, so that no process waits for the last of a kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mathquorum.config import build
from mathquorum.errors import SettingsError
from mathquorum.recipes import recipe
from mathquorum.run import Run
from mathquorum.run.listing import Listing
from mathquorum.stages.base import Stage
from mathquorum.stages.prepare import Prepare, Source

SUMS = Prepare(sources=(Source(dataset="minimath", split="test", limit=3),))


class Counted(Run):
    """A dry run that notes how many stages it is called with each time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, dry=True)
        self.calls: list[int] = []

    def do_together(self, stages: Mapping[str, Stage]) -> dict[str, Path]:
        self.calls.append(len(stages))
        return super().do_together(stages)


@pytest.mark.parametrize("name", ["demo", "study-small"])
def test_a_recipe_calls_all_its_stages_at_once(name: str, tmp_path: Path) -> None:
    found, run = recipe(name), Counted(tmp_path / "run")
    report = found.follow(run, build(found.settings, {}))
    assert run.calls == [len(run.plan)] and run.calls[0] > 40
    assert report == tmp_path / "run" / run.plan[-1].name


def test_a_listed_stage_tells_where_its_results_will_be(tmp_path: Path) -> None:
    listing = Listing(tmp_path)
    assert listing.add("problems", SUMS) == tmp_path / "problems"
    assert listing.stages == {"problems": SUMS}


def test_a_second_stage_of_a_name_is_refused(tmp_path: Path) -> None:
    listing = Listing(tmp_path)
    listing.add("evaluator.labels", SUMS)
    with pytest.raises(SettingsError, match=r"Two stages would be called 'evaluator\.labels'\. Give the source"):
        listing.add("evaluator.labels", SUMS)
