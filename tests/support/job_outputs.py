"""Cells and labels as jobs return them, and the documents of a JobStore that hold them."""

import json

import plain_labels
from monty.json import MontyEncoder
from plain_labels import plain_label
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_workflows.schemas import (
    CellOutcome,
    CellProtocol,
    GateOutcome,
    Origin,
    StructureKind,
    fingerprint,
)

CRYSTAL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
METHOD = plain_labels.METHOD.model_copy(update={"potential": "wells", "weights_sha256": "ab" * 32})


def cell(number, *, accepted=True):
    glass = CRYSTAL.copy()
    glass.perturb(0.5, seed=number)
    return CellOutcome(
        structure=glass.as_dict(),
        fingerprint=fingerprint(glass),
        kind=StructureKind.AMORPHOUS,
        origin=Origin.MELT_QUENCH,
        accepted=accepted,
        gates=(GateOutcome(name="density", passed=accepted, value=2.0, unit="g/cm3"),),
        formula="LiCl",
        density_g_cm3=2.07,
        energy_eV_per_atom=-3.5,
        parent_fingerprint=fingerprint(CRYSTAL),
        protocol=CellProtocol(),
        method=METHOD,
        quench_rate_K_per_ps=550.0,
        seed=number,
        wall_seconds=1.5,
    )


def label(source, temperature_K, *, trajectory=None, **changes):
    given = {"value": 1e-4, "log10_stderr": 0.05, "trajectory_sha256": trajectory, "method": METHOD} | changes
    return plain_label(source.fingerprint, temperature_K=temperature_K, **given)


def document(uuid, output, *, hosts=("inner", "outer")):
    """What a JobStore hands back, after its trip through JSON."""
    stored = {"uuid": uuid, "index": 1, "output": output, "hosts": list(hosts), "metadata": {}, "name": "x"}
    return json.loads(json.dumps(stored, cls=MontyEncoder))
