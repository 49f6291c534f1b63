"""Shortest distances between atoms: one radius for each element, which no bond and no collision of ions undercuts.

The least distance of a pair is a share of the sum of two radii. Of alkali metals, which occur as closed-shell ions, the
radius is Shannon's for six-fold coordination (Acta Cryst. A32, 751 (1976)); of all others the smallest of the radii of
single, double and triple bonds by Pyykkö and Atsumi (Chem. Eur. J. 15, 186 and 12770 (2009)) and Pyykkö, Riedel and
Patzschke (11, 3511 (2005)). Of 19,000 computed crystals, and frames of ab initio molecular dynamics, one (Pu-Pu) has a
distance below 0.90 of that sum, sound melts at 2000 K have none below 0.83 (docs/design/cell-gates.md). N2, O2, C2H2
and quadruple bonds of metals are at 0.95 to 1.15: they are bonds, for `homonuclear` to count, and no overlaps.
"""

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import AtomicSystem, FloatArray

_RADII_A = """
H 0.32  He 0.46  Li 0.76  Be 0.85  B 0.73  C 0.60  N 0.54  O 0.53  F 0.53  Ne 0.67  Na 1.02  Mg 1.27
Al 1.11  Si 1.02  P 0.94  S 0.94  Cl 0.93  Ar 0.96  K 1.38  Ca 1.33  Sc 1.14  Ti 1.08  V 1.06  Cr 1.03
Mn 1.03  Fe 1.02  Co 0.96  Ni 1.01  Cu 1.12  Zn 1.18  Ga 1.17  Ge 1.11  As 1.06  Se 1.07  Br 1.09  Kr 1.08
Rb 1.52  Sr 1.39  Y 1.24  Zr 1.21  Nb 1.16  Mo 1.13  Tc 1.10  Ru 1.03  Rh 1.06  Pd 1.12  Ag 1.28  Cd 1.36
In 1.36  Sn 1.30  Sb 1.27  Te 1.21  I 1.25  Xe 1.22  Cs 1.67  Ba 1.49  La 1.39  Ce 1.31  Pr 1.28  Nd 1.37
Pm 1.35  Sm 1.34  Eu 1.34  Gd 1.32  Tb 1.35  Dy 1.33  Ho 1.33  Er 1.33  Tm 1.31  Yb 1.29  Lu 1.31  Hf 1.22
Ta 1.19  W 1.15  Re 1.10  Os 1.09  Ir 1.07  Pt 1.10  Au 1.21  Hg 1.33  Tl 1.42  Pb 1.35  Bi 1.35  Po 1.29
At 1.38  Rn 1.33  Fr 1.80  Ra 1.59  Ac 1.40  Th 1.36  Pa 1.29  U 1.18  Np 1.16  Pu 1.35  Am 1.35  Cm 1.36
Bk 1.39  Cf 1.40  Es 1.40  Fm 1.67  Md 1.39  No 1.76  Lr 1.41  Rf 1.31  Db 1.26  Sg 1.21  Bh 1.19  Hs 1.18
Mt 1.13  Ds 1.16  Rg 1.16  Cn 1.22  Nh 1.36  Fl 1.43  Mc 1.62  Lv 1.75  Ts 1.65  Og 1.57
"""
# Indexed by atomic number, shape (119,); no element has the number 0.
CONTACT_RADII_A: FloatArray = np.array([np.inf, *map(float, _RADII_A.split()[1::2])])

# Least distance over the sum of radii, of atoms at rest; collisions bring atoms nearer, more the hotter they are.
LEAST_RATIO = 0.90
THERMAL_DECREASE_PER_K = 0.04e-3
# Over twice the largest radius. Bonded atoms lie within the first, ions of salts within the second.
REACHES = (1.2, 2.0)
NO_CONTACT = f"no two atoms within {2 * REACHES[-1]:g} times the largest contact radius"


@dataclass(frozen=True)
class Contact:
    """A pair of atoms that are near each other.

    Attributes:
        ratio: distance over the sum of the two contact radii.
        distance_A: their distance.
        elements: the two symbols, sorted.
        atoms: their indices in the cell.
    """

    ratio: float
    distance_A: float
    elements: tuple[str, str]
    atoms: tuple[int, int]

    def __str__(self) -> str:
        """Return the pair with its distance, for messages."""
        return f"{'-'.join(self.elements)} at {self.distance_A:.2f} A, {self.ratio:.2f} of its contact radii"


def least_ratio(temperature_K: float = 0.0) -> float:
    """Return the least distance of two atoms over the sum of their contact radii.

    Args:
        temperature_K: of the run that the atoms are a frame of; zero for relaxed cells.
    """
    return LEAST_RATIO - THERMAL_DECREASE_PER_K * temperature_K


def closest_contact(system: AtomicSystem) -> Contact | None:
    """Find the pair of atoms with the least distance over the sum of its contact radii.

    Returns:
        The pair, images of one atom included; None where no two atoms lie within four times the largest radius.
    """
    radii_A = CONTACT_RADII_A[system.numbers]
    for reach in REACHES:
        reach_A = 2.0 * reach * float(radii_A.max())
        pairs = pairs_within(system.positions_A, system.lattice_A, reach_A, half=True, pbc=system.pbc)
        if len(pairs):
            break
    else:
        return None
    ratios = pairs.distances_A / radii_A[pairs.edge_index].sum(axis=0)
    closest = int(ratios.argmin())
    first, second = (int(atom) for atom in pairs.edge_index[:, closest])
    low, high = sorted(chemical_symbols[number] for number in system.numbers[[first, second]])
    return Contact(float(ratios[closest]), float(pairs.distances_A[closest]), (low, high), (first, second))
