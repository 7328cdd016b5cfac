"""Verdicts on claims: by the interval of each alone, and corrected for their number."""

from __future__ import annotations

from mathquorum.metrics.differences import Difference
from mathquorum.records import Estimate
from mathquorum.report.page import Facts, PageData
from mathquorum.study.claims import Claim, claim_json
from mathquorum.study.pages import StudyData, claims_table, render_study, render_study_page


def claim(p_value: float, holm_p_value: float, sign: int = 1) -> Claim:
    found = Difference(Estimate("d", 0.04 * sign, 0.04 * sign - 0.03, 0.04 * sign + 0.03, 120), 9, 3, 0.1)
    return Claim("both beats fine", "2", 1.0, found, 1, p_value, holm_p_value)


def test_a_verdict_stands_only_where_the_adjusted_p_value_is_small_too() -> None:
    assert (claim(0.01, 0.03).verdict, claim(0.01, 0.03).corrected_verdict) == ("holds", "holds")
    assert (claim(0.01, 0.35).verdict, claim(0.01, 0.35).corrected_verdict) == ("holds", "undecided")
    assert (claim(0.01, 0.35, -1).verdict, claim(0.01, 0.02, -1).corrected_verdict) == ("fails", "fails")
    assert Claim("c", "2", 1.0, None).corrected_verdict == "not measured"


def test_every_page_shows_both_verdicts() -> None:
    data = StudyData("t", "a", [claim(0.01, 0.35), claim(0.001, 0.03)], [], [], {}, {})
    assert data.verdicts == {"holds": 2} and data.corrected_verdicts == {"undecided": 1, "holds": 1}
    markdown = render_study(data)
    html = render_study_page(PageData("t", "study", Facts(), [], [], study=data))
    assert "| holds | undecided |" in markdown and "1 undecided, 1 holds" in markdown
    assert 'class="text verdict undecided" data-name="corrected">undecided' in html
    held = claim_json(claim(0.01, 0.35))
    assert held["corrected_verdict"] == "undecided" and held["holm_p_value"] == 0.35
    assert claims_table([held, {k: v for k, v in held.items() if k != "corrected_verdict"}]).row_count == 2
