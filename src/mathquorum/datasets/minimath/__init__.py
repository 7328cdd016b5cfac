"""minimath: a seeded suite of MATH-like problems, eight subjects by five levels, made on the fly.

Problem    "Find t if 5t-12=23."
Fine       "5t=23+12\\n23+10=33\\n33+2=35\\n35/5=7\\nThe answer is \\boxed{t=7}"
Terse      "5t=23+12\\n23+12=35\\n35/5=7\\n\\boxed{7}"
Answer     "7"

A problem's text alone decides its split, by its hash: no problem can be in two splits, whatever the seed and the
number of problems. The pretrain split is for a base model (`recipes/tiny_base.py`), the train split for the
generator, the evaluator split for labelling the generator's candidates: a generator solves the problems that it was
fine-tuned on better than fresh ones, so labels must come from fresh ones (measured: 75.7% against 66.5%).
"""

from mathquorum.datasets.minimath.solutions import (
    STYLES,
    WorkedSolution,
    load,
    load_flawed,
    load_solutions,
    work_out,
)
from mathquorum.datasets.minimath.suite import SPLITS, SUBJECTS, PosedExercise, pose, split_of

__all__ = [
    "SPLITS",
    "STYLES",
    "SUBJECTS",
    "PosedExercise",
    "WorkedSolution",
    "load",
    "load_flawed",
    "load_solutions",
    "pose",
    "split_of",
    "work_out",
]
