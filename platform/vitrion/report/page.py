"""Page of the report: sections of figures and sentences in one self-contained HTML file."""

from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
import numpy as np
import yaml
from markupsafe import Markup

from vitrion.keys import cycle_number, short_key
from vitrion.report import findings
from vitrion.report.charts import Colour
from vitrion.report.charts.axis import MINUS
from vitrion.report.data import ReportData
from vitrion.report.figures import arms, arrhenius, calibration, msd, parity, rdf
from vitrion.report.figures.strip import Strip
from vitrion.report.limits import limits
from vitrion.report.numbers import decades, duration, formula, plain, signed, unit_text
from vitrion.report.ranking import Ranked, Source, rank
from vitrion_models.constants import Z_95
from vitrion_workflows.schemas import Origin

MOST_RANKED = 20
MOST_BUDGETS = 8


@dataclass(frozen=True)
class GateRow:
    """Outcomes of one gate over cells or labels of one kind."""

    kind: str
    gate: str
    passed: int
    measured: int
    median: float | None
    unit: str
    limits: str


def render(data: ReportData) -> str:
    """Return the page as HTML that needs no other file and no network."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vitrion.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        formula=formula,
        duration=duration,
        plain=plain,
        signed=signed,
        decades=decades,
        short_key=short_key,
        cycle_number=cycle_number,
    )
    return environment.get_template("page.html.j2").render(**_content(data))


def _content(data: ReportData) -> dict[str, Any]:
    ranked = rank(data)
    strip, rows = _strips(ranked[:MOST_RANKED])
    style = files("vitrion.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    return {
        "data": data,
        "style": Markup(style),  # noqa: S704 - our own file
        "headline": findings.headline(data, ranked),
        "tallies": tallies(data),
        "gate_version_note": findings.gate_version_note(data),
        "opinion_note": findings.opinion_note(data, ranked),
        "ranking_note": findings.ranking_note(data, ranked),
        "trusted_note": findings.trusted_note(data),
        "strip": strip,
        "ranked": rows,
        "ranked_left": max(0, len(ranked) - MOST_RANKED),
        "labels_note": findings.labels_note(data),
        "msd": msd.figures(data),
        "msd_keys": msd.KEYS,
        "arrhenius": arrhenius.figures(data),
        "arrhenius_keys": arrhenius.KEYS,
        "cells_note": findings.cells_note(data),
        "gates": [(kind, list(rows)) for kind, rows in groupby(gate_rows(data), key=lambda row: row.kind)],
        "rdf_note": findings.rdf_note(data),
        "rdf": rdf.figures(data),
        "rdf_keys": rdf.KEYS,
        "surrogate_note": findings.surrogate_note(data),
        "surrogate": [figure for figure in (parity.figure(data), calibration.figure(data)) if figure],
        "scores": scores(data),
        "arms_note": findings.arms_note(data),
        "arms": arms.figure(data),
        "costs": data.costs,
        "most_cost": max((cost.worker_seconds for cost in data.costs), default=0.0),
        "all_cost": sum(cost.worker_seconds for cost in data.costs),
        "limits": limits(data),
        "configuration": yaml.safe_dump(dict(data.configuration), sort_keys=False, allow_unicode=True),
        "Origin": Origin,
        "Z_95": Z_95,
        "MOST_BUDGETS": MOST_BUDGETS,
    }


def tallies(data: ReportData) -> list[tuple[str, str]]:
    """Return the numbers below the headline: value and name."""
    closed = sum(cycle.state == "closed" for cycle in data.cycles)
    accepted = sum(cell.accepted for cell in data.cells)
    wall = [] if data.wall_seconds is None else [(duration(data.wall_seconds), "from start to end")]
    return [
        (str(len(data.labels)), "labels by molecular dynamics"),
        (str(len({label.formula for label in data.labels})), "compositions labelled"),
        (f"{accepted} / {len(data.cells)}", "amorphous cells accepted"),
        (str(closed), "closed cycles" if closed != 1 else "closed cycle"),
        *wall,
    ]


def _strips(ranked: list[Ranked]) -> tuple[Markup, list[tuple[Ranked, Markup]]]:
    ends = [value for row in ranked for value in (row.log10_D, *(row.interval or ())) if np.isfinite(value)]
    strip = Strip(ends)
    drawn = [
        (
            row,
            strip.row(
                row.log10_D,
                row.interval,
                Colour.PREDICTED if row.source is Source.PREDICTED else _origin_colour(row.origin),
                hollow=row.source is Source.PREDICTED,
            ),
        )
        for row in ranked
    ]
    return strip.scale(), drawn


def _origin_colour(origin: Origin) -> Colour:
    return Colour.GENERATED if origin is Origin.GENERATED else Colour.MEASURED


def gate_rows(data: ReportData) -> list[GateRow]:
    """Return the outcomes of every gate for quenched cells, generated cells and labels."""
    kinds: list[tuple[str, list[Any]]] = [
        ("melt-quenched cells", [cell for cell in data.cells if cell.origin is Origin.MELT_QUENCH]),
        ("generated cells", [cell for cell in data.cells if cell.origin is Origin.GENERATED]),
        ("labels", list(data.labels)),
    ]
    rows = []
    for kind, owners in kinds:
        by_gate: defaultdict[str, list[Any]] = defaultdict(list)
        for owner in owners:
            for gate in owner.gates:
                for number in gate.numbers:
                    name = f"{gate.name}: {number.name}" if gate.measurements else gate.name
                    by_gate[name].append(number)
        rows += [_gate_row(kind, name, outcomes) for name, outcomes in by_gate.items()]
    return rows


def _gate_row(kind: str, name: str, outcomes: list[Any]) -> GateRow:
    values = [outcome.value for outcome in outcomes if outcome.value is not None and np.isfinite(outcome.value)]
    # Limits may depend on the cell (a density window): only common ones are stated.
    windows = {_window(outcome.lower, outcome.upper, outcome.unit) for outcome in outcomes}
    return GateRow(
        kind=kind,
        gate=name.replace("_", " "),
        passed=sum(outcome.passed for outcome in outcomes),
        measured=len(outcomes),
        median=float(np.median(values)) if values else None,
        unit=unit_text(outcomes[0].unit),
        limits=windows.pop() if len(windows) == 1 else f"differ by {'label' if kind == 'labels' else 'cell'}",
    )


def _window(lower: float | None, upper: float | None, unit: str) -> str:
    if lower is not None and upper is not None:
        words = f"{lower:.3g} to {upper:.3g}".replace("-", MINUS)
    elif lower is not None:
        words = f"at least {lower:.3g}"
    elif upper is not None:
        words = f"at most {upper:.3g}"
    else:
        return "none"
    return f"{words} {unit_text(unit)}".strip()


def scores(data: ReportData) -> list[tuple[str, float, float]]:
    """Return name, RMSE and MAE of the surrogate and its baselines on the frozen test, best first."""
    errors = np.array([point.predicted - point.measured for point in data.parity if point.held_out])
    if not len(errors):
        return []
    own = ("surrogate", float(np.sqrt(np.mean(errors**2))), float(np.mean(np.abs(errors))))
    return sorted([own, *((row.name, row.rmse, row.mae) for row in data.baselines)], key=lambda row: row[1])
