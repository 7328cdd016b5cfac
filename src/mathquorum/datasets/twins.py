"""Problems of minimath that ask the same of other names: a model that learned one knows the other's answer."""

from __future__ import annotations

from collections.abc import Iterable

from mathquorum.datasets.minimath import content_of
from mathquorum.records import Problem

__all__ = ["find_twins"]


def find_twins(train: Iterable[Problem], test: Iterable[Problem]) -> tuple[tuple[str, str], ...]:
    """(training id, test id) of all pairs with equal contents and different texts, in the order of the training problems.

    Problems of other datasets have none: their numbers do not tell what they ask.
    """
    by_content: dict[str, list[Problem]] = {}
    for problem in test:
        if (content := _content(problem)) is not None:
            by_content.setdefault(content, []).append(problem)
    pairs = []
    for problem in train:
        if (content := _content(problem)) is not None:
            twins = (other for other in by_content.get(content, ()) if other.text != problem.text)
            pairs += [(problem.id, other.id) for other in twins]
    return tuple(pairs)


def _content(problem: Problem) -> str | None:
    """None where the problem is not of minimath, whose ids say so."""
    if problem.subject is None or not problem.id.startswith("minimath/"):
        return None
    return content_of(problem.subject, problem.text)
