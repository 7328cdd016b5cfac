"""The study of the paper's findings: its tables beside ours, its claims by interval, and the controls that it lacks."""

from mathquorum.study.claims import Claim, check_claims
from mathquorum.study.measured import Generator, Measured
from mathquorum.study.tables import Plan, StudyTable, all_tables, figure_1

__all__ = [
    "Claim",
    "Generator",
    "Measured",
    "Plan",
    "StudyTable",
    "all_tables",
    "check_claims",
    "figure_1",
]
