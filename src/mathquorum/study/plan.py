"""How a study names what its tables show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mathquorum.stopping.outlook import Outlook
from mathquorum.study.measured import Measured

__all__ = ["CONTROLS", "TOP", "Plan"]

TOP = 8  # K of Table 3
CONTROLS = {"control": "SSFT continued as long", "mixed": "both tasks at once"}
"""The kinds of controls of sequential training, each in words."""


@dataclass(frozen=True)
class Plan:
    """How a study names what the tables show.

    Attributes:
        roles: Models from the smaller, in the role of S*, to the larger, in the role of L. One alone stands for L.
        sources: Of the generators' solutions; the first is terse like MATH, the second fine like PRM800K, the last the
            main generator, whatever their number.
        losses: Evaluators of Tables 3 and 7, "margin" and "cross_entropy" in the paper.
        transferred: The loss whose evaluators are put on other roles' candidates (Table 6).
        mtsft: Losses of the sequential training (Table 4).
        validation: The same generators on validation problems, for choosing K.
        data: Rows of Table 1, by source: counts and mean lengths.
        outlook: What stopping rules start from, measured on the validation problems.
    """

    roles: tuple[str, ...]
    sources: tuple[str, ...]
    losses: tuple[str, ...]
    transferred: str
    mtsft: tuple[str, ...]
    validation: Measured
    data: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    outlook: Outlook = field(default_factory=Outlook)

    @property
    def main(self) -> str:
        return f"ssft.{self.sources[-1]}"

    def paper_role(self, role: str) -> str:
        """Whose column of the paper stands beside a role's figures."""
        return "S" if len(self.roles) > 1 and role == self.roles[0] else "L"

    def paper_source(self, source: str) -> str | None:
        """Whose row of the paper: the first source stands for MATH, the second for PRM800K, the third for their union."""
        place = self.sources.index(source)
        return ("MATH", "PRM800K", "MATH + PRM800K")[place] if len(self.sources) == 3 else None

    def controls(self, measured: Measured, role: str, kinds: Iterable[str] = CONTROLS) -> list[str]:
        """The names of the controls of sequential training that were measured, by kind and then by loss."""
        names = (f"{kind}.{loss}" for kind in kinds for loss in self.mtsft)
        return [name for name in names if measured.get(role, name)]
