"""Isotopes: one mass for each site whatever the form of the structure, and an identity of their own."""

import numpy as np
import pytest
from ase import Atoms
from pymatgen.core import Element, Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, standard_masses_u
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import (
    atoms_from_system,
    explicit_isotopes,
    isotope_masses,
    structure_from_system,
    system_from_atoms,
    system_from_structure,
    with_masses,
)
from vitrion_workflows.schemas.isotopes import element_of, isotope_symbol, mass_of, site_occupancies

# Atomic masses in u: AME 2020.
D, T, LI6, LI7, O16, O18, C12, SI28 = 2.014102, 3.016049, 6.015123, 7.016003, 15.994915, 17.999160, 12.0, 27.976927

# Of the version before isotopes were distinguished: cells without them keep their identity.
STORED = {
    "chloride": "affffbfa12edbfd34ff503710a4c6843d8088fd8b7989237cffd57b241ec5635",
    "hydride": "f8dab81971592a54df58396b1b0e8eb275e172631979dfef2fe57cc42aec7c12",
    "disordered": "ca130a9af7caf3f8ae027455ea6f744124073f3273b13c58c9f92e1ca39bd62f",
    "random": "1b6ba8d2612a91d1794e007c9454e8d96429b3ef3ba2c1cd79be0fb9ce93dcdf",
}


def halite(cation, anion, edge_A=4.08):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), [cation, anion], [[0, 0, 0], [0.5] * 3])


def test_cells_without_isotopes_keep_their_stored_identity():
    assert fingerprint(halite("Li", "Cl", 5.13)) == STORED["chloride"]
    assert fingerprint(halite("Li+", "Cl-", 5.13)) == STORED["chloride"]
    assert fingerprint(halite("Li", "H")) == STORED["hydride"]
    sites = [{"Li": 0.5, "Na": 0.25}, {"Li+": 0.5, "K+": 0.5}, "Cl-"]
    places = [[0, 0, 0], [0.5] * 3, [0.1, 0.2, 0.3]]
    assert fingerprint(Structure(Lattice.cubic(5.13), sites, places)) == STORED["disordered"]
    lattice = Lattice.from_parameters(8, 9, 10, 80, 95, 100)
    random = Structure(lattice, ["Li", "P", "S", "O", "H", "C"] * 3, np.random.default_rng(7).random((18, 3)))
    assert fingerprint(random) == STORED["random"]


@pytest.mark.parametrize(
    ("element", "mass_u", "symbol"),
    [
        ("H", 1.008, "H"),
        ("H", 1.00794, "H"),
        ("H", D, "D"),
        ("H", float(Element("D").atomic_mass), "D"),
        ("H", T, "T"),
        ("H", 3.024, "H@3.024"),
        ("Li", 6.94, "Li"),
        ("Li", 6.941, "Li"),
        ("Li", 7.010, "Li"),  # of VASP
        ("Li", LI6, "Li@6.015"),
        ("Li", LI7, "Li@7.016"),
        ("O", O16, "O"),
        ("O", O18, "O@17.999"),
        ("C", C12, "C"),
        ("Si", SI28, "Si@27.977"),
        ("Zn", 65.409, "Zn"),
        ("Se", 78.96, "Se"),
    ],
)
def test_masses_are_isotopes_beyond_the_scatter_of_tables(element, mass_u, symbol):
    assert isotope_symbol(element, mass_u) == symbol
    assert element_of(symbol) == element
    assert mass_of(symbol) == pytest.approx(mass_u, rel=0.0101 if mass_u == 7.010 else 1.1e-3)
    assert isotope_symbol(element, mass_of(symbol)) == symbol


def test_standard_weights_of_pymatgen_and_ase_agree_within_tolerance():
    """But for polonium and radon, for which pymatgen has the mass number of another isotope."""
    symbols = [str(Element.from_Z(number)) for number in range(1, 104)]
    assert [name for name in symbols if isotope_symbol(name, float(Element(name).atomic_mass)) != name] == ["Po", "Rn"]


