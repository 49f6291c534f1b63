"""Orderings of disordered crystals: compositions, energies and numbers that are known from outside."""

import os
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Lattice, Structure
from pymatgen.core.structure import Structure as Crystal

from vitrion_models.errors import InputError
from vitrion_workflows.candidates import order
from vitrion_workflows.candidates.ordering import choose_supercell
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.structure.contacts import closest_contact

EDGE_A = 2.8
MADELUNG_ROCK_SALT = 1.747564594633
COULOMB_eV_A = 14.3996454784


def mixed(**occupancies: float) -> Crystal:
    return Structure(Lattice.cubic(EDGE_A), [occupancies], [[0, 0, 0]])


def test_the_lowest_energy_of_alternating_charges_is_that_of_rock_salt():
    orderings = order(mixed(Na=0.5, Cl=0.5), n=2, supercell=(2, 2, 2), method="ewald")
    expected = -4 * MADELUNG_ROCK_SALT * COULOMB_eV_A / EDGE_A
    assert orderings[0].ewald_energy_eV == pytest.approx(expected, rel=1e-5)
    assert orderings[0].ewald_energy_eV < orderings[1].ewald_energy_eV


def test_energies_are_those_of_pymatgen():
    for ordering in order(mixed(Na=0.5, Cl=0.5), n=2, supercell=(2, 2, 2), method="ewald"):
        charged = ordering.structure.copy().add_oxidation_state_by_element({"Na": 1, "Cl": -1})
        assert ordering.ewald_energy_eV == pytest.approx(EwaldSummation(charged).total_energy, rel=1e-6)


def test_every_ordering_that_differs_by_symmetry_is_found_once():
    """Four of the eight corners of a cube can be chosen in six ways (Polya, with reflections)."""
    orderings = order(mixed(Na=0.5, Cl=0.5), n=20, supercell=(2, 2, 2))
    assert len(orderings) == 6
    assert len({fingerprint(each.structure) for each in orderings}) == 6


@pytest.mark.parametrize("method", ["random", "ewald"])
def test_isotopes_on_a_shared_site_are_placed_and_counted(method):
    """Of eight anion sites six hold deuterium and two hydrogen; in ionic terms all are alike."""
    crystal = Structure(Lattice.cubic(2.6), [{"Li": 1}, {"D": 0.75, "H": 0.25}], [[0, 0, 0], [0.5] * 3])
    orderings = order(crystal, n=3, supercell=(2, 2, 2), method=method)
    for ordering in orderings:
        system = system_from_structure(ordering.structure)
        counts = Counter(np.round(system.masses_u, 3).tolist())
        assert counts == {6.94: 8, 2.014: 6, 1.008: 2}
        assert Structure.from_dict(ordering.structure.as_dict()) == ordering.structure
        assert ordering.deviation == pytest.approx({"D": 0, "H": 0, "Li": 0})
    # Two of eight corners of a cube: along an edge, a face diagonal or the diagonal.
    assert len({fingerprint(each.structure) for each in orderings}) == 3


def test_light_lithium_on_partly_filled_sites_stays_light():
    crystal = Structure(Lattice.cubic(EDGE_A), [{"Li": 0.5}], [[0, 0, 0]], site_properties={"mass_u": [6.015]})
    (ordering,) = order(crystal, supercell=(2, 2, 2))
    assert system_from_structure(ordering.structure).masses_u == pytest.approx([6.015] * 4)


def test_vacancies_are_left_empty_and_rounding_is_recorded():
    (ordering,) = order(mixed(Li=0.7), supercell=(2, 2, 2))
    assert ordering.structure.composition.as_dict() == {"Li": 6}  # of 5.6
    assert ordering.deviation == pytest.approx({"Li": 0.4})


def test_what_rounding_leaves_over_goes_to_the_next_sites_of_the_element():
    crystal = Structure(
        Lattice.cubic(6.0),
        [{"Li": 0.4}, {"Li": 0.35}, {"Li": 0.25}, {"Cl": 1}],
        np.eye(4, 3, 1) * 0.5 + np.eye(4, 3) * 0,
    )
    (ordering,) = order(crystal, supercell=(1, 1, 1))
    assert ordering.structure.composition.as_dict() == {"Li": 1, "Cl": 1}
    assert ordering.deviation == pytest.approx({"Li": 0, "Cl": 0})


def test_split_sites_are_never_both_filled():
    split = Structure(
        Lattice.cubic(4.0), [{"Li": 0.5}, {"Li": 0.5}, {"Cl": 1}], [[0, 0, 0.05], [0, 0, -0.05], [0.5] * 3]
    )
    for ordering in order(split, n=4, supercell=(2, 2, 2)):
        assert ordering.structure.composition.as_dict() == {"Li": 8, "Cl": 8}
        # Chlorine around lithium at half the body diagonal; the split sites are 0.4 A apart.
        assert closest_contact(system_from_structure(ordering.structure)).distance_A > 3.2


def test_the_seed_decides():
    crystal = mixed(Na=0.5, K=0.5)
    first, again, other = (order(crystal, supercell=(3, 3, 2), seed=seed)[0].structure for seed in (1, 1, 2))
    assert fingerprint(first) == fingerprint(again) != fingerprint(other)


def test_supercells_are_compact_and_near_the_size():
    assert choose_supercell(mixed(Na=0.5, Cl=0.5), atoms=27) == (3, 3, 3)
    flat = Structure(Lattice.tetragonal(3.0, 12.0), [{"Li": 0.5}], [[0, 0, 0]])
    a, b, c = choose_supercell(flat, atoms=8)
    assert a == b > c


@pytest.mark.parametrize(
    ("crystal", "options", "says"),
    [
        (Structure(Lattice.cubic(3.0), ["Li"], [[0, 0, 0]]), {}, "nothing to order"),
        (mixed(Li=0.5), {"supercell": (50, 50, 50)}, "sites"),
        (mixed(Li=0.5), {"supercell": (0, 1, 1)}, "positive"),
        (mixed(Li=0.5), {"atoms": 10**9}, "at most"),
        (mixed(Li=0.5), {"n": 0}, "orderings"),
        (mixed(Li=0.5, Na=0.5), {"method": "ewald", "supercell": (2, 2, 2)}, "charges"),
        (Structure(Lattice.cubic(2.0), [{"Li": 0.9}] * 2, [[0, 0, 0], [0, 0, 0.2]]), {"atoms": 8}, "apart"),
    ],
)
def test_what_cannot_be_ordered_is_refused(crystal, options, says):
    with pytest.raises(InputError, match=says):
        order(crystal, **options)


@pytest.mark.data
def test_real_disordered_conductors_keep_their_compositions(tmp_path):
    """OBELiX: argyrodite, NASICON and garnet; integer amounts within one atom of the stated ones, and no contacts."""
    archive = ZipFile(Path(os.environ["VITRION_DATA_MIRROR"]) / "obelix" / "all_cifs.zip")
    counts = Counter()
    for name in ("122", "019", "20k"):
        path = tmp_path / f"{name}.cif"
        path.write_bytes(archive.read(f"all_randomized_cifs/{name}.cif"))
        (crystal,) = read_structures(path)
        for ordering in order(crystal, n=2, atoms=60):
            assert max(map(abs, ordering.deviation.values())) < 1
            stated = crystal.composition * int(np.prod(ordering.supercell))
            assert len(ordering.structure) == pytest.approx(stated.num_atoms, abs=1)
            counts[name] += 1
    assert counts == {"122": 2, "019": 2, "20k": 2}
