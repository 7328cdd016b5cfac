r"""A strict grader that is safe as a reward, in the call shapes of TRL and verl.

`matches_reference` is made for measuring: it looks for an answer wherever a person would see one. A policy that is trained on it
learns to look for what it overlooks. Here only an explicit, closed final answer counts, after the thoughts:

    \boxed{72}      <answer>72</answer>      #### 72 (a line of its own)

and nothing else: no sentence, no last number. All such marks of a completion must agree, so that a list of guesses earns nothing; a
mark holds one short answer, not a text; and what a reader would take for the answer of the whole completion must agree with it, too.

    judge(reference, completion)                                        a `Verdict`: right or not, and why
    accuracy_reward(prompts, completions, answer=[...])                 for TRL: `GRPOTrainer(reward_funcs=accuracy_reward)`
    compute_score(data_source, solution_str, ground_truth)              for verl: `custom_reward_function.path=.../reward.py`

docs/reward.md has the measured rates of false accepts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mathquorum.answers import Verdict, equivalent, extract_answer
from mathquorum.answers.equivalence import explain_match
from mathquorum.answers.marks import is_placeholder
from mathquorum.answers.settings import EquivalenceSettings
from mathquorum.errors import SettingsError

__all__ = ["accuracy_reward", "compute_score", "judge", "reference_answer"]

_SETTINGS = EquivalenceSettings(
    symbolic_seconds=0
)  # no worker processes beside a trainer, and every call ends by itself
_TAIL = 20_000  # characters after the thoughts that are searched; a longer final part is no final part
_MAX_ANSWER = 300  # characters
_MAX_MARKS = 16
_MAX_WORDS = 6  # beyond those of the reference

_THOUGHTS = re.compile(r"</?(?:think|thinking|thought|reasoning|scratchpad)>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_TAG = re.compile(r"<(?P<tag>answer|final_answer)>(?P<held>.*?)</(?P=tag)>", re.IGNORECASE | re.DOTALL)
_OPEN_TAG = re.compile(r"</?(?:answer|final_answer)>", re.IGNORECASE)
_HASH = re.compile(r"^####[ \t]+(?P<held>[^\n]+)$", re.MULTILINE)
_ALTERNATIVE = re.compile(
    r"(?<![A-Za-z])(?:or|either|maybe|perhaps|possibly|and/or)(?![A-Za-z])|\?|\\(?:lor|vee)\b", re.IGNORECASE
)
_SEVERAL = re.compile(r",|;|\\pm|(?<![A-Za-z])(?:or|and)(?![A-Za-z])|\\(?:lor|vee|cup|mp)\b", re.IGNORECASE)
_RELATION = re.compile(r"(?<![<>!:])=|≈|\\approx\b|\\(?:to|rightarrow|Rightarrow|implies|neq?)\b|≠")
_NAME = re.compile(r"[\s$]*(?:[A-Za-z](?:_\{?\w+\}?|\([a-z](?:, ?[a-z])*\))?|\\[a-z]+|\\text\{[^{}\d]*\})[\s$]*")
"""What may stand before "=": x, a_1, f(x), \\theta, \\text{Area}."""
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")


def judge(reference: str, completion: str) -> Verdict:
    r"""Whether a completion's explicit final answer is the reference, and why (not).

    Args:
        reference: The answer, or a solution that marks it as MATH and GSM8K do.
        completion: What the policy wrote, its thoughts included.

    Examples:
        >>> judge("72", "48 + 24 = 72, so \\boxed{72}.").equal
        True
        >>> print(judge("72", "It is 70, or 72."))
        different: no closed final answer (\boxed{}, <answer></answer>, ####)
    """
    found = _final_answers(completion)
    if isinstance(found, str):
        return Verdict(False, found)
    gold = reference_answer(reference)
    for held in found:
        wrong = _not_one_answer(held, gold)
        if wrong:
            return Verdict(False, wrong)
    if any(held != found[0] and not equivalent(found[0], held, _SETTINGS) for held in found[1:]):
        return Verdict(False, "several final answers that differ")
    verdict = explain_match(gold, found[-1], _SETTINGS)
    if verdict.equal:
        seen = extract_answer(_spoken(completion)[-_TAIL:], finished=True)
        if seen is not None and not explain_match(gold, seen, _SETTINGS).equal:
            return Verdict(False, "the completion goes on to another answer")
    return verdict


def reference_answer(reference: str) -> str:
    """The final answer of a reference: what a whole solution marks with a box or ####, or the text as it is."""
    if "\\boxed" in reference or "####" in reference:
        return extract_answer(reference, finished=True) or reference
    return reference.strip()


def accuracy_reward(
    prompts: Sequence[Any] | None = None,
    completions: Sequence[Any] = (),
    answer: Sequence[str | None] | None = None,
    solution: Sequence[str | None] | None = None,
    **columns: Any,
) -> list[float | None]:
    """TRL's shape: 1.0 for each completion that `judge` finds right, else 0.0; None where the row has no reference.

    Args:
        prompts: Not used; TRL gives them.
        completions: Texts, or conversations as lists of messages, of which the last one counts.
        answer: The data set's column of reference answers.
        solution: The same by another usual name; whole solutions are read for their marked answer.
        columns: What else TRL gives (completion_ids, trainer_state, further columns); not used.

    Raises:
        SettingsError: If no column holds references, or there are not as many as completions.
    """
    references = answer if answer is not None else solution
    if references is None:
        known = ", ".join(sorted(columns)) or "none"
        raise SettingsError(
            f"The data set needs a column 'answer' or 'solution' with the references. Other columns: {known}."
        )
    if len(references) != len(completions):
        raise SettingsError(
            f"There are {len(completions)} completions and {len(references)} references. Give one for each."
        )
    return [
        None if reference is None else float(judge(str(reference), _text(completion)).equal)
        for reference, completion in zip(references, completions, strict=True)
    ]


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None, **options: Any
) -> float:
    """verl's shape: 1.0 if `judge` finds the solution right, else 0.0.

    Args:
        data_source: Not used: answers of all sources are judged alike.
        solution_str: What the policy wrote.
        ground_truth: The reference answer.
        extra_info: Not used.
        options: What else verl gives; not used.
    """
    return float(judge(str(ground_truth), solution_str).equal)


