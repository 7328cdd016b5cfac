"""Training by the processes of one launch."""

from __future__ import annotations

from pathlib import Path

import pytest
from launches import output_of, start_ranks
from rank_trainings import CASES, curves

from mathquorum.store import read_json

TESTS = Path(__file__).parents[1]


Curves = dict[str, dict[str, list[float]]]


@pytest.fixture(scope="module")
def curves_of_two(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Curves:
    """Of every objective, in one launch."""
    folder = tmp_path_factory.mktemp("ranks")
    output_of(start_ranks([str(TESTS / "rank_trainings.py"), str(tiny_model), str(folder)]))
    found: Curves = read_json(folder / "curves.json")
    return found


@pytest.mark.parametrize("case", CASES)
def test_two_ranks_have_the_losses_of_one(case: str, curves_of_two: Curves, tiny_model: Path, tmp_path: Path) -> None:
    """The pairs of an example stay together, and a loss is divided by what all ranks and passes of the step count. Adam would hide a
    gradient that is too large: so norms are compared, too."""
    alone, both = curves(tiny_model, tmp_path, case), curves_of_two[case]
    assert both["loss"] == pytest.approx(alone["loss"], abs=1e-5, rel=0)
    assert both["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-3, abs=1e-5)
    assert len(alone["loss"]) == 6 and abs(alone["loss"][0] - alone["loss"][-1]) > 0.01
