"""The paper's tables, with its figures beside those of a study."""

from __future__ import annotations

from collections.abc import Mapping

from mathquorum.metrics.crossed import seeded_mean
from mathquorum.selection import Majority, Rerank, Strategy, WeightedVote
from mathquorum.study import published
from mathquorum.study.cells import Cell, StudyRow, StudyTable
from mathquorum.study.measured import Generator, Measured, is_signal
from mathquorum.study.plan import TOP, Plan
from mathquorum.study.sweeps import SWEEPS, best_number

__all__ = ["data_table", "demonstrations", "generators", "mtsft", "reranking", "strategies", "transfer"]


def data_table(plan: Plan) -> StudyTable:
    figures = ("train", "validation", "test", "evaluator", "problem tokens", "solution tokens")
    rows = []
    for source, values in plan.data.items():
        name = plan.paper_source(source) if source in plan.sources else None
        paper = published.DATA.get(name or "", {})
        rows.append(StudyRow(source, tuple(_plain_cell(values.get(f), paper.get(f)) for f in figures)))
    return StudyTable(
        "table1",
        "Table 1: the data",
        figures,
        tuple(rows),
        "Solutions to train on; problems to choose on (validation), to measure on (test) and to train evaluators on; mean "
        "lengths in tokens of this study's model.",
    )


def _plain_cell(value: float | None, paper: float | None) -> Cell:
    if value is None:
        return Cell(paper=paper)
    return Cell(text=f"{value:,.0f}" if value == int(value) else f"{value:,.1f}", paper=paper)


def _generator_cells(generator: Generator, paper: Mapping[str, float]) -> tuple[Cell, ...]:
    rows = {
        "pass@1.greedy": generator.figure("pass@1.greedy"),
        "pass@1": generator.figure("pass@1"),
        "maj1": generator.strategy(Majority()),
        "pass@N": generator.figure("pass@N"),
    }
    return tuple(Cell(seeded_mean(name, values), paper.get(name)) for name, values in rows.items())


def _generator_columns(plan: Plan, measured: Measured) -> tuple[str, ...]:
    size = max(g.num_candidates for g in measured.generators.values())
    return ("Pass@1 (greedy)", "pass@1 (sampled)", f"Maj1@{size}", f"Pass@{size}")


