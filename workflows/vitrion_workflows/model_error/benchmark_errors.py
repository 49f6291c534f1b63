"""Deviation of potentials from ab initio molecular dynamics, by class of compounds.

The figures are measured by `benchmarks/aimd.py`, stored in `aimd_errors.json` and explained in
docs/design/aimd-comparison.md. They are systematic: a longer run does not reduce them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HALOGENS = frozenset({"F", "Cl", "Br", "I"})
OXOANION_FORMERS = frozenset({"B", "C", "N", "Si", "Ge", "P", "As", "S", "Se", "Te", "I"})
CHALCOGENS = frozenset({"S", "Se", "Te"})
PNICTOGENS = frozenset({"N", "P", "As", "Sb", "Bi"})
TETRELS = frozenset({"B", "C", "Si", "Ge", "Sn", "Pb"})
EVERY_CLASS = "all"


@dataclass(frozen=True, kw_only=True)
class BenchmarkError:
    """Disagreement of one potential with ab initio molecular dynamics, in one class of compounds.

    Attributes:
        potential: registry name.
        weights_sha256: of the weights that were compared.
        chemistry: see `anion_class`, or ``all``.
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


def anion_class(elements: Collection[str]) -> str:
    """Return the class of a compound by its anions; of several that apply, the first.

    Oxoanion (oxygen with a non-metal), halide, oxide, chalcogenide, pnictide, tetrelide, alloy.

    Args:
        elements: chemical symbols of the compound.

    Example:
        >>> anion_class({"Li", "P", "O"}), anion_class({"Li", "P", "S"}), anion_class({"Li", "Mg"})
        ('oxoanion', 'chalcogenide', 'alloy')
    """
    symbols = frozenset(elements)
    rules = (
        ("oxoanion", "O" in symbols and bool(symbols & OXOANION_FORMERS)),
        ("halide", bool(symbols & HALOGENS)),
        ("oxide", "O" in symbols),
        ("chalcogenide", bool(symbols & CHALCOGENS)),
        ("pnictide", bool(symbols & PNICTOGENS)),
        ("tetrelide", bool(symbols & TETRELS)),
    )
    return next((name for name, applies in rules if applies), "alloy")


def benchmark_errors(potential: str) -> tuple[BenchmarkError, ...]:
    """Return the disagreement of a potential with AIMD in each class of compounds, ``all`` last; empty without any."""
    return tuple(error for error in _measured() if error.potential == potential)


@cache
def _measured() -> tuple[BenchmarkError, ...]:
    text = files("vitrion_workflows.model_error").joinpath("aimd_errors.json").read_text(encoding="utf-8")
    rows = json.loads(text)["errors"]
    return tuple(BenchmarkError(**{**row, "temperatures_K": tuple(row["temperatures_K"])}) for row in rows)
