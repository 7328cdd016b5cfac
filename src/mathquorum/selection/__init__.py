"""Strategies: rules that choose one cluster of a problem. To add one, copy a sibling, and add its name below."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from mathquorum.errors import SettingsError, suggest
from mathquorum.selection.base import Strategy, member_scores
from mathquorum.selection.borda import BordaVote
from mathquorum.selection.confident import ConfidentVote
from mathquorum.selection.majority import Majority
from mathquorum.selection.pessimistic import PessimisticVerification
from mathquorum.selection.rerank import Rerank
from mathquorum.selection.top_scored import TopScored
from mathquorum.selection.weighted import WeightedVote

__all__ = [
    "EXAMPLES",
    "SCORED_STRATEGIES",
    "BordaVote",
    "ConfidentVote",
    "Majority",
    "PessimisticVerification",
    "Rerank",
    "Strategy",
    "TopScored",
    "WeightedVote",
    "default_strategies",
    "is_built_in",
    "member_scores",
    "strategy",
]

# A name is one of these words, or one of these words and a number ("rr.top8").
_PLAIN: dict[str, Callable[[], Strategy]] = {
    "maj1": Majority,
    "rr.all": Rerank,
    "w.rr": WeightedVote,
    "pv": PessimisticVerification,
    "borda": BordaVote,
}
_COUNTED: dict[str, Callable[[int], Strategy]] = {
    "rr.top": Rerank,
    "w.rr.top": WeightedVote,
    "maj1.top": TopScored,
    "deepconf.keep": ConfidentVote,
}
# A word with a number that need not be whole.
_WEIGHED: dict[str, Callable[[float], Strategy]] = {
    "pv.alpha": PessimisticVerification,
    "borda.p": BordaVote,
}
EXAMPLES = [*_PLAIN, *(f"{word}0.5" for word in _WEIGHED), *(f"{word}8" for word in _COUNTED)]

# Table 3 and Table 7, with the paper's K = 8; the top 3 to 5 of 100 were best in Cobbe et al. 2021; 10 and 90 as in arXiv 2508.15260.
SCORED_STRATEGIES = (
    "rr.all",
    "rr.top8",
    "w.rr",
    "w.rr.top8",
    "maj1.top5",
    "pv",
    "deepconf.keep10",
    "deepconf.keep90",
    "borda",
)


def strategy(name: str) -> Strategy:
    """The built-in strategy of that name. Nothing is imported by it, so that it may be asked for a name in a file;
    `selection.own.any_strategy` is for what a person gives.

    Raises:
        SettingsError: If there is none; the text suggests the nearest.

    Example:
        >>> strategy("rr.top8")
        Rerank(top_clusters=8)
    """
    make = _maker(name)
    if make is None:
        raise SettingsError(f"Unknown strategy {name!r}. {suggest(name, EXAMPLES)} The numbers may be others.")
    return make()


def is_built_in(name: str) -> bool:
    """Whether `strategy` knows the name."""
    return _maker(name) is not None


def _maker(name: str) -> Callable[[], Strategy] | None:
    if name in _PLAIN:
        return _PLAIN[name]
    match = re.fullmatch(r"(.*?[a-z])(\d+)(\.\d+)?", name)
    if match and match[1] in _WEIGHED:
        return partial(_WEIGHED[match[1]], float(match[2] + (match[3] or "")))
    if match and match[1] in _COUNTED and not match[3]:
        return partial(_COUNTED[match[1]], int(match[2]))
    return None


def default_strategies(with_scores: bool) -> Sequence[Strategy]:
    """Maj1; and with scores, the re-ranking strategies of the paper's tables and pessimistic verification."""
    names = ("maj1", *SCORED_STRATEGIES) if with_scores else ("maj1",)
    return [strategy(name) for name in names]
