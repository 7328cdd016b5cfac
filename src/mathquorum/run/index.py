"""The index of a run's folders, for whoever opens the directory: where the report is, where the models are, what each folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mathquorum.run.listener import PlannedStage

__all__ = ["run_index"]


def run_index(directory: Path, plan: Sequence[PlannedStage], recipe: str, report: Path) -> str:
    """A page in Markdown, the same for every run of the same plan.

    Args:
        directory: Of the run.
        plan: Its stages, which are all complete.
        recipe: The name of what was run.
        report: The directory of what came of it.
    """
    lines = [f"# A run of `{recipe}`", "", "Settings: [settings.yaml](settings.yaml)."]
    if (report / "report.html").exists():
        place = report.relative_to(directory)
        lines.append(f"Report: [{place}/report.html]({place}/report.html), and as text [report.md]({place}/report.md).")
    models = [stage for stage in plan if (directory / stage.name / "model").is_dir()]
    if models:
        lines += ["", "## Models", ""]
        lines += [f"- [{stage.name}/model]({stage.name}/model)" for stage in models]
        lines += [
            "",
            f'Ask one: `mathquorum solve "..." --model {models[0].name}/model`.',
            "Share one: `mathquorum export RUN --stage STAGE --out FOLDER`.",
        ]
    lines += ["", "## Folders", "", "| folder | stage | holds |", "|---|---|---|"]
    lines += [f"| [{stage.name}]({stage.name}) | {stage.kind} | {_said(stage)} |" for stage in plan]
    return "\n".join(lines) + "\n"


def _said(stage: PlannedStage) -> str:
    """The first sentence of what the stage says of itself."""
    text = " ".join((type(stage.stage).__doc__ or "").split("\n\n")[0].split()) if stage.stage else ""
    return text.replace("|", "\\|")
