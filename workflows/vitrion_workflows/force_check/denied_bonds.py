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
NO_BOND = "no lasting bond that the charges leave out"


def measure_denied_bond(evaluated: EvaluatedFrames, limits_eV_per_A: FloatArray, *, reference: str) -> Measurement:
    """Compare the reference's mean force along lasting bonds that the charges do not account for with a limit.

    Args:
        evaluated: frames by both potentials.
        limits_eV_per_A: greatest mean repulsion of each atom's species, shape (N,): its thermal force in a run.
        reference: name of the reference potential.
    """
    judged = []
    for number, bonds in lasting_bonds(evaluated).items():
        symbol = chemical_symbols[number]
        pairs = zip(bonds, evaluated.reference_eV_per_A, strict=True)
        mean = float(np.concatenate([repulsion(frame, forces) for frame, forces in pairs]).mean())
        limit = float(limits_eV_per_A[evaluated.numbers == number][0])
        message = f"{symbol}-{symbol} {_describe(bonds)}: {reference} drives them apart by {mean:.1f} eV/A on average"
        judged.append((mean / limit, measurement_of("denied_bond", mean, upper=limit, unit="eV/A", message=message)))
    if not judged:
        return Measurement(name="denied_bond", passed=True, message=NO_BOND)
    return max(judged, key=lambda pair: pair[0])[1]


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


def _describe(bonds: list[NeighbourList]) -> str:
    pairs = {tuple(pair) for frame in bonds for pair in frame.edge_index.T.tolist()}
    first, second = min(pairs)
    others = f" and {len(pairs) - 1} more bonds" if len(pairs) > 1 else ""
    length_A = np.concatenate([frame.distances_A for frame in bonds]).mean()
    return f"of atoms {first} and {second}{others}, {length_A:.2f} A on average"
