"""Strategies of your own: see docs/extending.md."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator

from mathquorum.config import Kind, NamesOwn, Own
from mathquorum.config.calls import split_outside
from mathquorum.config.own_kinds import text_of
from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection import EXAMPLES, Strategy, default_strategies, is_built_in, strategy
from mathquorum.selection.base import all_members

__all__ = [
    "STRATEGIES",
    "GivenStrategy",
    "OwnStrategy",
    "StrategyName",
    "StrategyNames",
    "any_strategy",
    "strategies_of",
    "with_further",
]


class OwnStrategy(Own):
    """A rule that chooses one cluster of a problem. Fields are its settings; `choose` is yours to write. See `Strategy`, which it is."""

    group: ClassVar[str] = "mathquorum.strategies"
    needs_scores: ClassVar[bool] = True
    """Set it to False where the choice depends on the clusters alone."""

    def model_post_init(self, context: Any) -> None:
        """Its name holds its settings, as in "w.rr.top8", so that two of one class are told apart in tables."""
        super().model_post_init(context)
        self.__dict__["name"] = text_of(self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, whose name holds its own settings."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__["name"] = text_of(copy)
        return copy

    @abstractmethod
    def choose(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        """The chosen one of these clusters.

        Args:
            clusters: Of one problem, one or more, largest first, ties by earliest member.
            scores: By `Candidate.index`, higher is better; empty where the strategy needs none.
        """

    def wanted(self, clusters: Sequence[AnswerCluster]) -> Sequence[int]:
        """The candidates whose scores the choice depends on: all, unless you say fewer."""
        return all_members(clusters) if self.needs_scores else []

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        """See `Strategy.select`."""
        if not clusters:
            return None
        chosen = self.choose(clusters, scores)
        if not any(chosen is cluster for cluster in clusters):
            raise SettingsError(
                f"{self.name} chose {chosen!r:.200} for problem {clusters[0].problem_id!r}. choose must return one of the clusters that it is given."
            )
        return chosen


STRATEGIES = Kind("strategy", OwnStrategy, is_built_in, lambda: EXAMPLES)  # type: ignore[type-abstract]

GivenStrategy = str | Mapping[str, Any] | Strategy
"""A name, {name: ..., and settings} of an own one, or the strategy itself."""


def any_strategy(given: GivenStrategy) -> Strategy:
    """The strategy that a person named: built-in, or their own, whose module is imported.

    Raises:
        SettingsError: If there is none, or it cannot be used.
    """
    if isinstance(given, Mapping):
        return STRATEGIES.read(given)
    if not isinstance(given, str):
        return given
    if STRATEGIES.names(given.partition("(")[0]):
        return STRATEGIES.read(given)
    if not is_built_in(given):
        raise SettingsError(f"{STRATEGIES.unknown(given)} The numbers may be others.")
    return strategy(given)


def strategies_of(given: str | Sequence[GivenStrategy]) -> list[Strategy]:
    """Several: "maj1,mypkg.votes:Shrunk(strength=2)", or a list of them.

    Raises:
        SettingsError: If one cannot be used.
    """
    return [any_strategy(item) for item in (split_outside(given) if isinstance(given, str) else given)]


def with_further(names: Sequence[str], *, scored: bool) -> tuple[str, ...] | None:
    """The strategies of the paper's tables with further ones, those left out that need scores where there are none. None, as a stage has
    it for the former alone, where nothing is added.

    Raises:
        SettingsError: If one cannot be used.
    """
    usual = [strategy.name for strategy in default_strategies(scored)]
    added = [
        name for name in dict.fromkeys(names) if name not in usual and (scored or not any_strategy(name).needs_scores)
    ]
    return (*usual, *added) if added else None


def _text(given: Any) -> Any:
    if not isinstance(given, str | Mapping | OwnStrategy):
        return given
    try:
        found = any_strategy(given)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return found.name if isinstance(found, OwnStrategy) else given


def _texts(given: Any) -> Any:
    items = [given] if isinstance(given, str | Mapping | OwnStrategy) else given
    if not isinstance(items, list | tuple):
        return given
    return [part for item in items for part in (split_outside(item) if isinstance(item, str) else [item])]


StrategyName = Annotated[str, BeforeValidator(_text), NamesOwn(STRATEGIES)]
"""A strategy as a setting: its name, whoever wrote it."""
StrategyNames = Annotated[tuple[StrategyName, ...], BeforeValidator(_texts)]
