"""The verdict in two sentences of words, each derived from intervals: what the vote adds, and what scores add to the vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mathquorum.metrics.differences import Difference
from mathquorum.report.page.data import Comparison

__all__ = ["FEW_PROBLEMS", "scores_sentence", "ungraded_sentences", "vote_sentence"]

FEW_PROBLEMS = 30
WIDE = 0.15  # half an interval: with such a one a difference of 15 points may be none


def vote_sentence(difference: Difference, single: float, num_candidates: int) -> str:
    """What the vote adds to one sample.

    Args:
        difference: The vote less the share of correct candidates.
        single: That share.
    """
    e = difference.estimate
    before = f"The vote over {num_candidates:,} candidates"
    interval = f"95% interval {_points(e.low)} to {_points(e.high)}, {e.count:,} problems"
    heights = f"from {100 * single:.1f}% to {100 * (single + e.value):.1f}%"
    if e.low > 0:
        return f"{before} adds {_amount(e.value)} to one sample, {heights} ({interval})."
    if e.high < 0:
        return f"{before} loses {_amount(e.value)} against one sample, {heights} ({interval})."
    return _undecided(difference, f"{before} against one sample, {heights}", interval)


def scores_sentence(comparison: Comparison) -> str:
    """What choosing by scores adds to the vote: the best and the worst that stand after Holm's correction."""
    rows = list(zip(comparison.rows, comparison.stands, strict=True))
    standing = [(name, d) for (name, d), stands in rows if stands]
    family = f"corrected for {len(rows)} comparisons" if len(rows) > 1 else "one comparison"
    gains = [(n, d) for n, d in standing if d.estimate.value > 0]
    losses = [(n, d) for n, d in standing if d.estimate.value < 0]
    best_name, best = max(comparison.rows, key=lambda row: row[1].estimate.value)
    alone = len({name for name, _ in comparison.rows}) == 1
    if gains:
        name, gain = max(gains, key=lambda row: row[1].estimate.value)
        text = f"Scores add up to {_amount(gain.estimate.value)} to the vote ({_what(name, gain, alone)}; {family})"
    elif _too_few([d for _, d in comparison.rows]):
        return (
            f"Whether scores add to the vote, {best.estimate.count:,} problems are too few to conclude: the best of {len(rows)} "
            f"choices is {_what(best_name, best, alone)} at {_interval(best)}."
        )
    else:
        text = (
            f"Scores add nothing to the vote that {best.estimate.count:,} problems can show: the best of {len(rows)} choices, "
            f"{_what(best_name, best, alone)}, is {_points(best.estimate.value)} points ({_interval(best)})"
        )
    if losses:
        name, loss = min(losses, key=lambda row: row[1].estimate.value)
        lose = (
            f"one choice loses {_amount(loss.estimate.value)}"
            if len(losses) == 1
            else f"{len(losses)} choices lose up to {_amount(loss.estimate.value)}"
        )
        text += f"; {lose} ({_what(name, loss, alone)})"
    return text + "."


def ungraded_sentences(num_problems: int, num_candidates: int, rates: Mapping[str, float]) -> list[str]:
    """What can be said without reference answers.

    Args:
        rates: `tied_vote_rate` and `no_vote_rate` over problems, `no_answer_rate` over candidates.
    """
    tied, none, empty = (100 * rates[name] for name in ("tied_vote_rate", "no_vote_rate", "no_answer_rate"))
    return [
        f"{num_candidates:,} candidates of {num_problems:,} problems were voted on: {tied:.1f}% of the votes are tied, "
        f"{empty:.1f}% of the candidates have no answer, and in {none:.1f}% of the problems none has.",
        "There are no reference answers, so which answers are right is not known. Each problem's clusters are in the inspector.",
    ]


def _undecided(difference: Difference, what: str, interval: str) -> str:
    count = difference.estimate.count
    if _too_few([difference]):
        return f"{what}: {count:,} problems are too few to conclude ({interval})."
    return f"{what}: no difference that {count:,} problems can show ({interval})."


def _too_few(differences: Sequence[Difference]) -> bool:
    """Whether the problems are so few, or the intervals so wide, that a large difference could hide."""
    widest = max((d.estimate.high - d.estimate.low) / 2 for d in differences)
    return min(d.estimate.count for d in differences) < FEW_PROBLEMS or widest > WIDE


def _what(name: str, difference: Difference, alone: bool) -> str:
    """ "rr.all by margin": what chose, by which score; without its name where there is one pool of candidates."""
    _, plus, scorer = name.rpartition(" + ")
    if plus:
        return f"{difference.estimate.name} by {scorer}"
    return difference.estimate.name if alone else f"{difference.estimate.name} of {name}"


def _interval(difference: Difference) -> str:
    return f"95% interval {_points(difference.estimate.low)} to {_points(difference.estimate.high)}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("+0.0", "0.0").replace("-0.0", "0.0")


def _amount(value: float) -> str:
    points = f"{abs(100 * value):.1f}".removesuffix(".0")
    return f"{points} point{'' if points == '1' else 's'}"
