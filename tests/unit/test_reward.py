"""The strict grader: only one explicit, closed final answer earns a reward."""

from __future__ import annotations

import pytest

from mathquorum.errors import SettingsError
from mathquorum.reward import accuracy_reward, compute_score, judge, reference_answer


@pytest.mark.parametrize(
    "completion",
    [
        "48 + 24 = 72. So \\boxed{72}.",
        "<think>70? \\boxed{70}</think>\n<answer>72</answer>",
        "48 + 24 = <<48+24=72>>72\n#### 72",
        "\\boxed{72.0}, that is \\boxed{72}",
        "<answer>\\boxed{72}</answer>",
        "\\boxed{72\\text{ clips}}",
        "\\boxed{a_1 = 72}",
    ],
)
def test_an_explicit_right_answer_is_accepted(completion: str) -> None:
    assert judge("72", completion).equal


@pytest.mark.parametrize(
    ("completion", "why"),
    [
        ("She had 72 clips and lost 2, leaving 70.", "no closed final answer"),
        ("The answer is 72", "no closed final answer"),
        ("72", "no closed final answer"),
        ("\\boxed{72", "not closed"),
        ("<answer>72", "not closed"),
        ("\\boxed{72} or \\boxed{73}", "several final answers that differ"),
        ("\\boxed{70}, no: \\boxed{72}", "several final answers that differ"),
        ("#### 71\n#### 72", "several final answers that differ"),
        ("\\boxed{71 or 72}", "leaves a choice"),
        ("\\boxed{71, 72}", ""),
        ("\\boxed{72}. Hence the answer is 73.", "goes on to another answer"),
        ("<think>so \\boxed{72}</think> I do not know.", "no closed final answer"),
        ("<think>so \\boxed{72}", "no closed final answer"),
        ("\\boxed{The number of clips that she sold in all is likely 72}", "the final answer is a text"),
        ("\\boxed{72} " * 17, "more than 16 final answers"),
        ("\\boxed{72}" + " and so on" * 3000, "longer than"),
        ("\\boxed{" + "{" * 10_000, "not closed"),
        ("\\boxed{" + "{" * 1_000_000, "longer than"),
        ("\\boxed{71 = 72}", "chain of values"),
    ],
)
def test_whatever_else_earns_nothing(completion: str, why: str) -> None:
    verdict = judge("72", completion)
    assert not verdict.equal and why in verdict.rule


def test_an_answer_of_several_values_may_be_written_as_such() -> None:
    assert judge("1, 2", "\\boxed{1 \\text{ or } 2}").equal
    assert not judge("1, 2", "\\boxed{1}").equal


def test_references_may_be_whole_solutions() -> None:
    assert reference_answer("48 + 24 = 72\n#### 72") == "72"
    assert reference_answer("So $x = \\boxed{\\frac{1}{2}}$.") == "\\frac{1}{2}"
    assert reference_answer(" 7 ") == "7"


def test_the_shape_of_trl() -> None:
    chat = [[{"role": "assistant", "content": "\\boxed{4}"}], [{"role": "assistant", "content": "4"}], []]
    assert accuracy_reward(prompts=["a", "b"], completions=["\\boxed{4}", "\\boxed{5}"], answer=["4", "4"]) == [
        1.0,
        0.0,
    ]
    assert accuracy_reward(completions=chat[:2], solution=["\\boxed{4}", None], completion_ids=[[1], [2]]) == [
        1.0,
        None,
    ]
    with pytest.raises(SettingsError, match=r"needs a column 'answer' or 'solution'.*Other columns: gold"):
        accuracy_reward(completions=["\\boxed{4}"], gold=["4"])
    with pytest.raises(SettingsError, match="2 completions and 1 references"):
        accuracy_reward(completions=["a", "b"], answer=["4"])
    with pytest.raises(SettingsError, match="Got list instead"):
        accuracy_reward(completions=chat[2:], answer=["4"])


def test_the_shape_of_verl() -> None:
    assert compute_score("gsm8k", "#### 72", "72", extra_info={"index": 3}) == 1.0
    assert compute_score(data_source="math", solution_str="72", ground_truth="72") == 0.0