def generators(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        names = [(f"base.{plan.sources[0]}", "few-shot"), *((f"ssft.{s}", s) for s in plan.sources)]
        for name, shown in names:
            if generator := measured.get(role, name):
                source = "few-shot" if shown == "few-shot" else plan.paper_source(shown)
                paper = published.GENERATORS.get((plan.paper_role(role), source or ""), {})
                rows.append(StudyRow(f"{role}: {shown}", _generator_cells(generator, paper)))
    return StudyTable(
        "table2",
        "Table 2: supervised solution fine-tuning",
        _generator_columns(plan, measured),
        tuple(rows),
        f"Few-shot: the base with demonstrations in the style of {plan.sources[0]}.",
    )


def reranking(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        generator = measured.get(role, plan.main)
        if generator is None:
            continue
        signals = [name for name in generator.evaluators if is_signal(name)]
        for loss, evaluator in (
            *((loss, f"{role}.{loss}") for loss in plan.losses),
            *((name, name) for name in signals),
        ):
            if evaluator in generator.evaluators:
                paper = published.RERANKING.get((plan.paper_role(role), loss), {})
                cells = _reranking_cells(generator, evaluator, paper)
                rows.append(StudyRow(f"{role}: {loss}", cells))
    return StudyTable(
        "table3",
        "Table 3: solution-cluster re-ranking",
        ("Pass@1 (greedy)", "Maj1", "RR.All", f"RR.Top-{TOP}", "W.RR"),
        tuple(rows),
        f"Candidates of {plan.main}. Likelihood, confidence, certainty: the generator's own, scores that need no training.",
    )


def _reranking_cells(generator: Generator, evaluator: str, paper: Mapping[str, float]) -> tuple[Cell, ...]:
    strategies: tuple[Strategy, ...] = (Majority(), Rerank(), Rerank(TOP), WeightedVote())
    greedy = Cell(seeded_mean("pass@1.greedy", generator.figure("pass@1.greedy")), paper.get("pass@1.greedy"))
    return (
        greedy,
        *(
            Cell(seeded_mean(s.name, generator.strategy(s, evaluator if s.needs_scores else None)), paper.get(s.name))
            for s in strategies
        ),
    )


def mtsft(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        names = [(plan.main, "ssft"), *((f"mtsft.{loss}", loss) for loss in plan.mtsft)]
        names += [(name, "") for name in plan.controls(measured, role)]
        for name, key in names:
            if (generator := measured.get(role, name)) and (key != "ssft" or len(names) > 1):
                paper = published.MTSFT.get(key, {}) if plan.paper_role(role) == "L" else {}
                rows.append(StudyRow(f"{role}: {name}", _generator_cells(generator, paper)))
    return StudyTable(
        "table4",
        "Table 4: multi-task sequential fine-tuning",
        _generator_columns(plan, measured),
        tuple(rows),
        "control: solution fine-tuning continued for the steps and tokens of both later stages. mixed: both tasks at once for "
        "as many steps.",
    )


def demonstrations(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        for source in plan.sources[:2]:
            if generator := measured.get(role, f"base.{source}"):
                paper = published.DEMONSTRATIONS.get((plan.paper_role(role), plan.paper_source(source) or ""), {})
                rows.append(StudyRow(f"{role}: {source}", _generator_cells(generator, paper)))
    return StudyTable(
        "table5",
        "Table 5: the style of the demonstrations",
        _generator_columns(plan, measured),
        tuple(rows),
        "The base, not fine-tuned; only the solutions that its prompt shows differ.",
    )


def transfer(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for judge in plan.roles:
        for role in plan.roles:
            generator, evaluator = measured.get(role, plan.main), f"{judge}.{plan.transferred}"
            if len(plan.roles) > 1 and generator and evaluator in generator.evaluators:
                paper = published.TRANSFER.get((plan.paper_role(judge), plan.paper_role(role)), {})
                rows.append(
                    StudyRow(f"evaluator {judge}, generator {role}", _reranking_cells(generator, evaluator, paper))
                )
    return StudyTable(
        "table6",
        "Table 6: evaluators on the other model's candidates",
        ("Pass@1 (greedy)", "Maj1", "RR.All", f"RR.Top-{TOP}", "W.RR"),
        tuple(rows),
        f"Evaluators trained with {plan.transferred}.",
    )


def strategies(measured: Measured, plan: Plan) -> StudyTable:
    role = plan.roles[-1]
    generator, validation = measured.get(role, plan.main), plan.validation.get(role, plan.main)
    rows = []
    for loss in plan.losses:
        evaluator = f"{role}.{loss}"
        if generator is None or evaluator not in generator.evaluators:
            continue
        rows.append(
            StudyRow(
                f"{loss}, K best in hindsight",
                _strategy_cells(generator, evaluator, generator, published.STRATEGIES.get(loss, {})),
            )
        )
        if validation and evaluator in validation.evaluators:
            rows.append(StudyRow(f"{loss}, K from validation", _strategy_cells(generator, evaluator, validation, {})))
    return StudyTable(
        "table7",
        "Table 7: six strategies",
        ("RR.All", "RR.MajK", "W.RR", "W.RR.MajK", "Maj1", "Maj1.TopN"),
        tuple(rows),
        f"Candidates of {role}: {plan.main}. The paper chose K and N' in hindsight, on the test problems: too good to be "
        "true. Chosen on validation problems they are what a user gets.",
    )


def _strategy_cells(
    generator: Generator, evaluator: str, chooser: Generator, paper: Mapping[str, float]
) -> tuple[Cell, ...]:
    cells = []
    for name, shown in (
        ("rr.all", Rerank()),
        ("rr.top", None),
        ("w.rr", WeightedVote()),
        ("w.rr.top", None),
        ("maj1", Majority()),
        ("maj1.top", None),
    ):
        text = ""
        if shown is None:
            best = best_number(chooser, evaluator, name)
            strategy, text = SWEEPS[name](best), f"at {best}"
        else:
            strategy = shown
        rows = generator.strategy(strategy, evaluator if strategy.needs_scores else None)
        cells.append(Cell(seeded_mean(name, rows), paper.get(name), text))
    return tuple(cells)
