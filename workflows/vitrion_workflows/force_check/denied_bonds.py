"""Bonds between atoms of one element that a reference potential drives apart.

N2 in a nitride or a pair of metal atoms in an oxide may be a potential's invention. Where a bond lasts, its mean force
under the potential that runs is zero; under a reference that has the bond, too, it is small. A mean reference force
well above the thermal forces of the species says that the reference does not have this bond.

A stiff bond swings by more than that, and under both potentials alike: the mean of the difference of the two forces is
that of the reference's, with a third of its scatter over five frames (docs/design/force-check.md).
"""

from collections import Counter, defaultdict

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.graphs.neighbours import NeighbourList
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, repulsion
from vitrion_workflows.force_check.holes import thermal_forces
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.structure.homonuclear import accounted_bonds, composition_of, homonuclear_bonds

# Greatest repulsion of a bond in a relaxed cell, and in a run over the thermal force of the species.
GREATEST_REPULSION_AT_REST_eV_PER_A = 1.5
GREATEST_REPULSION_IN_A_RUN = 1.7
# A bond lasts if it is there in so many frames (in the one frame of a cell, if it is there).
LASTING_FRAMES = 2
NO_BOND = "no lasting bond that the charges leave out"


def measure_denied_bond(evaluated: EvaluatedFrames, limits_eV_per_A: FloatArray, *, reference: str) -> Measurement:
    """Compare the mean force along lasting bonds that the charges do not account for, reference less production.

    Args:
        evaluated: frames by both potentials.
        limits_eV_per_A: greatest mean repulsion of a bond of each atom's species, shape (N,): `greatest_repulsions`
            in a run.
        reference: name of the reference potential.
    """
    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for bonds in lasting_bonds(evaluated).values():
        for frame, forces in zip(bonds, evaluated.reference_eV_per_A - evaluated.forces_eV_per_A, strict=True):
            pushes = repulsion(frame, forces).tolist()
            for (first, second), push, distance in zip(
                frame.edge_index.T.tolist(), pushes, frame.distances_A.tolist(), strict=True
            ):
                rows[first, second].append((push, distance))
    if not rows:
        return Measurement(name="denied_bond", passed=True, message=NO_BOND)
    # Each bond by itself: others of the right length would hide it in a mean over the element.
    means = {pair: np.mean(values, axis=0) for pair, values in rows.items()}
    first, second = max(means, key=lambda pair: means[pair][0] / limits_eV_per_A[pair[0]])
    push, distance = means[first, second].tolist()
    symbol = chemical_symbols[evaluated.numbers[first]]
    return measurement_of(
        "denied_bond",
        push,
        upper=float(limits_eV_per_A[first]),
        unit="eV/A",
        message=f"{symbol} {first} - {symbol} {second} at {distance:.2f} A, of {len(rows)} such bonds: "
        f"{reference} drives them apart by {push:.1f} eV/A more than the potential of the run",
    )


def greatest_repulsions(evaluated: EvaluatedFrames) -> FloatArray:
    """Return the greatest mean repulsion of a bond of each atom's species in a run, eV/A, shape (N,)."""
    return GREATEST_REPULSION_IN_A_RUN * thermal_forces(evaluated)


def lasting_bonds(evaluated: EvaluatedFrames) -> dict[int, list[NeighbourList]]:
    """Return the lasting bonds of each frame, by atomic number, of elements with more than the charges account for."""
    systems = [AtomicSystem(evaluated.numbers, positions, evaluated.lattice_A) for positions in evaluated.positions_A]
    accounted = accounted_bonds(composition_of(systems[0]))
    if accounted is None:
        return {}
    bonds = [homonuclear_bonds(system) for system in systems]
    lasting = {}
    for number in np.unique(evaluated.numbers).tolist():
        of_element = [frame.where(evaluated.numbers[frame.edge_index[0]] == number) for frame in bonds]
        if np.mean([len(frame) for frame in of_element]) > accounted.get(chemical_symbols[number], 0.0):
            kept = _lasting(of_element)
            if any(len(frame) for frame in kept):
                lasting[number] = kept
    return lasting


def _lasting(bonds: list[NeighbourList]) -> list[NeighbourList]:
    frames_of = Counter(pair for frame in bonds for pair in {tuple(pair) for pair in frame.edge_index.T.tolist()})
    lasting = {pair for pair, frames in frames_of.items() if frames >= min(LASTING_FRAMES, len(bonds))}
    return [
        frame.where(np.array([tuple(pair) in lasting for pair in frame.edge_index.T.tolist()], dtype=bool))
        for frame in bonds
    ]
