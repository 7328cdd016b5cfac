"""The report as one HTML file that needs no network: what it holds, how it is cut to size, and how it is put together.

`PageData` is what a page can show. Whoever makes a report fills in what there is; a part that is empty is left out, with a line
that says why. `render_page` makes the file. The scripts and styles that it carries are in `assets`, other people's in `vendor`.
"""

from __future__ import annotations

from mathquorum.report.page.data import Comparison, Facts, PageData, Row
from mathquorum.report.page.render import render_page

__all__ = ["Comparison", "Facts", "PageData", "Row", "render_page"]
