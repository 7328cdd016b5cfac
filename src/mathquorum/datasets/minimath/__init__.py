"""minimath: a seeded suite of MATH-like problems, eight subjects by five levels, made on the fly.

Problem    "Find t if 5t-12=23."
Fine       "5t=23+12\\n23+10=33\\n33+2=35\\n35/5=7\\nThe answer is \\boxed{t=7}"
Terse      "5t=23+12\\n23+12=35\\n35/5=7\\n\\boxed{7}"
Answer     "7"

A problem's content (`content_of`: its subject and its numbers) alone decides its split, by its hash. So no problem is in two
splits, nor a twin of it with other names, whatever the seed and the number of problems. The pretrain split is for a base
model (`recipes/tiny_base.py`), the train split for the generator, the evaluator split for labelling the generator's
candidates: a generator solves the problems that it was fine-tuned on better than fresh ones, so labels must come from fresh
ones (measured: 75.7% against 66.5%).

The shipped bases were pre-trained when the hash of the text decided. No text of another split than pretrain was in their corpus,
then or now; but of 500 test problems 58.4% have the subject, numbers and answer of one of 200,000 problems drawn as the corpus was.
"""

from mathquorum.datasets.minimath.solutions import (
    STYLES,
    WorkedSolution,
    load,
    load_flawed,
    load_solutions,
    work_out,
)
from mathquorum.datasets.minimath.suite import SPLITS, SUBJECTS, PosedExercise, content_of, pose, split_of

__all__ = [
    "SPLITS",
    "STYLES",
    "SUBJECTS",
    "PosedExercise",
    "WorkedSolution",
    "content_of",
    "load",
    "load_flawed",
    "load_solutions",
    "pose",
    "split_of",
    "work_out",
]
