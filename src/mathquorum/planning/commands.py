"""One shell command for each stage of a plan, for schedulers that start them on machines of their own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from mathquorum.run import PlannedStage
from mathquorum.run.identity import inputs_of
from mathquorum.run.shards import shard_name
from mathquorum.stages.base import Shard
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates

__all__ = ["commands_of"]


def commands_of(planned: Sequence[PlannedStage], recipe: Sequence[str], run: Path, shards: int) -> Iterator[str]:
    """The commands of what is to do, each with a comment that names the stages that it waits for.

    Args:
        planned: Of a dry run.
        recipe: Its name, and the settings as they were given.
        run: Its directory.
        shards: Into how many parts sampling and scoring by a model are cut, each with a command; and one that gathers them.
    """
    left = {item.name for item in planned if not item.complete}
    for item in planned:
        if item.complete:
            continue
        assert item.stage is not None
        waits = {path.relative_to(run).parts[0] for path in _paths(item) if path.is_relative_to(run)}
        needs = [name for name in dict.fromkeys(other.name for other in planned) if name in waits & left]
        if shards > 1 and _is_cut(item):
            cut = [Shard(number=number, of=shards) for number in range(1, shards + 1)]
            for shard in cut:
                yield _line(("run", *recipe, "--only", item.name, "--shard", str(shard)), needs)
            yield _line(("gather", *recipe, "--only", item.name), [shard_name(item.name, shard) for shard in cut])
        else:
            yield _line(("run", *recipe, "--only", item.name), needs)


def _paths(item: PlannedStage) -> list[Path]:
    assert item.stage is not None
    return [read.path for read in inputs_of(item.stage)]


def _is_cut(item: PlannedStage) -> bool:
    stage = item.stage
    return isinstance(stage, Sample) or (isinstance(stage, ScoreCandidates) and stage.model is not None)


def _line(words: Sequence[str], needs: Sequence[str]) -> str:
    waits = f"   # after {', '.join(needs)}" if needs else ""
    return f"mathquorum {shlex.join(words)}{waits}"