@pytest.mark.parametrize("mass_u", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_masses_are_refused(mass_u):
    with pytest.raises(InputError, match="mass"):
        isotope_symbol("Li", mass_u)
    with pytest.raises(InputError, match="masses"):
        AtomicSystem([3], [[0, 0, 0]], np.eye(3), masses_u=np.array([mass_u]))


@pytest.mark.parametrize("mass_u", [1.2e-26, 0.05, 6015.0, 1e9])
def test_masses_in_other_units_are_refused(mass_u):
    with pytest.raises(InputError, match="mass"):
        isotope_symbol("Li", mass_u)


def test_isotopes_are_told_apart_and_have_one_identity_in_every_form():
    hydride, deuteride = halite("Li", "H"), halite("Li", "D")
    masses = np.where(np.array(hydride.atomic_numbers) == 1, 2.0141017778, 6.94)
    forms = [
        deuteride,
        halite("Li+", "D-"),
        explicit_isotopes(deuteride),
        with_masses(hydride, masses),
        Structure.from_dict(explicit_isotopes(deuteride).as_dict()),
        structure_from_system(system_from_structure(deuteride)),
        structure_from_system(system_from_atoms(atoms_from_system(system_from_structure(deuteride)))),
    ]
    assert len({fingerprint(each) for each in forms}) == 1
    for each in forms:
        assert isotope_masses(each) == pytest.approx(np.where(np.array(each.atomic_numbers) == 1, D, 6.94))
    others = [hydride, halite("Li", "T"), with_masses(hydride, np.where(np.arange(8) < 4, LI6, 1.008))]
    assert len({fingerprint(each) for each in [deuteride, *others]}) == 4


def test_the_place_of_an_isotope_matters():
    lopsided = Structure(Lattice.cubic(4.0), ["Li", "H", "H"], [[0, 0, 0], [0.3, 0, 0], [0.6, 0.1, 0]])
    masses = np.array([6.94, D, 1.008]), np.array([6.94, 1.008, D])
    assert fingerprint(with_masses(lopsided, masses[0])) != fingerprint(with_masses(lopsided, masses[1]))


def test_standard_masses_leave_no_trace():
    hydride = halite("Li", "H")
    plain = with_masses(hydride, np.where(np.array(hydride.atomic_numbers) == 1, 1.00794, 6.941))
    assert isotope_masses(plain) is None
    assert plain.site_properties == {}
    assert explicit_isotopes(hydride) is hydride
    assert not system_from_structure(plain).has_isotopes
    atoms = Atoms("LiH", positions=[[0, 0, 0], [0, 0, 2]], cell=[4, 4, 4], pbc=True, masses=[6.941, 1.00794])
    assert not system_from_atoms(atoms).has_isotopes
    # Masses that a structure had before give way to the new ones.
    assert fingerprint(with_masses(explicit_isotopes(halite("Li", "D")), plain_masses(hydride))) == STORED["hydride"]


def plain_masses(structure):
    return standard_masses_u(np.array(structure.atomic_numbers))


def test_supercells_and_sorted_structures_keep_masses():
    cell = with_masses(halite("Li", "H"), np.where(np.arange(8) == 5, D, plain_masses(halite("Li", "H"))))
    for changed, count in ((cell * [2, 1, 1], 2), (cell.get_sorted_structure(), 1)):
        system = system_from_structure(changed)
        assert np.count_nonzero(np.isclose(system.masses_u, D)) == count
        assert set(system.numbers[np.isclose(system.masses_u, D)].tolist()) == {1}


def test_a_site_shared_by_hydrogen_and_deuterium_is_disordered_and_keeps_both():
    shared = Structure(Lattice.cubic(4.08), [{"D": 0.9, "H": 0.1}, "Li"], [[0, 0, 0], [0.5] * 3])
    assert site_occupancies(shared[0]) == {"D": 0.9, "H": 0.1}
    ordinary = Structure(Lattice.cubic(4.08), ["H", "Li"], [[0, 0, 0], [0.5] * 3])
    assert fingerprint(shared) != fingerprint(ordinary)
    assert explicit_isotopes(shared) is shared
    with pytest.raises(InputError, match="order it"):
        system_from_structure(shared)
