"""The Python door: vote, solve, cluster and grade, each in a line. `import mathquorum as mq` has them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mathquorum.answers import cluster_candidates, extract_answer, matches_reference
from mathquorum.answers.extract import is_free_text
from mathquorum.datasets.samples import Samples, SampleSet
from mathquorum.errors import SettingsError, suggest
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.scorers.own import GivenScorer, scorer_of
from mathquorum.selection.own import GivenStrategy, strategies_of
from mathquorum.voting.measured import Measured, measure_pools, measure_run, measure_samples
from mathquorum.voting.pools import pools_of, scored_by
from mathquorum.voting.runs import is_run

if TYPE_CHECKING:
    from mathquorum.solving import Solved

__all__ = ["cluster", "grade", "solve", "vote"]

Solutions = Sequence[str] | Sequence[Sequence[str]] | Mapping[str, Sequence[str]]
"""Of one problem; of several, in order; or of several, by their names."""


def grade(reference: str, answer: str) -> bool:
    r"""Whether an answer, or a solution that holds one, is the reference. The reference comes first, everywhere in this library.

    For measuring. As a reward take `mathquorum.reward`, which cannot be talked to.

    Examples:
        >>> grade(r"\frac{1}{2}", "So the answer is 0.5.")
        True
    """
    for name, value in (("reference", reference), ("answer", answer)):
        if not isinstance(value, str):
            raise SettingsError(f"{name} must be a text. Got {value!r} instead: give str(...) of it.")
    return matches_reference(reference, answer)


def cluster(solutions: Sequence[str], reference: str | None = None) -> list[AnswerCluster]:
    """Solutions of one problem, or their answers, in clusters of equivalent answers: largest first.

    Args:
        solutions: Solutions or answers; those without an answer are in no cluster.
        reference: With it, each cluster is correct or not; without, None.

    Examples:
        >>> [(c.answer, c.members) for c in cluster(["0.5", "so it is 3. #### 3", "1/2"])]
        [('0.5', (0, 2)), ('3', (1,))]
    """
    return cluster_candidates("problem", _candidates("problem", solutions), reference)


def vote(
    samples: str | Path | Solutions,
    *,
    scores: Any = None,
    scorer: GivenScorer | None = None,
    references: Any = None,
    strategies: str | Sequence[GivenStrategy] | None = None,
) -> Measured:
    """The vote and every re-ranking strategy on solutions that are there: choices by problem, and with references how good they are.

    Args:
        samples: A file, a run, the solutions of one problem, a list of those of several, or a mapping from names of problems.
        scores: One for each solution, higher is better, in the same form; None for a solution without one.
        scorer: One of your own in place of scores, as "mypkg.scores:Mine" or as an object. Of solutions in a list it knows no problem's text.
        references: A text for one problem, else a list or a mapping; None for a problem without one.
        strategies: For example ("maj1", "w.rr"), and among them your own: as "mypkg.votes:Shrunk(strength=2)" or as an object. None takes
            all that fit.

    Raises:
        SettingsError: If the forms do not fit each other, or a strategy needs scores that are not there.
        DataError: If a file cannot be read.

    Examples:
        >>> vote([["#### 4", "#### 5", "#### 4"]], references=["4"]).answers("maj1")
        {'0': '4'}
    """
    if isinstance(samples, str | Path):
        return _vote_on_file(Path(samples), scores, scorer, references, strategies)
    if scores is not None and scorer is not None:
        raise SettingsError("Give scores or a scorer: one of them scores.")
    alone = not isinstance(samples, Mapping) and all(isinstance(item, str) for item in samples)
    given = _by_name("samples", samples, alone)
    own_scores = _fitting("scores", scores, given, alone)
    own_references = _fitting("references", [references] if alone and references is not None else references, given)
    found = [
        Samples(
            Problem(name, "", own_references.get(name)),
            tuple(_candidates(name, texts)),
            _scores(name, own_scores.get(name), len(texts)),
        )
        for name, texts in given.items()
    ]
    chosen = strategies_of(strategies) if strategies else None
    judge = scorer_of(scorer) if scorer is not None else None
    return measure_pools(pools_of(scored_by(judge, SampleSet(tuple(found)))), chosen)


def solve(
    problem: str,
    model: str | Path | None = None,
    evaluator: str | Path | None = None,
    *,
    num_candidates: int = 64,
    strategy: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Solved:
    """One problem solved by sampling, clustering and choosing; `.answer` is the answer.

    Args:
        problem: Its text.
        model: Generator: a folder, hub id, GGUF file or adapter. None takes the embedded model, a toy.
        evaluator: In like manner; None votes.
        num_candidates: N.
        strategy: As `vote` names it. None: w.rr with an evaluator, else maj1.
        seed: Of all draws.
        settings: Further ones of `mathquorum.solving.settings.Quorum`: {"sampling": {"temperature": 0.7}}, {"scorer": "mypkg.scores:Mine"}.

    Raises:
        SettingsError: If a setting cannot be used.
        ModelError: If a model cannot be used.
    """
    from mathquorum.assets import tiny_base_path
    from mathquorum.config import build
    from mathquorum.solving import solve as method
    from mathquorum.solving.settings import Quorum

    if not isinstance(problem, str) or not problem.strip():
        raise SettingsError(f"problem must be the text of a problem. Got {problem!r} instead.")
    given = {
        "model": str(model or tiny_base_path()),
        "evaluator": None if evaluator is None else str(evaluator),
        "num_candidates": num_candidates,
        "strategy": strategy,
        "seed": seed,
    }
    quorum = build(Quorum, {**given, **(settings or {})})
    generator, judge = quorum.open()
    return method(
        Problem("problem", problem.strip()),
        generator,
        quorum.chooser,
        judge,
        num_candidates=quorum.num_candidates,
        sampling=quorum.sampling,
        style=quorum.style,
        wording=quorum.prompt,
        seed=quorum.seed,
    )


def _vote_on_file(
    path: Path,
    scores: Any,
    scorer: GivenScorer | None,
    references: Any,
    strategies: str | Sequence[GivenStrategy] | None,
) -> Measured:
    if not path.exists():
        raise SettingsError(f"samples: there is no file {str(path)!r}. Give a file, a run, or a list of solutions.")
    if scores is not None:
        raise SettingsError("scores go with solutions in a list. A file holds its own: leave scores out.")
    if not is_run(path):
        return measure_samples([path], None if references is None else Path(references), strategies, scorer=scorer)
    pools = measure_run(path, strategies, scorer=scorer)
    if len(pools) > 1:
        raise SettingsError(
            f"{path} has {len(pools)} pools ({', '.join(pools)}). Give the folder of one, or take "
            "mathquorum.voting.measure_run, which gives all."
        )
    return next(iter(pools.values()))


def _by_name(what: str, values: Any, alone: bool) -> dict[str, Any]:
    """Values by the name of their problem, which is its number where it has none."""
    if isinstance(values, Mapping):
        return {str(name): value for name, value in values.items()}
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise SettingsError(f"{what} must be a list, or a mapping from names of problems. Got {values!r} instead.")
    return {"0": values} if alone else {str(number): value for number, value in enumerate(values)}


def _fitting(what: str, values: Any, given: Mapping[str, Any], alone: bool = False) -> dict[str, Any]:
    """The same of scores or references, which must be of the problems that there are."""
    found = {} if values is None else _by_name(what, values, alone)
    if not isinstance(values, Mapping | None) and len(found) != len(given):
        raise SettingsError(
            f"There are {what} of {len(found)} problems and samples of {len(given)}. Give them in one form."
        )
    unknown = [name for name in found if name not in given]
    if unknown:
        raise SettingsError(f"{what} name the problem {unknown[0]!r}, which samples lack. {suggest(unknown[0], given)}")
    return found


def _scores(name: str, values: Any, number: int) -> tuple[float | None, ...] | None:
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != number:
        raise SettingsError(
            f"scores of problem {name!r} must be a list of {number}, one for each solution. Got {values!r} instead."
        )
    return tuple(float(value) if value is not None and isfinite(value) else None for value in values)


def _candidates(name: str, texts: Any) -> list[Candidate]:
    """Solutions as candidates; a text that is an answer alone is its own answer."""
    if isinstance(texts, str) or not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"Solutions of problem {name!r} must be a list of texts. Got {texts!r} instead.")
    return [
        Candidate(name, index, text, extract_answer(text) if is_free_text(text) else text.strip() or None)
        for index, text in enumerate(texts)
    ]
