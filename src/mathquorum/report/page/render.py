"""The page as one file: our template, styles and scripts, other people's libraries, and the data.

Texts of models, problems and names are data: the template escapes them, JSON in the page has no "<", scripts put texts into the
page as text nodes alone, and the browser runs only scripts whose hash the page's policy names, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from mathquorum.errors import visible
from mathquorum.metrics.estimates import estimate_json
from mathquorum.report.page.data import PageData, Row
from mathquorum.report.page.fitting import Packed, pack
from mathquorum.report.page.glossary import explain_name, glossary
from mathquorum.report.page.headline import headline_tables
from mathquorum.report.pages import render

__all__ = ["MAX_BYTES", "render_page"]

MAX_BYTES = 3_000_000
"""Of the file, so that it can be mailed and opens at once."""

_LIBRARIES = ("d3.min.js", "plot.umd.min.js", "temml.min.js")
_SCRIPTS = ("base.js", "marks.js", "charts.js", "math.js", "flips.js", "rows.js", "inspector.js", "main.js")


def render_page(
    data: PageData, max_bytes: int = MAX_BYTES, filters: Mapping[str, Callable[..., str]] | None = None
) -> str:
    """The text of the page.

    Args:
        max_bytes: Texts of candidates are cut to this size; the rest of the page is what it is.
        filters: Of the template, for the study's cells.
    """
    libraries = [_library(name) for name in _LIBRARIES]
    ours = "(() => {\n'use strict';\n" + "\n".join(_asset(name) for name in _SCRIPTS) + "\n})();\n"
    empty = Packed("", 0, 0, 0, 0, 0)
    bare = _render(data, libraries, ours, empty, filters or {})
    room = max_bytes - len(bare.encode("utf-8", "replace")) - 500
    packed = pack(data.inspected, room) if data.inspected else empty
    return _render(data, libraries, ours, packed, filters or {})


def _render(
    data: PageData,
    libraries: Sequence[str],
    ours: str,
    packed: Packed,
    filters: Mapping[str, Callable[..., str]],
) -> str:
    return render(
        "page.html.jinja",
        autoescape=True,
        filters={"shown": visible, "meaning": explain_name, **filters},
        data=data,
        tables=headline_tables(data.rows),
        glossary=glossary(_names(data)),
        styles=_asset("page.css"),
        libraries=libraries,
        script=ours,
        policy=_policy([*libraries, ours]),
        charts=_json(_charts(data)),
        packed=packed,
        missing=_missing(data),
    )


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return files("mathquorum.report.page").joinpath("assets", name).read_text(encoding="utf-8")


def _library(name: str) -> str:
    """The library with its licence, which goes wherever it goes."""
    place = files("mathquorum.report.page").joinpath("vendor")
    licence = place.joinpath(name.split(".")[0] + ".LICENSE").read_text(encoding="utf-8")
    return f"/*! {name}\n{licence.strip()}\n*/\n" + place.joinpath(name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """JSON that may stand in HTML: no "<" that could end a script, no line ends that JavaScript would not know."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _names(data: PageData) -> list[str]:
    """Every name that may want an explanation, in the page's order."""
    rows = [name for row in data.rows for name in (row.generator, row.scorer or "")]
    figures = [e.name for row in data.rows for e in row.estimates]
    others = [e.name for scores in data.scores.values() for e in scores.figures]
    return [*rows, *figures, *others]


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "name": visible(row.name),
        "generator": visible(row.generator),
        "scorer": row.scorer and visible(row.scorer),
        "figures": {e.name: list(estimate_json(e).values()) for e in row.estimates},
        "paper": dict(row.paper),
    }


def _charts(data: PageData) -> dict[str, Any]:
    """What the charts are drawn from."""
    names = {e.name for row in data.rows for e in row.estimates}
    return {
        "rows": [_row_json(row) for row in data.rows],
        "sweeps": {
            visible(name): {"candidates": s.candidates, "clusters": s.clusters, "calls": s.calls}
            for name, s in data.sweeps.items()
        },
        "paperSweep": {name: sorted(values.items()) for name, values in data.published_sweep.items()},
        "scores": {
            visible(name): {
                "figures": {e.name: list(estimate_json(e).values()) for e in s.figures},
                "calibration": [[b.low, b.high, b.mean_score, b.accuracy, b.count] for b in s.calibration],
                "roc": s.roc,
                "within": s.within,
            }
            for name, s in data.scores.items()
        },
        "subjects": {visible(name): found for name, found in data.by_subject.items()},
        "training": {visible(name): list(t.log) for name, t in data.trained.items()},
        "costs": {
            visible(name): [c.tokens, c.calls, c.sampling_seconds, c.scoring_seconds] for name, c in data.costs.items()
        },
        "meanings": {name: explain_name(name) for name in sorted(names)},
    }


def _missing(data: PageData) -> dict[str, str]:
    """By part of the page, why it is not there; "" where it is."""
    scored = any(row.scorer for row in data.rows) or data.scores
    no_scores = "No scores were given, so there is nothing to show of them."
    no_references = "No problem has a reference answer, so nothing could be graded."
    graded = bool(data.rows) or data.kind == "study"
    return {
        "curves": "" if data.sweeps else (no_references if not graded else "There is one candidate per problem."),
        "sweep": "" if any(s.clusters for s in data.sweeps.values()) else (no_scores if graded else no_references),
        "scores": ""
        if data.scores
        else (no_scores if not scored and graded else no_references if not graded else no_scores),
        "subjects": ""
        if data.by_subject
        else ("The problems have neither subject nor level." if graded else no_references),
        "training": ""
        if data.trained
        else "No model was trained for this report, or its logs are not among its inputs.",
        "costs": "" if data.costs else "How many tokens and seconds were spent is not known of these files.",
        "inspected": "" if data.inspected else "The candidates are not among the inputs of this report.",
        "comparisons": "" if data.comparisons else (no_references if not graded else "There is nothing to compare."),
        "headline": "" if data.rows or data.study else no_references,
    }
