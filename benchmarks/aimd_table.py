"""The AIMD table (Zheng et al., arXiv 2402.00177, MPContribs `amorphous_diffusivity`), and how formulas are drawn."""

import csv
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.volume_estimate import likely_charges

SMALLEST_CHARGE = 1e-6  # elementary charges per atom


@dataclass(frozen=True)
class Row:
    """One row of the AIMD table."""

    formula: str
    chemistry: str
    temperature_K: int
    aimd_cm2_per_s: float
    aimd_volume_A3_per_atom: float


def read_table(mirror: Path) -> list[Row]:
    """Read the AIMD table, in the Einstein convention and with the volume of the run."""
    folder = mirror / "aimd_li_diffusivity"
    with (folder / "feature_target.dat").open() as stream:
        volumes = [float(row["AAV"]) for row in csv.DictReader(stream, delimiter=" ")]
    with (folder / "labels_tidy.csv").open() as stream:
        labels = list(csv.DictReader(stream))
    return [
        Row(
            formula=label["formula"],
            chemistry=anion_class([element.symbol for element in parse_formula(label["formula"]).elements]),
            temperature_K=int(label["temperature_K"]),
            aimd_cm2_per_s=float(label["D_einstein_slope6_cm2_s"]),
            aimd_volume_A3_per_atom=volumes[int(label["row"])],
        )
        for label in labels
    ]


def draw(rows: Iterable[Row], *, formulas: int, seed: int) -> list[str]:
    """Draw formulas: the classes in turn, each in the order of a seeded shuffle."""
    rng = np.random.default_rng(seed)
    classes: dict[str, list[str]] = {}
    for formula, name in sorted({(row.formula, row.chemistry) for row in rows}):
        classes.setdefault(name, []).append(formula)
    shuffled = [list(rng.permutation(classes[name])) for name in sorted(classes)]
    turns = itertools.zip_longest(*shuffled)
    return [str(formula) for turn in turns for formula in turn if formula is not None][:formulas]


def charge_balanced(formula: str) -> bool:
    """Return True if common oxidation states of the elements add up to zero: a salt rather than an alloy."""
    composition = parse_formula(formula)
    charges = likely_charges(composition)
    if charges is None:
        return False
    total = sum(composition[symbol] * charge for symbol, charge in charges.items())
    return abs(total) < SMALLEST_CHARGE * composition.num_atoms
