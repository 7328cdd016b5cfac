"""What `mathquorum vote` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mathquorum.errors import visible
from mathquorum.report.tables import comparison_table, differences_table, estimates_table, percent
from mathquorum.voting.measured import Measured
from mathquorum.voting.picks import Pick

__all__ = ["renderables"]

SHOWN = 20  # problems whose choices a terminal shows


def renderables(measured: Measured, title: str, out_hint: str) -> Iterator[RenderableType]:
    """The tables and lines, in order: figures, differences, headroom, curves, models; or without references the choices."""
    if measured.estimates:
        yield estimates_table(measured.estimates, escape(visible(title)))
        if measured.differences:
            yield differences_table(measured.differences, "Differences, paired by problem")
        if measured.headroom:
            yield differences_table(measured.headroom, "Headroom: any candidate is correct, against what is chosen")
        if len(measured.curves[0].points) > 1:
            yield _curves_table(measured)
        if measured.by_model:
            models = {visible(model): estimates for model, estimates in measured.by_model.items()}
            yield comparison_table(models, "By model, each model's candidates alone")
    else:
        yield picks_table(measured.picks[:SHOWN], escape(visible(title)))
        if len(measured.picks) > SHOWN:
            yield Text(f"and {len(measured.picks) - SHOWN:,} other problems{out_hint}")
    for line in measured.columns:
        yield Text(line)
    words = {
        "no_answer_rate": "of candidates have no answer",
        "tied_vote_rate": "of votes are tied",
        "no_vote_rate": "of problems have no answer at all",
    }
    yield Text("; ".join(f"{percent(rate)}% {words[name]}" for name, rate in measured.rates.items()))
    for name, count in measured.counts.items():
        yield Text(f"{name}: {count:,}")


def picks_table(picks: Sequence[Pick], title: str) -> Table:
    """One problem per row: what the vote chose, with how many votes, and what other strategies chose instead."""
    table = Table(title=title, title_justify="left")
    for heading in ("problem", "vote", "votes", "others"):
        table.add_column(heading, overflow="fold")
    for pick in picks:
        vote, *others = pick.chosen.items()
        name, cluster = vote
        answer = "no answer" if cluster is None else cluster.answer
        number = "" if cluster is None else f"{len(cluster.members)}/{pick.item.pool.num_candidates}"
        tie = f" (tie of {pick.tied})" if pick.tied > 1 else ""
        different = [f"{other}: {c.answer}" for other, c in others if c is not None and c is not cluster]
        cells = (pick.item.samples.problem.id, answer, number + tie, "; ".join(different))
        table.add_row(*(escape(visible(cell)) for cell in cells))
        table.columns[1].header = name
    return table


def _curves_table(measured: Measured) -> Table:
    """One curve per row and one number of candidates per column."""
    table = Table(title="Accuracy in % by number of candidates", title_justify="left")
    table.add_column("figure")
    for point in measured.curves[0].points:
        table.add_column(str(point.x), justify="right")
    for curve in measured.curves:
        table.add_row(curve.name, *(percent(point.value) for point in curve.points))
    return table
