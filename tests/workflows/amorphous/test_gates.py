import gzip

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous import (
    CELL_GATES,
    CellReference,
    cell_reference,
    hidden_symmetry,
    orientational_coherence,
    push_apart,
    validate_cell,
)
from vitrion_workflows.amorphous.symmetry import lattice_operations
from vitrion_workflows.potentials import ForceResult
from vitrion_workflows.schemas import failed_gates
from vitrion_workflows.schemas.geometry import system_from_atoms
from vitrion_workflows.structure.volume_estimate import VolumeSource
from vitrion_workflows.validation.density_and_contacts import density_g_cm3

CRYSTALS = {
    "LiCl": bulk("LiCl", "rocksalt", a=5.13, cubic=True) * 2,
    "Li2O": bulk("OLi2", "fluorite", a=4.62, cubic=True) * 2,
    "CsCl": bulk("CsCl", "cesiumchloride", a=4.12, cubic=True) * 3,
    "ZnS": bulk("ZnS", "zincblende", a=5.41, cubic=True) * 2,
    "Si": bulk("Si", "diamond", a=5.43, cubic=True) * 2,
    "Na": bulk("Na", "bcc", a=4.29, cubic=True) * 3,
}
SALT = CellReference(16.9, VolumeSource.TWIN, energy_eV_per_atom=-3.4)


def rattled(name, width_A, seed):
    system = system_from_atoms(CRYSTALS[name])
    noise = np.random.default_rng(seed).normal(0, width_A, system.positions_A.shape)
    return AtomicSystem(system.numbers, system.positions_A + noise, system.lattice_A)


def random_salt(seed, edge_A=10.2, pairs=28):
    rng = np.random.default_rng(seed)
    numbers = np.array([3] * pairs + [17] * pairs)
    return push_apart(AtomicSystem(numbers, rng.uniform(0, edge_A, (2 * pairs, 3)), edge_A * np.eye(3)), seed=seed)


def failed(system, **settings):
    return failed_gates(validate_cell(system, **{"reference": SALT, **settings}))


@pytest.mark.parametrize("seed", range(8))
def test_a_disordered_cell_passes(seed):
    assert failed(random_salt(seed)) == ()


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("width_A", [0.0, 0.1, 0.25])
def test_a_crystal_with_thermal_noise_is_recognised(name, width_A):
    for seed in range(3):
        crystal = rattled(name, width_A, seed)
        assert orientational_coherence(crystal) > 6.0
        assert hidden_symmetry(crystal) > 0.47


def test_a_crystal_fails_the_order_gates_and_no_other():
    assert failed(rattled("LiCl", 0.15, 1)) == ("orientational_order", "hidden_symmetry")


def test_a_gas_fails_the_density_gate_and_no_other():
    assert failed(random_salt(1, edge_A=30.0)) == ("density",)


def test_a_squeezed_cell_fails_the_density_gate():
    glass = random_salt(1)
    squeezed = AtomicSystem(glass.numbers, 0.85 * glass.positions_A, 0.85 * glass.lattice_A)
    assert "density" in failed(squeezed)


def test_an_overlapping_cell_fails_the_distance_gate_and_no_other():
    glass = random_salt(2)
    positions = glass.positions_A.copy()
    positions[5] = positions[40] + [0.6, 0.0, 0.0]
    assert failed(AtomicSystem(glass.numbers, positions, glass.lattice_A)) == ("minimum_distance",)


def test_a_unit_cell_is_too_narrow_to_be_amorphous():
    glass = random_salt(2, edge_A=5.2, pairs=4)
    assert {"orientational_order", "hidden_symmetry"} <= set(failed(glass))


@pytest.mark.parametrize(
    ("energy", "force", "pressure_GPa", "expected"),
    [
        (-3.3, 0.1, 1.0, ()),
        (-3.3, 0.8, 1.0, ("forces",)),
        (-3.3, np.nan, 1.0, ("forces",)),
        (-2.7, 0.1, 1.0, ("energy_above_crystal",)),
        (-3.6, 0.1, 1.0, ("energy_above_crystal",)),
        (np.nan, 0.1, 1.0, ("energy_above_crystal",)),
        (-3.3, 0.1, 40.0, ("pressure",)),
        (-3.3, 0.1, -40.0, ("pressure",)),
    ],
)
def test_energy_forces_and_pressure_have_gates_of_their_own(energy, force, pressure_GPa, expected):
    glass = random_salt(3)
    result = ForceResult(
        energy * len(glass), np.full((len(glass), 3), force / 3**0.5), -np.eye(3) * pressure_GPa / 160.2
    )
    assert failed(glass, force_result=result) == expected


def test_without_forces_or_twin_energy_those_gates_are_silent():
    gates = validate_cell(random_salt(1), reference=cell_reference("LiCl"))
    assert [gate.name for gate in gates] == list(CELL_GATES)[:4]


def test_each_outcome_tells_number_limits_and_a_line():
    for gate in validate_cell(random_salt(1), reference=SALT):
        assert gate.value is not None
        assert gate.lower is not None or gate.upper is not None
        assert gate.message
        assert "\n" not in gate.message


