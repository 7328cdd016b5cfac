"""The study of the paper's findings: its tables beside ours, its claims by interval, and the controls that it lacks."""

from mathquorum.study.cells import StudyTable
from mathquorum.study.claims import Claim, check_claims
from mathquorum.study.measured import Generator, Measured
from mathquorum.study.plan import Plan
from mathquorum.study.sweeps import figure_1, figure_1_table
from mathquorum.study.tables import all_tables

__all__ = [
    "Claim",
    "Generator",
    "Measured",
    "Plan",
    "StudyTable",
    "all_tables",
    "check_claims",
    "figure_1",
    "figure_1_table",
]
