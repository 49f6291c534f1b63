"""Deviation of potentials from ab initio molecular dynamics, by class of compounds.

The figures are measured by `benchmarks/aimd.py`, stored in `aimd_errors.json` and explained in
docs/design/aimd-comparison.md. They are systematic: a longer run does not reduce them.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

EVERY_CLASS = "all"


@dataclass(frozen=True, kw_only=True)
class BenchmarkError:
    """Disagreement of one potential with ab initio molecular dynamics, in one class of compounds.

    Attributes:
        potential: registry name.
        weights_sha256: of the weights that were compared.
        chemistry: see `anion_classes.anion_class`, or ``all``.
        temperatures_K: lowest and highest of the melts.
        formulas: number of compounds.
        labels: number of labels, one for each compound and temperature.
        failed_share: share of compounds without a label: boiled, no equilibrium volume, rejected by the gates.
        median_log10: median of log10(D / D_AIMD), in decades; positive where the potential is too fast.
        spread_log10: half the width of their central 68 %, in decades.
    """

    potential: str
    weights_sha256: str
    chemistry: str
    temperatures_K: tuple[float, float]
    formulas: int
    labels: int
    failed_share: float
    median_log10: float
    spread_log10: float


def benchmark_errors(potential: str) -> tuple[BenchmarkError, ...]:
    """Return the disagreement of a potential with AIMD in each class of compounds, ``all`` last; empty without any."""
    return tuple(error for error in _measured() if error.potential == potential)


@cache
def _measured() -> tuple[BenchmarkError, ...]:
    text = files("vitrion_workflows.model_error").joinpath("aimd_errors.json").read_text(encoding="utf-8")
    rows = json.loads(text)["errors"]
    return tuple(BenchmarkError(**{**row, "temperatures_K": tuple(row["temperatures_K"])}) for row in rows)