def test_order_measures_do_not_depend_on_the_description():
    crystal = rattled("Li2O", 0.2, 5)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(crystal))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    moved = AtomicSystem(
        crystal.numbers[order],
        (crystal.positions_A[order] + [1.3, -0.4, 7.0]) @ rotation,
        crystal.lattice_A @ rotation,
    )
    assert orientational_coherence(moved) == pytest.approx(orientational_coherence(crystal), rel=1e-6)
    # The grid does not move with the atoms.
    assert hidden_symmetry(moved) == pytest.approx(hidden_symmetry(crystal), abs=0.03)


def test_independent_orientations_have_coherence_one():
    # Mean over many random cells of an ideal gas: 1 exactly for independent directions; bonds shared by two like
    # atoms count twice, so that it lies between 1 and 2 (3 standard errors of 20 cells are 0.15).
    values = []
    for seed in range(20):
        positions = np.random.default_rng(seed).uniform(0, 14, (100, 3))
        values.append(orientational_coherence(AtomicSystem(np.full(100, 11), positions, 14 * np.eye(3))))
    assert 1.0 < np.mean(values) < 3.0


def test_a_perfect_lattice_has_coherence_of_its_number_of_atoms():
    crystal = system_from_atoms(CRYSTALS["Na"])
    assert orientational_coherence(crystal) == pytest.approx(len(crystal), rel=1e-6)
    assert hidden_symmetry(crystal) == pytest.approx(1.0, abs=0.02)


def test_operations_of_lattices():
    assert len(lattice_operations(np.eye(3) * 9.0)) == 48
    assert len(lattice_operations(np.diag([9.0, 9.0, 12.0]))) == 16
    assert len(lattice_operations(np.diag([9.0, 10.5, 12.0]))) == 8
    assert len(lattice_operations(np.array([[9.0, 0, 0], [1.3, 8.0, 0], [2.0, 3.1, 11.0]]))) == 2


def test_density_of_rock_salt_is_the_handbook_value():
    # Halite: 2.165 g/cm3 (CRC Handbook) at a = 5.6402 A.
    assert density_g_cm3(system_from_atoms(bulk("NaCl", "rocksalt", a=5.6402))) == pytest.approx(2.165, abs=0.005)


@pytest.mark.data
def test_gas_foam_and_overlaps_among_the_real_cells_fail_one_gate_each(data_mirror):
    # Record 10 is a gas at 6,779 A3 an atom; record 8, Li2SeO4 at 36 A3 an atom, a foam: its crystal has 12. Record 9
    # holds B-O bonds of 1.10 A, where borates have 1.37 and CO has 1.13.
    faults = {8: ("density",), 9: ("minimum_distance",), 10: ("density",)}
    for index in range(1, 11):
        expected = faults.get(index, ())
        atoms = read(data_mirror / f"structures/pfp_amorphous/temp_{index}.cif")
        reference = cell_reference(atoms.get_chemical_formula(empirical=True))
        assert failed(system_from_atoms(atoms), reference=reference) == expected


@pytest.mark.data
def test_real_silica_glass_passes_and_real_carbon_crystals_fail(data_mirror):
    lines = (data_mirror / "structures/a_sio2/sio2_3000_glass_10k_sample0.dat").read_text().splitlines()
    edges = [float(line.split()[1]) - float(line.split()[0]) for line in lines if line.endswith(("xhi", "yhi", "zhi"))]
    start = next(index for index, line in enumerate(lines) if line.startswith("Atoms")) + 2
    rows = np.array([line.split()[:6] for line in lines[start : start + 3000]], dtype=float)
    glass = AtomicSystem(np.where(rows[:, 1] == 1, 8, 14), rows[:, 3:6], np.diag(edges))
    assert density_g_cm3(glass) == pytest.approx(2.2, abs=0.15)
    assert failed(glass, reference=cell_reference("SiO2")) == ()
    diamond = system_from_atoms(read(data_mirror / "structures/a_carbon/poscar/diamond.vasp"))
    carbon = CellReference(5.7, VolumeSource.TWIN)
    assert failed(diamond, reference=carbon) == ("orientational_order", "hidden_symmetry")
    for path in sorted((data_mirror / "structures/a_carbon/poscar").glob("d2.5*.vasp")):
        assert failed(system_from_atoms(read(path)), reference=carbon) == ()


@pytest.mark.data
def test_a_superionic_crystal_at_500_K_is_still_a_crystal(data_mirror):
    with gzip.open(data_mirror / "trajectories/argyrodite/Li6PS5Cl_50p_run1_XDATCAR.gz", "rt") as stream:
        lines = [next(stream) for _ in range(30 * 417 + 7)]
    lattice = float(lines[1]) * np.array([line.split() for line in lines[2:5]], dtype=float)
    numbers = np.repeat(
        [{"Li": 3, "P": 15, "S": 16, "Cl": 17}[s] for s in lines[5].split()], np.array(lines[6].split(), int)
    )
    last = [index for index, line in enumerate(lines) if line.startswith("Direct")][-2]
    fractional = np.array([line.split()[:3] for line in lines[last + 1 : last + 1 + len(numbers)]], dtype=float)
    snapshot = AtomicSystem(numbers, fractional @ lattice, lattice)
    assert failed(snapshot, reference=cell_reference("Li6PS5Cl")) == ("orientational_order", "hidden_symmetry")
