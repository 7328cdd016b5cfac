"""Tables that the paper lacks: evaluators, controls, clusters, and what stopping early costs and saves."""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.metrics.crossed import seeded_mean
from mathquorum.selection import Majority, Rerank, Strategy, WeightedVote
from mathquorum.stopping.outlook import Outlook
from mathquorum.stopping.rules import FixedBudget
from mathquorum.study.cells import Cell, StudyRow, StudyTable
from mathquorum.study.measured import Generator, Measured, Rows, difference, is_signal
from mathquorum.study.plan import TOP, Plan
from mathquorum.study.spending import choose_rule, replay_each, rules

__all__ = ["clusters", "controls", "evaluators", "spending"]


def evaluators(measured: Measured, plan: Plan) -> StudyTable:
    """How good each evaluator is, and what choosing by it brings over the vote."""
    rows = []
    for role in plan.roles:
        generator = measured.get(role, plan.main)
        for evaluator in generator.evaluators if generator else ():
            assert generator is not None
            if not is_signal(evaluator) and not evaluator.startswith(f"{role}."):
                continue
            rows.append(
                StudyRow(f"{role}: {evaluator.removeprefix(f'{role}.')}", _evaluator_cells(generator, evaluator))
            )
    return StudyTable(
        "evaluators",
        "Evaluators: do they rank, and does it pay?",
        ("AUC within", "AUC overall", "ECE", "RR.All - Maj1", f"RR.Top-{TOP} - Maj1", "W.RR - Maj1"),
        tuple(rows),
        "AUC within a problem, in percent: 50 is chance; only this can help to choose. AUC over all candidates is also high "
        "for an evaluator that knows which problems are hard. AUC overall and ECE: mean over seeds (lowest to highest). "
        "Differences in points, paired by problem and nested by seed.",
    )


def _evaluator_cells(generator: Generator, evaluator: str) -> tuple[Cell, ...]:
    within = generator.within_auc(evaluator)
    figures = generator.evaluator_figures(evaluator)
    vote = generator.strategy(Majority())
    strategies: tuple[Strategy, ...] = (Rerank(), Rerank(TOP), WeightedVote())
    return (
        Cell(within) if within else Cell(text="no problem has both labels"),
        *(_range_cell([f[name] for f in figures if name in f]) for name in ("auc", "ece")),
        *(_difference_cell(f"{s.name} - maj1", generator.strategy(s, evaluator), vote) for s in strategies),
    )


def _range_cell(values: Sequence[float]) -> Cell:
    if not values:
        return Cell()
    mean = 100 * sum(values) / len(values)
    return Cell(text=f"{mean:.1f} ({100 * min(values):.1f} to {100 * max(values):.1f})")


def _difference_cell(name: str, first: Rows, second: Rows) -> Cell:
    return Cell(difference(name, first, second).estimate, is_difference=True)


def controls(measured: Measured, plan: Plan) -> StudyTable:
    """What each later stage adds to equal training without it."""
    rows = []
    for role in plan.roles:
        for loss in plan.mtsft:
            generator = measured.get(role, f"mtsft.{loss}")
            others = [plan.main, *plan.controls(measured, role), *(f"mtsft.{o}" for o in plan.mtsft if o < loss)]
            for other in others:
                if generator and (against := measured.get(role, other)):
                    rows.append(
                        StudyRow(f"{role}: mtsft.{loss} - {other}", _control_cells(generator, against, role, plan))
                    )
    return StudyTable(
        "controls",
        "MTSFT against its controls",
        ("Pass@1 (greedy)", "pass@1 (sampled)", "Maj1", "Pass@N", "then SCR: W.RR", f"then SCR: RR.Top-{TOP}"),
        tuple(rows),
        "Differences in points, paired by problem and nested by training seed. Then SCR: the candidates of both under the same "
        f"evaluator ({plan.transferred}), which was trained on those of {plan.main}.",
    )


def _control_cells(first: Generator, second: Generator, role: str, plan: Plan) -> tuple[Cell, ...]:
    cells = [_difference_cell(name, first.figure(name), second.figure(name)) for name in ("pass@1.greedy", "pass@1")]
    cells.append(_difference_cell("maj1", first.strategy(Majority()), second.strategy(Majority())))
    cells.append(_difference_cell("pass@N", first.figure("pass@N"), second.figure("pass@N")))
    evaluator = f"{role}.{plan.transferred}"
    strategies: tuple[Strategy, ...] = (WeightedVote(), Rerank(TOP))
    for strategy in strategies:
        if evaluator in first.evaluators and evaluator in second.evaluators:
            rows = (g.strategy(strategy, evaluator) for g in (first, second))
            cells.append(_difference_cell(strategy.name, *rows))
        else:
            cells.append(Cell())
    return tuple(cells)


