"""The texts that a model is shown: the generator's prompt, few-shot demonstrations, and the evaluator's question.

The generator's wording is our choice (the paper does not give its template); the evaluator's is the paper's (PAPER.md
section 2.2), with line breaks between its sentences, which the paper leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.records import LabeledSolution

__all__ = [
    "CORRECT",
    "INCORRECT",
    "STOP_STRINGS",
    "evaluator_prompt",
    "generator_prompt",
]

CORRECT = " correct"
INCORRECT = " incorrect"

STOP_STRINGS = ("\n\nProblem:",)
"""Where a solution ends besides the end-of-sequence mark: a base model that was shown demonstrations goes on to a
problem of its own."""

_DEMONSTRATION_BREAK = "\n\n"


def generator_prompt(problem: str, style: str | None = None, demonstrations: Sequence[LabeledSolution] = ()) -> str:
    """The text after which the generator writes a solution.

    Args:
        problem: The problem's text.
        style: A tag of how the solution is to be written, as in `LabeledSolution.style`; None leaves it open.
        demonstrations: Solved problems to show first (few-shot prompting, PAPER.md Table 5), each under its own style.

    Example:
        >>> print(generator_prompt("What is $2+3$?", style="fine"))
        Problem:
        What is $2+3$?
        <BLANKLINE>
        Solution (fine):
        <BLANKLINE>
    """
    shown = [generator_prompt(d.problem, d.style) + d.solution + _DEMONSTRATION_BREAK for d in demonstrations]
    heading = "Solution" if style is None else f"Solution ({style})"
    return "".join(shown) + f"Problem:\n{problem}\n\n{heading}:\n"


def evaluator_prompt(problem: str, solution: str) -> str:
    """The unfinished sentence T(P, X) whose next word is the verdict, `CORRECT` or `INCORRECT` (PAPER.md section 2.2).

    Everything before the solution depends on the problem alone, so that it can be computed once for all its candidates.
    """
    return (
        f"Here is a math problem: {problem}\nHere is a candidate solution: {solution}\nThe above candidate solution is"
    )
