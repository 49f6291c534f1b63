"""Bonds between atoms of one element that a reference potential breaks as soon as it relaxes the frame.

P-P in Li3P has the same length under both potentials and hardly a force along it: only what the atoms do next shows
that the reference has no such bond. Forty steps downhill break half of those bonds, and none of LiP, which has them.
"""

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.system import AtomicSystem
from vitrion_workflows.dynamics.relaxation import relax
from vitrion_workflows.force_check.denied_bonds import NO_BOND, lasting_bonds
from vitrion_workflows.force_check.evaluation import EvaluatedFrames
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.structure.homonuclear import BOND_REACH_A

RELAXATION_STEPS = 40
RELAXED_FORCE_eV_PER_A = 0.3
# A bond is broken beyond the longest bond by a tenth, so that none breaks by a hair.
BROKEN = 1.1
GREATEST_BROKEN_SHARE = 0.25


def measure_broken_bond(evaluated: EvaluatedFrames, *, reference: ForceField) -> Measurement:
    """Relax the last frame by the reference, and measure the share of lasting bonds that break, of the worst element.

    Args:
        evaluated: frames by both potentials.
        reference: potential that relaxes; it is not run where the charges account for all lasting bonds.
    """
    last = {number: bonds[-1] for number, bonds in lasting_bonds(evaluated).items() if len(bonds[-1])}
    if not last:
        return Measurement(name="broken_bond", passed=True, message=NO_BOND)
    frame = AtomicSystem(evaluated.numbers, evaluated.positions_A[-1], evaluated.lattice_A)
    relaxed = relax(
        frame, reference, force_tolerance_eV_per_A=RELAXED_FORCE_eV_PER_A, max_steps=RELAXATION_STEPS
    ).system
    shares = {}
    for number, bonds in last.items():
        first, second = bonds.edge_index
        vectors_A = relaxed.positions_A[second] - relaxed.positions_A[first] + bonds.shifts @ relaxed.lattice_A
        broken = np.linalg.norm(vectors_A, axis=1) > BROKEN * BOND_REACH_A[number]
        shares[number] = (float(broken.mean()), f"{int(broken.sum())} of {len(bonds)}")
    worst = max(shares, key=lambda number: shares[number][0])
    share, counted = shares[worst]
    symbol = chemical_symbols[worst]
    return measurement_of(
        "broken_bond",
        share,
        upper=GREATEST_BROKEN_SHARE,
        message=f"{reference.name} breaks {counted} lasting {symbol}-{symbol} bonds that the charges leave out",
    )
