"""Bonds between atoms of one element that a reference potential drives apart.

N2 in a nitride or a pair of metal atoms in an oxide may be a potential's invention. Where a bond lasts, its mean force
under the potential that runs is nearly zero; under a reference that has the bond, too, it is small. A mean reference
force as large as the thermal forces of the species says that the reference does not have this bond.
"""

from collections import Counter

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.graphs.neighbours import NeighbourList
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, repulsion
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.structure.homonuclear import accounted_bonds, composition_of, homonuclear_bonds

# Greatest mean repulsion in a relaxed cell; in a run it is the thermal force of the species.
GREATEST_REPULSION_AT_REST_eV_PER_A = 1.0
# A bond lasts if it is there in so many frames (in the one frame of a cell, if it is there).
LASTING_FRAMES = 2


def measure_denied_bond(evaluated: EvaluatedFrames, limits_eV_per_A: FloatArray, *, reference: str) -> Measurement:
    """Compare the reference's mean force along lasting bonds that the charges do not account for with a limit.

    Args:
        evaluated: frames by both potentials.
        limits_eV_per_A: greatest mean repulsion of each atom's species, shape (N,): its thermal force in a run.
        reference: name of the reference potential.
    """
    systems = [AtomicSystem(evaluated.numbers, positions, evaluated.lattice_A) for positions in evaluated.positions_A]
    accounted = accounted_bonds(composition_of(systems[0]))
    nothing = Measurement(name="denied_bond", passed=True, message="no lasting bond that the charges leave out")
    if accounted is None:
        return nothing
    bonds = [homonuclear_bonds(system) for system in systems]
    judged = []
    for number in np.unique(evaluated.numbers).tolist():
        symbol = chemical_symbols[number]
        of_element = [frame.where(evaluated.numbers[frame.edge_index[0]] == number) for frame in bonds]
        if np.mean([len(frame) for frame in of_element]) <= accounted.get(symbol, 0.0):
            continue
        forces, text = _lasting_repulsion(evaluated, of_element)
        if len(forces):
            limit, mean = float(limits_eV_per_A[evaluated.numbers == number][0]), float(forces.mean())
            message = f"{symbol}-{symbol} {text}: {reference} drives them apart by {mean:.1f} eV/A on average"
            judged.append(
                (mean / limit, measurement_of("denied_bond", mean, upper=limit, unit="eV/A", message=message))
            )
    return max(judged, key=lambda pair: pair[0])[1] if judged else nothing


def _lasting_repulsion(evaluated: EvaluatedFrames, bonds: list[NeighbourList]) -> tuple[FloatArray, str]:
    """Return the reference's force along each lasting bond of each frame, eV/A, and the bonds in words."""
    seen = Counter(pair for frame in bonds for pair in {tuple(pair) for pair in frame.edge_index.T.tolist()})
    lasting = {pair for pair, frames in seen.items() if frames >= min(LASTING_FRAMES, len(evaluated))}
    forces, lengths = [], []
    for frame, reference in zip(bonds, evaluated.reference_eV_per_A, strict=True):
        kept = frame.where(np.array([tuple(pair) in lasting for pair in frame.edge_index.T.tolist()], dtype=bool))
        forces.append(repulsion(kept, reference))
        lengths.append(kept.distances_A)
    if not lasting:
        return np.empty(0), ""
    first, second = min(lasting)
    others = f" and {len(lasting) - 1} more bonds" if len(lasting) > 1 else ""
    text = f"of atoms {first} and {second}{others}, {np.concatenate(lengths).mean():.2f} A on average"
    return np.concatenate(forces), text
