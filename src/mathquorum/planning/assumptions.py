"""What a plan may be told: sizes of data that are not here, the speed of a machine that is not this one, prices."""

from __future__ import annotations

from pydantic import Field

from mathquorum.config import Settings

__all__ = ["Assumptions", "Machine"]


class Machine(Settings):
    """A machine as its seller describes it, in place of a calibration on this one."""

    name: str = "as stated"
    """For the plan's last line."""
    devices: int = Field(default=1, ge=1)
    """GPUs that share the work of a stage: candidates in shards, training data side by side."""
    peak_flops: float = Field(gt=0)
    """Operations a second of one device with dense matrices, in the number type that is used: 989e12 is an H100's in bfloat16."""
    bandwidth: float = Field(gt=0)
    """Bytes a second between a device and its memory: 3.35e12 is an H100's."""
    memory_gb: float = Field(gt=0)
    """Of one device."""
    decoding_share: float = Field(default=0.5, gt=0, le=1)
    """Of the bandwidth that decoding comes to. The default is this project's goal, not a measurement."""
    training_share: float = Field(default=0.45, gt=0, le=1)
    """Of the peak that training and reading come to. The default is this project's goal, not a measurement."""
    rows: int | None = Field(default=None, ge=1)
    """Candidates written at once on a device; None takes as many as the memory holds, 1,024 at most."""


class Assumptions(Settings):
    """What is not known before a run. What is here is looked at, and needs no assumption."""

    sizes: dict[str, int] = {}
    """Problems of a stage whose data are not here, by its name: {problems.test: 500}."""
    problem_tokens: float = Field(default=95, gt=0)
    """Tokens of a problem as it is shown, where neither data nor tokenizer are here. Problems of MATH come to about 70, with the prompt's
    own words 95. Our estimate."""
    solution_tokens: float = Field(default=250, gt=0)
    """Tokens of a solution, likewise. 250 as in PAPER.md Table 1 for MATH."""
    both_labels: float = Field(default=0.6, gt=0, le=1)
    """Share of the problems of which some candidates are correct and others not: they alone teach an evaluator. Until it is known, from a
    quarter of it to all. Our choice."""
    distinct: float = Field(default=0.8, gt=0, le=1)
    """Share of a problem's candidates whose texts differ: equal ones are judged once. Our choice."""
    machine: Machine | None = None
    """Plan for another machine than this one."""
    prompt_price: float | None = Field(default=None, ge=0)
    """Of a million tokens read, where the engine's own settings have no price."""
    completion_price: float | None = Field(default=None, ge=0)
    """Of a million tokens written."""
