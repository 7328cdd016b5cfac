"""`report.md` from the results of one or more evaluations, and how our templates are filled in.

Texts of models, problems and names are data: the templates run in a sandbox, and escape everything in HTML.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mathquorum.metrics.differences import Difference
from mathquorum.metrics.results import Results
from mathquorum.records import Estimate
from mathquorum.report.plots import calibration_plot, candidates_plot, clusters_plot
from mathquorum.report.tables import figure_names, p_text, percent, percent_interval, points

__all__ = ["Plot", "ReportData", "make_plots", "render", "render_markdown"]


@dataclass(frozen=True)
class Plot:
    """A plot of one evaluation.

    Attributes:
        file: Name of the SVG file beside the report.
        caption: What it shows.
    """

    file: str
    caption: str
    svg: str

    @property
    def address(self) -> str:
        """The plot as a data URL, so that the HTML page is one file."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class ReportData:
    """What `report.md` shows.

    Attributes:
        num_runs: Training runs of each trained model; intervals are over problems and, with several, over these.
        evaluations: Results by the name of the model or run.
        within: For each of these names, each figure less Maj1 on the same problems.
        controls: As `between`, against a control of its own, by "A less B".
        between: For each name but the baseline's, each figure less the baseline's on the same problems.
        engines: What sampled and scored, as far as records tell.
    """

    title: str
    num_runs: int
    evaluations: Mapping[str, Results]
    baseline: str | None
    within: Mapping[str, Sequence[Difference]]
    controls: Mapping[str, Sequence[Difference]]
    between: Mapping[str, Sequence[Difference]]
    plots: Mapping[str, Sequence[Plot]]
    engines: Sequence[str] = ()

    @property
    def estimates(self) -> dict[str, tuple[Estimate, ...]]:
        return {name: results.estimates for name, results in self.evaluations.items()}


def make_plots(name: str, results: Results) -> list[Plot]:
    """The plots that these results allow."""
    slug = slugify(name)
    curves = results.curves
    size = max((curve.points[-1].x for curve in curves.candidates), default=1)
    plots = []
    if size > 1:
        caption = "Accuracy over the number of candidates, subsets drawn without replacement; pass@k is the ceiling."
        plots.append(
            Plot(f"{slug}-candidates.svg", caption, candidates_plot(curves, f"{name}: accuracy by candidates"))
        )
    if curves.kept:
        caption = (
            "Accuracy over the clusters considered (Figure 1 of the paper), and the evaluator calls that they cost."
        )
        plots.append(Plot(f"{slug}-clusters.svg", caption, clusters_plot(curves, f"{name}: accuracy by clusters")))
    if results.calibration:
        caption = "What share of the candidates with such a score is correct, and how many have it."
        svg = calibration_plot(results.calibration, f"{name}: calibration")
        plots.append(Plot(f"{slug}-calibration.svg", caption, svg))
    return plots


def slugify(name: str) -> str:
    """A file name for a model's name: letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "evaluation"


def render_markdown(data: ReportData) -> str:
    """The text of `report.md`; it shows the plots that lie beside it."""
    return render("report.md.jinja", autoescape=False, data=data, figures=figure_names(data.estimates))


def render(
    template: str, *, autoescape: bool, filters: Mapping[str, Callable[..., str]] | None = None, **shown: Any
) -> str:
    """A page from one of our templates, in a sandbox."""
    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("mathquorum.report", "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=percent, interval=percent_interval, points=points, p_text=p_text, cell=_markdown_cell, **(filters or {})
    )
    return environment.get_template(template).render(**shown)


def _markdown_cell(text: str) -> str:
    """Text that cannot break out of a Markdown table."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", re.sub(r"\s+", " ", text))
