"""How far a potential's diffusivities lie from ab initio molecular dynamics, by chemistry: a measurement.

The figures are those of `benchmarks/aimd.py`, kept in `aimd_errors.json` beside this file and explained in
docs/design/aimd-comparison.md. They are a model error: they stay however long a label is run.
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
class ModelError:
    """Disagreement of one potential with ab initio molecular dynamics, in one class of compounds.

    Attributes:
        potential: registry name.
        weights_sha256: of the weights that were measured.
        chemistry: see `anion_class`, or ``all``.
        temperatures_K: lowest and highest of the melts.
        formulas: how many compounds stand behind the figures.
        labels: how many labels, one for each compound and temperature.
        failed_share: of the compounds that gave no label: boiled, no equilibrium volume, refused by the gates.
        median_log10: median of log10(D / D_AIMD), in decades; positive where the potential is too fast.
        spread_log10: half the width of the central 68 % of the same numbers, in decades.
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
    """Class of a compound by what its anions are; of several that apply, the first.

    Oxoanion (oxygen with a non-metal), halide, oxide, chalcogenide, pnictide, tetrelide, alloy.

    Args:
        elements: chemical symbols of the compound.

    Example:
        >>> anion_class({"Li", "P", "O"}), anion_class({"Li", "P", "S"}), anion_class({"Li", "Mg"})
        ('oxoanion', 'chalcogenide', 'alloy')
    """
    found = frozenset(elements)
    rules = (
        ("oxoanion", "O" in found and bool(found & OXOANION_FORMERS)),
        ("halide", bool(found & HALOGENS)),
        ("oxide", "O" in found),
        ("chalcogenide", bool(found & CHALCOGENS)),
        ("pnictide", bool(found & PNICTOGENS)),
        ("tetrelide", bool(found & TETRELS)),
    )
    return next((name for name, applies in rules if applies), "alloy")


def model_errors(potential: str) -> tuple[ModelError, ...]:
    """Every class in which a potential was measured, ``all`` last; empty where it was not."""
    return tuple(error for error in _measured() if error.potential == potential)


@cache
def _measured() -> tuple[ModelError, ...]:
    text = files("vitrion_workflows.potentials").joinpath("aimd_errors.json").read_text(encoding="utf-8")
    rows = json.loads(text)["errors"]
    return tuple(ModelError(**{**row, "temperatures_K": tuple(row["temperatures_K"])}) for row in rows)