def _text(completion: Any) -> str:
    """A completion as text: of a conversation what the last message says."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Sequence) and completion and isinstance(completion[-1], Mapping):
        content = completion[-1].get("content")
        return content if isinstance(content, str) else ""
    raise SettingsError(f"A completion is a text or a list of messages. Got {type(completion).__name__} instead.")


def _spoken(completion: str) -> str:
    """What comes after the thoughts; nothing when they do not end."""
    marks = list(_THOUGHTS.finditer(completion))
    if not marks:
        return completion
    last = marks[-1]
    return completion[last.end() :] if last[0].startswith("</") else ""


def _final_answers(completion: str) -> list[str] | str:
    """What the marks after the thoughts hold, in their order; or why there are none."""
    spoken = _spoken(completion)
    if len(spoken) > _TAIL:
        return f"the part after the thoughts is longer than {_TAIL:,} characters"
    boxes = [(m.start(), _braced(spoken, m.end())) for m in _BOX.finditer(spoken)]
    tags = [(m.start(), m["held"]) for m in _TAG.finditer(spoken)]
    lines = [(m.start(), m["held"]) for m in _HASH.finditer(spoken)]
    if any(held is None for _, held in boxes) or len(_OPEN_TAG.findall(spoken)) != 2 * len(tags):
        return "a final answer that is not closed"
    marks = [(place, held.strip()) for place, held in (*boxes, *tags, *lines) if held is not None]
    marks = [(place, held) for place, held in marks if not is_placeholder(held)]
    if not marks:
        return "no closed final answer (\\boxed{}, <answer></answer>, ####)"
    if len(marks) > _MAX_MARKS:
        return f"more than {_MAX_MARKS} final answers"
    return [_unboxed(held) for _, held in sorted(marks)]


def _braced(text: str, start: int) -> str | None:
    """What stands before the brace that closes; None where none does, or not soon."""
    depth = 1
    for place in range(start, min(len(text), start + _MAX_ANSWER + 1)):
        if text[place] in "{}" and text[place - 1] != "\\":
            depth += 1 if text[place] == "{" else -1
            if depth == 0:
                return text[start:place]
    return None


def _unboxed(held: str) -> str:
    """A box within a tag or after #### is the same answer once more."""
    match = _BOX.search(held)
    return (_braced(held, match.end()) or held).strip() if match else held


def _not_one_answer(held: str, gold: str) -> str | None:
    """Why what a mark holds is not one answer; None if it is."""
    if len(held) > max(_MAX_ANSWER, 2 * len(gold)):
        return f"the final answer is longer than {_MAX_ANSWER} characters"
    if "\n\n" in held:
        return "the final answer is a text"
    if _ALTERNATIVE.search(held) and not (_SEVERAL.search(gold) or _ALTERNATIVE.search(gold)):
        return "the final answer leaves a choice"
    if not _RELATION.search(gold) and not all(map(_NAME.fullmatch, _RELATION.split(held)[:-1])):
        return "the final answer is a chain of values"
    if len(_WORD.findall(held)) > _MAX_WORDS + len(_WORD.findall(gold)):
        return "the final answer is a text"
    return None
