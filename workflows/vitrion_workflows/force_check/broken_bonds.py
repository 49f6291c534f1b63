"""Bonds between atoms of one element that a reference potential breaks as soon as it relaxes the frame.

P-P in Li3P has the same length under both potentials and hardly a force along it: only what the atoms do next shows
that the reference has no such bond. Some steps downhill break half of those bonds, and none of LiP, which has them.
Which of them depends on the thermal frame: several frames of a run are relaxed, and their bonds are pooled.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.graphs.neighbours import NeighbourList
from vitrion_models.system import AtomicSystem
from vitrion_workflows.dynamics.relaxation import relax
from vitrion_workflows.force_check.denied_bonds import NO_BOND, lasting_bonds
from vitrion_workflows.force_check.evaluation import EvaluatedFrames
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.structure.homonuclear import BOND_REACH_A

STEPS_AT_REST = 40
RELAXED_FRAMES, STEPS_OF_A_FRAME = 3, 25
RELAXED_FORCE_eV_PER_A = 0.3
# A bond is broken beyond the longest bond by a tenth, so that none breaks by a hair.
BROKEN = 1.1
GREATEST_SHARE_AT_REST = 0.25
# Of runs whose bonds the reference's own dynamics keeps none of 42 broke; of Li3P's a quarter and more. A single one
# may break by chance.
GREATEST_SHARE_IN_A_RUN = 0.15
MOST_BY_CHANCE = 1


@dataclass(frozen=True)
class RelaxedBonds:
    """Lasting bonds of one element in the frames that were relaxed.

    Attributes:
        bonds: number of bonds, of all frames together.
        broken: pairs of atoms whose bond broke, by their indices.
        at_rest: the frame is a relaxed cell.
    """

    bonds: int
    broken: tuple[tuple[int, int], ...]
    at_rest: bool

    @property
    def share(self) -> float:
        """Return the share of the bonds that broke."""
        return len(self.broken) / self.bonds

    @property
    def greatest_share(self) -> float:
        """Return the greatest share that is not refused; in a run, which has thermal motion, one bond may break."""
        if self.at_rest:
            return GREATEST_SHARE_AT_REST
        return max(GREATEST_SHARE_IN_A_RUN, MOST_BY_CHANCE / self.bonds)


def measure_broken_bond(evaluated: EvaluatedFrames, *, reference: ForceField) -> Measurement:
    """Relax frames by the reference, and measure the share of their lasting bonds that break, of the worst element.

    Args:
        evaluated: frames by both potentials.
        reference: potential that relaxes; it is not run where the charges account for all lasting bonds.
    """
    relaxed = relax_bonds(evaluated, reference=reference)
    if not relaxed:
        return Measurement(name="broken_bond", passed=True, message=NO_BOND)
    number, worst = max(relaxed.items(), key=lambda item: item[1].share / item[1].greatest_share)
    symbol = chemical_symbols[number]
    named = "".join(f", {symbol} {first} - {symbol} {second} among them" for first, second in worst.broken[:1])
    return measurement_of(
        "broken_bond",
        worst.share,
        upper=worst.greatest_share,
        message=f"{reference.name} breaks {len(worst.broken)} of {worst.bonds} lasting {symbol}-{symbol} bonds "
        f"that the charges leave out{named}",
    )


def relax_bonds(evaluated: EvaluatedFrames, *, reference: ForceField) -> dict[int, RelaxedBonds]:
    """Relax up to three frames by the reference, as far apart as they can be, and find the lasting bonds that break.

    Args:
        evaluated: frames by both potentials; a single one is a relaxed cell.
        reference: potential that relaxes.

    Returns:
        By atomic number; nothing where the charges account for all lasting bonds.
    """
    lasting = lasting_bonds(evaluated)
    at_rest = len(evaluated) == 1
    steps = STEPS_AT_REST if at_rest else STEPS_OF_A_FRAME
    bonds: Counter[int] = Counter()
    broken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place in np.unique(np.linspace(0, len(evaluated) - 1, RELAXED_FRAMES).round().astype(int)):
        present = {number: frames[place] for number, frames in lasting.items() if len(frames[place])}
        if not present:
            continue
        frame = AtomicSystem(evaluated.numbers, evaluated.positions_A[place], evaluated.lattice_A)
        relaxed = relax(frame, reference, force_tolerance_eV_per_A=RELAXED_FORCE_eV_PER_A, max_steps=steps).system
        for number, pairs in present.items():
            bonds[number] += len(pairs)
            broken[number] += broken_pairs(pairs, relaxed, longest_A=BROKEN * float(BOND_REACH_A[number]))
    return {number: RelaxedBonds(bonds[number], tuple(broken[number]), at_rest) for number in bonds}


def broken_pairs(pairs: NeighbourList, relaxed: AtomicSystem, *, longest_A: float) -> list[tuple[int, int]]:
    """Return the pairs of atoms that are further apart in a relaxed cell than the longest bond.

    Args:
        pairs: bonds of the cell before.
        relaxed: the same cell after, in the same lattice.
        longest_A: longest bond.
    """
    first, second = pairs.edge_index
    vectors_A = relaxed.positions_A[second] - relaxed.positions_A[first] + pairs.shifts @ relaxed.lattice_A
    far = np.linalg.norm(vectors_A, axis=1) > longest_A
    return [(int(one), int(other)) for one, other in pairs.edge_index.T[far]]
