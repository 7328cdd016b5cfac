"""The paper's findings, each as one comparison, and whether this study bears it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mathquorum.metrics.differences import Difference, holm
from mathquorum.metrics.estimates import estimate_json
from mathquorum.metrics.intervals import LEVEL
from mathquorum.selection import Majority, Rerank, WeightedVote
from mathquorum.study.measured import Generator, Measured, Rows, difference, p_value
from mathquorum.study.plan import CONTROLS, TOP, Plan

__all__ = ["Claim", "check_claims", "claim_json"]

Verdict = Literal["holds", "fails", "undecided", "not measured"]


@dataclass(frozen=True)
class Claim:
    """A finding of the paper, or a question that it leaves open.

    Attributes:
        paper: The difference in the paper, in points; None where it did not measure.
        found: The same difference here; None where this study did not measure it.
        expected: +1 where the first side should be above the second, -1 below, 0 for an open question, on which an
            interval without zero is reported as "above" or "below".
        p_value: Of the difference, problems and seeds both counted.
        holm_p_value: The same adjusted for the number of claims of the study (`metrics.differences.holm`).
    """

    text: str
    table: str
    paper: float | None
    found: Difference | None
    expected: int = 1
    p_value: float | None = None
    holm_p_value: float | None = None

    @property
    def verdict(self) -> str:
        """The verdict by the 95% interval: holds, fails, undecided; for an open question above, below, undecided."""
        if self.found is None:
            return "not measured"
        low, high = self.found.estimate.low, self.found.estimate.high
        if low <= 0 <= high:
            return "undecided"
        if self.expected == 0:
            return "above" if low > 0 else "below"
        return "holds" if (low > 0) == (self.expected > 0) else "fails"

    @property
    def corrected_verdict(self) -> str:
        """The verdict that stands although many claims were tested: undecided where the adjusted p-value is 5% or more."""
        if self.holm_p_value is None or self.holm_p_value < 1 - LEVEL:
            return self.verdict
        return "undecided"


def check_claims(measured: Measured, plan: Plan) -> list[Claim]:
    """Every finding of the paper that a comparison of two figures can decide, and the questions that its controls open."""
    large = plan.roles[-1]
    small = plan.roles[0] if len(plan.roles) > 1 else None
    even = measured.evened()
    claims = [*_sources(even, plan)]
    claims += _reranking(measured, plan, large, "L", wins=True)
    if small:
        claims += _reranking(measured, plan, small, "S", wins=False)
    claims += _sequential(even, plan, large)
    if small:
        claims += _transfer(even, plan, small, large)
    return _adjusted(claims)


def _adjusted(claims: Sequence[Claim]) -> list[Claim]:
    """Each with its p-value adjusted for all that were measured."""
    adjusted = iter(holm([claim.p_value for claim in claims if claim.p_value is not None]))
    return [claim if claim.p_value is None else replace(claim, holm_p_value=next(adjusted)) for claim in claims]


def _compare(
    text: str,
    table: str,
    paper: float | None,
    first: Callable[[], Rows] | None,
    second: Callable[[], Rows] | None,
    expected: int = 1,
) -> Claim:
    if first is None or second is None:
        return Claim(text, table, paper, None, expected)
    rows = first(), second()
    return Claim(text, table, paper, difference(text, *rows), expected, p_value(text, *rows))


def _figure(generator: Generator | None, name: str) -> Callable[[], Rows] | None:
    return None if generator is None else lambda: generator.figure(name)


def _vote(generator: Generator | None) -> Callable[[], Rows] | None:
    return None if generator is None else lambda: generator.strategy(Majority())


def _chosen(generator: Generator | None, strategy: Rerank | WeightedVote, evaluator: str) -> Callable[[], Rows] | None:
    if generator is None or evaluator not in generator.evaluators:
        return None
    return lambda: generator.strategy(strategy, evaluator)


def _sources(measured: Measured, plan: Plan) -> list[Claim]:
    if len(plan.sources) < 2:
        return []
    terse, fine, both = plan.sources[0], plan.sources[1], plan.sources[-1]
    claims = []
    for role in plan.roles:
        base = measured.get(role, f"base.{terse}")
        tuned = {name: measured.get(role, f"ssft.{name}") for name in plan.sources}
        is_small = plan.paper_role(role) == "S"
        claims += [
            _compare(
                f"{role}: fine-tuning on {both} beats the few-shot base (greedy)", "2", 5.2 if is_small else 2.2,
                _figure(tuned[both], "pass@1.greedy"), _figure(base, "pass@1.greedy"),
            ),
            _compare(
                f"{role}: fine-tuning on {fine} beats {terse} (greedy)", "2", 1.0 if is_small else 2.0,
                _figure(tuned[fine], "pass@1.greedy"), _figure(tuned[terse], "pass@1.greedy"),
            ),
            _compare(
                f"{role}: fine-tuning on {fine} beats {terse} (vote)", "2", 8.8 if is_small else 5.0,
                _vote(tuned[fine]), _vote(tuned[terse]),
            ),
            _compare(
                f"{role}: Pass@N is far above the vote after fine-tuning on {both}", "2", 33.8 if is_small else 27.6,
                _figure(tuned[both], "pass@N"), _vote(tuned[both]),
            ),
        ]  # fmt: skip
        if len(plan.sources) == 3:
            claims.append(
                _compare(
                    f"{role}: {both} beats {fine} alone (greedy)",
                    "2",
                    1.8 if is_small else 0.8,
                    _figure(tuned[both], "pass@1.greedy"),
                    _figure(tuned[fine], "pass@1.greedy"),
                )
            )
    return claims


def _reranking(measured: Measured, plan: Plan, role: str, whose: str, *, wins: bool) -> list[Claim]:
    """Table 3 and 7, cross-entropy: the larger model's evaluator beats the vote, the smaller one's loses to it."""
    generator, evaluator = measured.get(role, plan.main), f"{role}.{plan.transferred}"
    sign, word = (1, "beats") if wins else (-1, "loses to")
    paper = {"L": (1.6, 3.6, 2.0, 5.6, 4.0), "S": (-5.2, -3.4, 1.8, None, None)}[whose]
    everything, top, weighted = Rerank(), Rerank(TOP), WeightedVote()
    open_or_plus = 1 if wins else 0
    return [
        _compare(
            f"{role}: RR.All {word} the vote", "3", paper[0],
            _chosen(generator, everything, evaluator), _vote(generator), sign,
        ),
        _compare(
            f"{role}: RR.Top-{TOP} {word} the vote", "3", paper[1],
            _chosen(generator, top, evaluator), _vote(generator), sign,
        ),
        _compare(
            f"{role}: the cluster cut helps (RR.Top-{TOP} beats RR.All)", "3", paper[2],
            _chosen(generator, top, evaluator), _chosen(generator, everything, evaluator),
        ),
        _compare(
            f"{role}: W.RR beats the vote", "7", paper[3],
            _chosen(generator, weighted, evaluator), _vote(generator), open_or_plus,
        ),
        _compare(
            f"{role}: W.RR beats RR.All", "7", paper[4],
            _chosen(generator, weighted, evaluator), _chosen(generator, everything, evaluator), open_or_plus,
        ),
    ]  # fmt: skip


def _sequential(measured: Measured, plan: Plan, role: str) -> list[Claim]:
    ssft = measured.get(role, plan.main)
    claims = []
    paper = {"margin": (2.0, 2.0), "cross_entropy": (0.6, 1.4)}
    for loss in plan.mtsft:
        tuned = measured.get(role, f"mtsft.{loss}")
        greedy, vote = paper.get(loss, (None, None))
        claims += [
            _compare(
                f"{role}: MTSFT ({loss}) beats SSFT (greedy)", "4", greedy,
                _figure(tuned, "pass@1.greedy"), _figure(ssft, "pass@1.greedy"),
            ),
            _compare(f"{role}: MTSFT ({loss}) beats SSFT (vote)", "4", vote, _vote(tuned), _vote(ssft)),
        ]  # fmt: skip
        for kind, what in CONTROLS.items():
            names = [f"{kind}.{loss}", *plan.controls(measured, role, [kind])]
            other = next(filter(None, (measured.get(role, name) for name in names)), None)
            claims += [
                _compare(
                    f"{role}: MTSFT ({loss}) against {what} (sampled pass@1)", "none", None,
                    _figure(tuned, "pass@1"), _figure(other, "pass@1"), 0,
                ),
                _compare(
                    f"{role}: MTSFT ({loss}) against {what} (vote)", "none", None, _vote(tuned), _vote(other), 0
                ),
            ]  # fmt: skip
    return claims


def _transfer(measured: Measured, plan: Plan, small: str, large: str) -> list[Claim]:
    on_small, on_large = measured.get(small, plan.main), measured.get(large, plan.main)
    top = Rerank(TOP)
    strong, weak = f"{large}.{plan.transferred}", f"{small}.{plan.transferred}"
    return [
        _compare(
            f"the evaluator of {large} lifts the vote of {small} (RR.Top-{TOP})", "6", 7.6,
            _chosen(on_small, top, strong), _vote(on_small),
        ),
        _compare(
            f"the evaluator of {small} spoils the vote of {large} (RR.Top-{TOP})", "6", -4.6,
            _chosen(on_large, top, weak), _vote(on_large), -1,
        ),
        _compare(
            f"on candidates of {small}, the evaluator of {large} beats its own (RR.Top-{TOP})", "6", 9.8,
            _chosen(on_small, top, strong), _chosen(on_small, top, weak),
        ),
    ]  # fmt: skip


def claim_json(claim: Claim) -> dict[str, Any]:
    """The claim for programs: differences as fractions, the paper's in points as it prints them."""
    held: dict[str, Any] = {"claim": claim.text, "table": claim.table, "paper": claim.paper, "verdict": claim.verdict}
    if claim.found:
        held |= estimate_json(claim.found.estimate)
    if claim.p_value is not None and claim.holm_p_value is not None:
        held |= {"p_value": round(claim.p_value, 9), "holm_p_value": round(claim.holm_p_value, 9)}
        held["corrected_verdict"] = claim.corrected_verdict
    return held
