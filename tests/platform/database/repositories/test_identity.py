"""Identity: one fingerprint for one cell however it is written, and another for another cell."""

import io

import numpy as np
import pytest
from ase.io import read
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar
from scipy.spatial.transform import Rotation

from vitrion.database.repositories.cells import arrays_of
from vitrion.database.repositories.new_structures import is_same_cell, marker, marker_tolerance
from vitrion_workflows.formats import cif as cif_files
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import (
    atoms_from_system,
    structure_from_system,
    system_from_atoms,
    system_from_structure,
)

SEED = st.integers(0, 2**32 - 1)


def random_cell(seed, *, disordered=False):
    rng = np.random.default_rng(seed)
    lattice = Lattice.from_parameters(*rng.uniform(5, 15, 3), *rng.uniform(65, 115, 3))
    count = int(rng.integers(2, 30))
    elements = rng.choice(["Li", "Na", "P", "S", "Cl", "O", "Si"], size=count)
    species = [{name: 0.5, "K": 0.25} for name in elements] if disordered else list(elements)
    return Structure(lattice, species, rng.random((count, 3)))


def is_one(first, second):
    """The database's own rule: the same fingerprint, or the same cell across a rounding boundary."""
    return fingerprint(first) == fingerprint(second) or is_same_cell(arrays_of(first), arrays_of(second))


@settings(max_examples=60, deadline=None)
@given(seed=SEED, disordered=st.booleans())
def test_order_images_and_orientation_do_not_matter(seed, disordered):
    cell = random_cell(seed, disordered=disordered)
    rng = np.random.default_rng(seed + 1)
    order = rng.permutation(len(cell))
    turn = Rotation.random(random_state=seed).as_matrix()
    images = rng.integers(-2, 3, (len(cell), 3))
    again = Structure(
        Lattice(cell.lattice.matrix @ turn.T),
        [cell[int(place)].species for place in order],
        (cell.frac_coords + images)[order],
    )
    assert is_one(cell, again)
    first, second = arrays_of(cell), arrays_of(again)
    assert abs(marker(first) - marker(second)) <= marker_tolerance(first)


@settings(max_examples=40, deadline=None)
@given(seed=SEED)
@example(seed=264)  # an atom within 1e-4 of a third of the cell
@example(seed=345)  # one atom of each: half a formula unit of Li2O2
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")
def test_text_formats_keep_the_identity(tmp_path_factory, seed):
    cell = random_cell(seed)
    written = tmp_path_factory.mktemp("cif") / "cell.cif"
    written.write_text(str(CifWriter(cell, significant_figures=8)))
    (cif,) = [entry.structure for entry in cif_files.read(written)]  # atoms at random may lie on each other
    poscar = Poscar.from_str(Poscar(cell.get_sorted_structure()).get_str(significant_figures=12)).structure
    target = io.StringIO()
    from ase.io import write

    write(target, atoms_from_system(system_from_structure(cell)), format="extxyz")
    target.seek(0)
    extxyz = structure_from_system(system_from_atoms(read(target, format="extxyz")))
    for back in (cif, poscar, extxyz):
        assert is_one(cell, back)


@settings(max_examples=60, deadline=None)
@given(seed=SEED, size=st.floats(2e-2, 1.0), place=st.integers(0, 10))
def test_a_moved_atom_a_strained_cell_or_another_element_is_another_cell(seed, size, place):
    cell = random_cell(seed)
    moved = cell.copy()
    moved.translate_sites([place % len(cell)], [size, 0, 0], frac_coords=False)
    strained = cell.copy().apply_strain(0.01)
    exchanged = cell.copy()
    exchanged.replace(0, "Br")
    for other in (moved, strained, exchanged):
        assert fingerprint(other) != fingerprint(cell)
        assert not is_same_cell(arrays_of(cell), arrays_of(other))


@settings(max_examples=30, deadline=None)
@given(seed=SEED)
def test_arrays_and_pymatgen_give_one_fingerprint_and_density(seed):
    cell = random_cell(seed)
    system = system_from_structure(cell)
    assert arrays_of(cell).fingerprint == fingerprint(cell)
    assert is_one(structure_from_system(system), cell)
    assert arrays_of(system).amounts == arrays_of(cell).amounts
    assert arrays_of(system).volume_A3 == pytest.approx(cell.volume)


def test_a_fingerprint_does_not_change_between_versions():
    # Stored databases name their structures by it: if this fails, the schema version must rise.
    halite = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert fingerprint(halite) == "5bd5dab850f8a07d5924ef7e9c337f62ca7455d1360d83c3a5e6429b114fcecf"
