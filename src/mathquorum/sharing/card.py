"""The model card: metadata as hubs read them (model-index), and the page that people read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mathquorum.records import Estimate
from mathquorum.sharing.found import Found
from mathquorum.versions import library_versions

__all__ = ["card"]

_TAGS = ["mathquorum", "math", "math-reasoning"]


def card(found: Found, name: str) -> str:
    """The README.md of a model.

    Args:
        found: What the run knows.
        name: What the model is to be called.
    """
    environment = Environment(
        loader=PackageLoader("mathquorum.sharing"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    text = environment.get_template("card.md.jinja").render(
        name=name,
        base=_shown(found.base),
        stage=found.stage,
        record=found.record,
        rows=_rows(found),
        data=found.data,
        versions=found.record.versions or library_versions(),
        percent=lambda value: f"{100 * value:.1f}",
    )
    return f"---\n{_metadata(found, name)}\n---\n\n{text}"


def _metadata(found: Found, name: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    test = next((part for part in found.data if part.name.endswith(".test")), None)
    source: dict[str, Any] = dict(test.sources[0]) if test else {}
    dataset = str(source.get("hub") or source.get("dataset") or "unknown")
    results = [
        EvalResult(
            task_type="text-generation",
            task_name="Math problems",
            dataset_type=dataset,
            dataset_name=dataset,
            dataset_split=source.get("split"),
            metric_type="accuracy",
            metric_name=f"{estimate.name} ({scorer})" if scorer else estimate.name,
            metric_value=round(100 * estimate.value, 2),
            metric_args={
                "interval_95": [round(100 * estimate.low, 2), round(100 * estimate.high, 2)],
                "problems": problems,
                "grader": f"mathquorum {found.record.versions.get('mathquorum', '')}".strip(),
            },
        )
        for scorer, estimate, problems in _rows(found)
    ]
    hub = [str(s["hub"]) for part in found.data for s in part.sources if s.get("hub")]
    data = ModelCardData(
        base_model=found.base if "/" in found.base and not Path(found.base).exists() else None,
        datasets=sorted(set(hub)) or None,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=_TAGS,
        model_name=name,
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _rows(found: Found) -> list[tuple[str | None, Estimate, int]]:
    """Scorer, figure and number of problems: samples and vote once, and under each scorer the strategies that read its scores."""
    rows: list[tuple[str | None, Estimate, int]] = []
    for number, measurement in enumerate(found.measurements):
        results = measurement.results
        scored = set(results.scored_figures) if measurement.scorer else set()
        if not number:
            rows += [(None, e, results.num_read) for e in results.estimates if e.name not in scored]
        rows += [(measurement.scorer, e, results.num_read) for e in results.estimates if e.name in scored]
    return rows


def _shown(base: str) -> str:
    """A hub id as it is; of a local folder its name alone, for paths are nobody's business."""
    return Path(base).name if Path(base).exists() or base.startswith(("/", ".", "~")) else base