def spending(measured: Measured, plan: Plan) -> StudyTable:
    """What stopping early costs and saves, against all N candidates with every distinct text scored."""
    role = plan.roles[-1]
    generator, validation = measured.get(role, plan.main), plan.validation.get(role, plan.main)
    evaluator = f"{role}.{plan.transferred}"
    rows, note = [], ""
    if generator is not None and evaluator in generator.evaluators:
        size = generator.num_candidates
        outlook = plan.outlook
        shown = [FixedBudget(size, weighted=True), *rules(size, outlook)]
        spent = replay_each(generator, evaluator, shown)
        spent_by = {rule.name: of_rule for rule, of_rule in zip(shown, spent, strict=True)}
        full = spent_by[shown[0].name]
        if validation is not None and evaluator in validation.evaluators:
            note = f" What sure choice and worthwhile start from was measured on validation problems: {_outlook_text(outlook)}."
            costs = "a third of the tokens and a quarter of the calls, less 5%"
            chosen = choose_rule(validation, evaluator, outlook)
            if chosen:
                spent_by[f"{chosen.name} from validation"] = spent_by[chosen.name]
                note += f" The gain from validation is the least that spends at most {costs} there."
            else:
                note += f" No gain spends as little as {costs} there, so none was chosen."
        for name, of_rule in spent_by.items():
            cells = (
                Cell(seeded_mean(name, of_rule.correct)),
                _difference_cell(f"{name} - w.rr", of_rule.correct, full.correct),
                Cell(text=f"{of_rule.candidates.mean():.1f}"),
                _share_cell(of_rule.tokens, full.tokens),
                _share_cell(of_rule.calls, full.calls),
            )
            rows.append(StudyRow(name, cells))
    return StudyTable(
        "spending",
        "Test-time compute: stopping early",
        ("accuracy", "against W.RR with all", "candidates", "tokens, %", "evaluator calls, %"),
        tuple(rows),
        f"Candidates of {role}: {plan.main}, scores of {plan.transferred}, replayed in sampling order. Shares are of what W.RR "
        "spends with all candidates and every distinct text with an answer scored once." + note,
    )


def _outlook_text(outlook: Outlook) -> str:
    scores, chance = outlook.scores, outlook.chance
    return (
        f"scores of mean {scores.mean:.2f}, spreading by {scores.of_problems:.2f} over problems, {scores.of_clusters:.2f} over clusters, "
        f"{scores.of_texts:.2f} over texts; rate exponent {outlook.rate_exponent:.2f}; likelihood weight "
        f"{outlook.likelihood_weight:g}; chance to be right with sharpness {chance.sharpness:g} and {chance.none_right:g} for none"
    )


def _share_cell(spent: Rows, full: Rows) -> Cell:
    return Cell(text=f"{100 * spent.sum() / max(1.0, float(full.sum())):.1f}")


def clusters(measured: Measured, plan: Plan) -> StudyTable:
    """What clustering by equivalence is worth, against equal strings."""
    rows = []
    for (role, name), generator in measured.generators.items():
        varied = _varied(generator)
        vote, strings = generator.strategy(Majority()), generator.string_vote()
        cells = (
            Cell(text=f"{100 * varied:.1f}" if varied is not None else ""),
            Cell(seeded_mean("vote by string", strings)),
            Cell(seeded_mean("maj1", vote)),
            _difference_cell("maj1 - vote by string", vote, strings),
        )
        rows.append(StudyRow(f"{role}: {name}", cells))
    return StudyTable(
        "clusters",
        "Clusters: vote by equivalence against vote by string",
        ("other forms in correct clusters, %", "vote by string", "vote by equivalence", "difference"),
        tuple(rows),
        "First column: candidates of correct clusters whose answer is not written in the cluster's commonest form, mean over "
        "problems.",
    )


def _varied(generator: Generator) -> float | None:
    shares = []
    for stored in generator.seeds.values():
        for pool in stored.pools:
            answers = stored.answers.get(pool.problem_id, {})
            for cluster in pool.clusters:
                if cluster.correct:
                    forms = [answers[index] for index in cluster.members]
                    shares.append(1 - max(map(forms.count, set(forms))) / len(forms))
    return sum(shares) / len(shares) if shares else None
