"""What a page shows, as records: whoever makes a report fills them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mathquorum.metrics.differences import Difference, holm
from mathquorum.metrics.intervals import LEVEL
from mathquorum.metrics.scores import CalibrationBin
from mathquorum.records import Estimate
from mathquorum.report.page.inspector import InspectedPool

__all__ = ["Comparison", "Cost", "Facts", "PageData", "Points", "Row", "Scores", "Sweep", "Trained"]


@dataclass(frozen=True)
class Row:
    """A generator, under one score or none: a line of the headline table.

    Attributes:
        paper: What the paper reports of the like, in percent, by the name of the figure without its N ("maj1", "rr.top8").
    """

    name: str
    generator: str
    scorer: str | None
    estimates: Sequence[Estimate]
    paper: Mapping[str, float] = field(default_factory=dict)

    def find(self, name: str) -> Estimate | None:
        """The estimate of that name, or that name with any N behind its @."""
        return next((e for e in self.estimates if e.name == name or e.name.split("@")[0] + "@N" == name), None)

    @property
    def ceiling(self) -> Estimate | None:
        """pass@N for the largest N."""
        found = [
            e for e in self.estimates if e.name.startswith("pass@") and e.name[5:].isdigit() and e.name != "pass@1"
        ]
        return found[-1] if found else None


@dataclass(frozen=True)
class Comparison:
    """Differences that answer one question. Holm's correction counts them as one family.

    Attributes:
        key: Of its place on the page: letters and dashes.
        note: What is compared with what, in a sentence.
        rows: What each is of (the row of the headline table, or a pair), and the difference.
    """

    key: str
    title: str
    note: str
    rows: Sequence[tuple[str, Difference]]

    @property
    def corrected(self) -> list[float]:
        """The p-values, corrected for their number."""
        return holm([difference.p_value for _, difference in self.rows])

    @property
    def stands(self) -> list[bool]:
        """Whether each interval leaves zero out and the corrected p-value is below 5% too: what is set bold."""
        return [
            p < 1 - LEVEL and (d.estimate.low > 0 or d.estimate.high < 0)
            for (_, d), p in zip(self.rows, self.corrected, strict=True)
        ]

    @property
    def summary(self) -> str:
        """How many of the comparisons stand, in a sentence: what a folded table is about."""
        number, clear = len(self.rows), sum(d.estimate.low > 0 or d.estimate.high < 0 for _, d in self.rows)
        up = sum(s and d.estimate.value > 0 for (_, d), s in zip(self.rows, self.stands, strict=True))
        down = sum(self.stands) - up
        found = " and ".join(filter(None, (f"{up} above zero" if up else "", f"{down} below" if down else "")))
        if number == 1:
            return "The one comparison " + (f"stands: {found}." if found else "shows no difference.")
        leave, stand = ("leaves" if clear == 1 else "leave"), ("stands" if up + down == 1 else "stand")
        told = f", {found}" if found else ""
        return f"Of {number} comparisons {clear} {leave} zero out; after correction {up + down} {stand}{told}."


@dataclass(frozen=True)
class Facts:
    """What was measured, with which data, when and where.

    Attributes:
        rows: (heading, text) in the order of the page.
        prints: (what a data file holds, the beginning of its SHA-256).
    """

    rows: Sequence[tuple[str, str]] = ()
    prints: Sequence[tuple[str, str]] = ()


Points = Sequence[Sequence[float]]
"""[x, value, low, high] each."""


@dataclass(frozen=True)
class Sweep:
    """The curves of one row, by name.

    Attributes:
        candidates: Accuracy over N, by strategy; "pass" is the ceiling.
        clusters: Over K clusters, or over N' kept candidates.
        calls: Share of the evaluator's calls, over K.
    """

    candidates: Mapping[str, Points]
    clusters: Mapping[str, Points] = field(default_factory=dict)
    calls: Points = ()


@dataclass(frozen=True)
class Scores:
    """How good one scorer's scores are.

    Attributes:
        figures: AUCs and errors with their intervals.
        roc: (share of wrong candidates, share of right ones) above each threshold, over all candidates.
        within: AUC of each problem that has right and wrong candidates.
    """

    figures: Sequence[Estimate]
    calibration: Sequence[CalibrationBin] = ()
    roc: Sequence[tuple[float, float]] = ()
    within: Sequence[float] = ()


@dataclass(frozen=True)
class Trained:
    """How one model was trained: the lines of its log, and the sentence of its summary."""

    log: Sequence[Mapping[str, float]]
    summary: str = ""


@dataclass(frozen=True)
class Cost:
    """What one row cost, per problem at all N candidates; None where that was not recorded.

    Attributes:
        tokens: Written by the generator.
        calls: Of the evaluator: distinct texts that it judged.
        sampling_seconds: Of the whole stage by the number of problems.
        scoring_seconds: Likewise.
    """

    tokens: float | None
    calls: float | None
    sampling_seconds: float | None
    scoring_seconds: float | None


@dataclass(frozen=True)
class PageData:
    """All that a page can show.

    Attributes:
        kind: What is reported, for the sentences that say why a part is left out: "run", "study" or "samples".
        verdict: Sentences.
        notes: Counts of what was left out or should be known.
        by_subject: By row and figure: {subject: {level: (mean, problems)}}.
        published_sweep: The paper's Figure 1, in percent, by K or N'.
        study: Tables and claims of a study, for the template.
        method: How figures and intervals were made, by heading.
    """

    title: str
    kind: str
    facts: Facts
    verdict: Sequence[str]
    rows: Sequence[Row]
    comparisons: Sequence[Comparison] = ()
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)
    published_sweep: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    scores: Mapping[str, Scores] = field(default_factory=dict)
    by_subject: Mapping[str, Any] = field(default_factory=dict)
    trained: Mapping[str, Trained] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    inspected: Sequence[InspectedPool] = ()
    notes: Sequence[str] = ()
    study: Any = None
    method: Sequence[tuple[str, str]] = ()
