"""The page's figures as Markdown, for places that show no HTML."""

from __future__ import annotations

from mathquorum.errors import visible
from mathquorum.report.page.data import PageData
from mathquorum.report.page.headline import headline_tables
from mathquorum.report.pages import render

__all__ = ["render_markdown"]


def render_markdown(data: PageData) -> str:
    """The verdict, what was measured, the headline tables and the differences."""
    filters = {"shown": visible}
    return render("page.md.jinja", autoescape=False, filters=filters, data=data, tables=headline_tables(data.rows))
