"""Random packing of atoms in a cubic cell, the starting point of every melt.

The packing is done by atomate2's `get_random_packed_structure` (packmol): with a numeric volume it needs no network,
and cells of 48-64 atoms take 0.02-1.2 s (nine lithium compounds at the density of their crystals and 15 % above it).
Three of its properties are worked around: it looks for `packmol` on the PATH, while the PyPI package keeps it among
its own files; it keeps all pairs 2.0 A apart whatever the elements, so that dense cells of small atoms can fail (the
positions are then drawn at random) and larger ones come bonded to their like (`push_apart` separates both to distances
by pair); and its import takes three seconds.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import TimeoutExpired

import numpy as np
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.soft_sphere import SOFT_CONTACTS_A, push_apart
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.structure.composition import cell_contents
from vitrion_workflows.structure.homonuclear import BOND_REACH_A

# No packing begins with a bond between like atoms: where the compound has such, its melt forms them.
PACKING_CONTACTS_A: FloatArray = np.maximum(SOFT_CONTACTS_A, np.diag(BOND_REACH_A))


@dataclass(frozen=True, eq=False)
class PackedCell:
    """A random packing.

    Attributes:
        system: cubic cell, atoms sorted by atomic number.
        packer: ``packmol``, or ``soft-sphere`` where packmol found no arrangement.
    """

    system: AtomicSystem
    packer: str


def pack(formula: str, *, n_atoms: int, volume_A3_per_atom: float, seed: int) -> PackedCell:
    """Pack an integer number of formula units at random in a cubic cell.

    Args:
        formula: chemical formula.
        n_atoms: target number of atoms; the nearest integer number of formula units is taken.
        volume_A3_per_atom: volume per atom, usually 1.1-1.2 times that of the crystal.
        seed: the same seed gives the same cell.

    Raises:
        InputError: bad formula, or a volume that is not a positive number.
    """
    contents = cell_contents(formula, n_atoms=n_atoms)
    if not (np.isfinite(volume_A3_per_atom) and volume_A3_per_atom > 0):
        raise InputError(f"{formula}: the volume per atom must be a positive number, not {volume_A3_per_atom}")
    packed = _pack_with_packmol(contents, volume_A3_per_atom, seed)
    if packed is not None:
        return PackedCell(packed, "packmol")
    return PackedCell(_pack_soft_spheres(contents, volume_A3_per_atom, seed), "soft-sphere")


def _pack_with_packmol(contents: dict[str, int], volume_A3_per_atom: float, seed: int) -> AtomicSystem | None:
    from atomate2.common.jobs.mpmorph import get_random_packed_structure  # noqa: PLC0415 - three seconds of imports

    with _packmol_on_path(), warnings.catch_warnings():
        # pymatgen's runner calls monty's deprecated `cd`.
        warnings.filterwarnings("ignore", message="cd is deprecated", category=FutureWarning)
        warnings.filterwarnings("ignore", message="cd is deprecated", category=DeprecationWarning)
        try:
            packed = get_random_packed_structure(
                Composition(contents),
                target_atoms=sum(contents.values()),
                vol_per_atom_source=float(volume_A3_per_atom),
                packmol_seed=seed % (2**31 - 1) + 1,
            )
        except (ValueError, RuntimeError, FileNotFoundError, TimeoutExpired):
            # No arrangement found in the given room (pymatgen raises ValueError) or in pymatgen's 30 s, or no program
            # for this platform.
            return None
    if not isinstance(packed, Structure):
        return None
    system = system_from_structure(packed)
    order = np.argsort(system.numbers, kind="stable")
    packed_system = AtomicSystem(system.numbers[order], system.positions_A[order], system.lattice_A)
    return push_apart(packed_system, contacts_A=PACKING_CONTACTS_A, seed=seed)


@contextmanager
def _packmol_on_path() -> Iterator[None]:
    from packmol.cli import get_binary_path  # noqa: PLC0415 - beside atomate2's import

    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{get_binary_path().parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _pack_soft_spheres(contents: dict[str, int], volume_A3_per_atom: float, seed: int) -> AtomicSystem:
    numbers = np.sort(np.concatenate([np.full(count, Element(symbol).Z) for symbol, count in contents.items()]))
    edge_A = (volume_A3_per_atom * len(numbers)) ** (1.0 / 3.0)
    positions = np.random.default_rng(seed).uniform(0.0, edge_A, size=(len(numbers), 3))
    return push_apart(AtomicSystem(numbers, positions, edge_A * np.eye(3)), contacts_A=PACKING_CONTACTS_A, seed=seed)
