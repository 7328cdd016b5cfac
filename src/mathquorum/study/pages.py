"""A study as a page for people (Markdown and HTML) and as tables for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from mathquorum.records import Estimate
from mathquorum.report.page import PageData, render_page
from mathquorum.report.pages import Plot, render
from mathquorum.report.tables import percent, points
from mathquorum.study.cells import Cell, StudyTable
from mathquorum.study.claims import Claim

__all__ = ["StudyData", "claims_table", "render_study", "render_study_page", "terminal_table"]


@dataclass(frozen=True)
class StudyData:
    """What the page shows."""

    title: str
    about: str
    claims: Sequence[Claim]
    tables: Sequence[StudyTable]
    plots: Sequence[Plot]
    sweeps: Sequence[StudyTable]
    facts: Mapping[str, Any]

    @property
    def all_tables(self) -> list[StudyTable]:
        """The tables, and below them the figures of the plots."""
        return [*self.tables, *self.sweeps]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many claims there are of each verdict."""
        return Counter(claim.verdict for claim in self.claims)

    @property
    def corrected_verdicts(self) -> dict[str, int]:
        """The same, corrected for the number of claims."""
        return Counter(claim.corrected_verdict for claim in self.claims)


def render_study(data: StudyData) -> str:
    """The text of `report.md`."""
    filters = {"shown": cell_text, "small": cell_interval, "beside": cell_paper}
    return render("study.md.jinja", autoescape=False, filters=filters, data=data)


def render_study_page(page: PageData) -> str:
    """The text of `report.html`, from a page whose `study` is a `StudyData`."""
    return render_page(page, filters={"cell_text": cell_text, "cell_interval": cell_interval, "cell_paper": cell_paper})


def cell_text(cell: Cell) -> str:
    """The figure: "73.3", "+2.1", or the text."""
    if cell.estimate is None:
        return cell.text
    value = points(cell.estimate.value) if cell.is_difference else percent(cell.estimate.value)
    return f"{value} {cell.text}".rstrip()


def cell_interval(cell: Cell) -> str:
    """ "65.7 to 79.8", or nothing."""
    if cell.estimate is None:
        return ""
    return _interval(cell.estimate, points if cell.is_difference else percent)


def cell_paper(cell: Cell) -> str:
    """What the paper has: "paper 55.2", or nothing."""
    return "" if cell.paper is None else f"paper {cell.paper:,g}"


def _interval(found: Estimate, shown: Any) -> str:
    return f"{shown(found.low)} to {shown(found.high)}"


def claims_table(claims: Sequence[Mapping[str, Any]]) -> Table:
    """The claims of a `study.json`, one per row; "corrected" is for their number, and empty in files of before."""
    table = Table(title="What the paper found, and what this study finds", title_justify="left")
    for heading, justify in (("claim", "left"), ("paper", "right"), ("here", "right"), ("95% interval", "right")):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    table.add_column("verdict")
    table.add_column("corrected")
    colors = {"holds": "green", "fails": "red", "above": "green", "below": "red"}
    for claim in claims:
        paper = "" if claim["paper"] is None else f"{claim['paper']:+.1f}"
        here = points(claim["value"]) if "value" in claim else ""
        interval = f"{points(claim['low'])} to {points(claim['high'])}" if "value" in claim else ""
        verdict, corrected = claim["verdict"], claim.get("corrected_verdict", "")
        table.add_row(claim["claim"], paper, here, interval, verdict, corrected, style=colors.get(verdict))
    return table


def terminal_table(table: StudyTable) -> Table:
    """One table of the study, with what the paper has below each figure."""
    shown = Table(title=table.title, title_justify="left", caption=table.note, caption_justify="left")
    shown.add_column("", overflow="fold")
    for heading in table.columns:
        shown.add_column(heading, justify="right")
    for row in table.rows:
        cells = []
        for cell in row.cells:
            lines = [cell_text(cell), f"[dim]{cell_interval(cell)}[/dim]", f"[dim]{cell_paper(cell)}[/dim]"]
            cells.append("\n".join(line for line in lines if line and line != "[dim][/dim]"))
        shown.add_row(row.name.replace("[", r"\["), *cells)
    return shown
