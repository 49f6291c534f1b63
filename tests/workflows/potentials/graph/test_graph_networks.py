"""Our evaluation of CHGNet and DIEP against their packages in double precision; lists that leave no trace.

The packages calculate in single precision, which moves their own energies by some 1e-4 eV; run in double they show what
their weights mean.
"""

import importlib
import warnings

import numpy as np
import pytest
from ase.spacegroup import crystal
from model_force_fields import nep89_or_skip, rock_salt

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.force_field import Cells
from vitrion_workflows.potentials.graph.neighbours import SkinLists
from vitrion_workflows.schemas.geometry import atoms_from_system

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def rattled(atoms, *, noise_A=0.1, seed=0):
    positions = atoms.positions + np.random.default_rng(seed).normal(scale=noise_A, size=atoms.positions.shape)
    return AtomicSystem(atoms.numbers, positions, atoms.cell.array)


def thiophosphate():
    """gamma-Li3PS4 (Homma et al. 2011), 16 atoms, rattled."""
    sites = [(0, 0.8195, 0.9949), (0.2202, 0.6697, 0.8869), (0, 0.8107, 0.3277)]
    sites += [(0, 0.1047, 0.8908), (0.2565, 0.3196, 0.9933), (0, 0.1555, 0.5043)]
    lengths = [7.70824, 6.5353, 6.1365, 90, 90, 90]
    return rattled(crystal(["P", "S", "S", "S", "Li", "Li"], sites, spacegroup=31, cellpar=lengths))


def skewed():
    """Two atoms whose neighbours are mostly their own images, one of them far outside the cell."""
    lattice = np.array([[2.9, 1.0, 0.3], [1.2, 4.0, 0.5], [-0.7, 0.6, 3.5]])
    return AtomicSystem([3, 17], np.array([[0, 0, 0], [2.4, 0.2, 0.1] + 3 * lattice[0] - 2 * lattice[2]]), lattice)


CELLS = {
    "LiCl": lambda: rock_salt(noise_A=0.15),
    "Li3PS4": thiophosphate,
    "Li2O": lambda: rattled(
        crystal(["Li", "O"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225, cellpar=[4.7] * 3 + [90] * 3)
    ),
    "skewed": skewed,
    "gas": lambda: AtomicSystem([3, 17], [[0, 0, 0], [2.4, 0.2, 0.1]], np.eye(3) * 20),
}


def in_double(name, monkeypatch):
    """The package's calculator, all in double precision; and what it leaves out of the energy, by atomic number."""
    import torch

    if name == "diep":
        from diep import config
        from diep.pretrained import make_calculator

        monkeypatch.setattr(config, "float_th", torch.float64)
        calculator = make_calculator()
        calculator.potential.double()
        return calculator, np.zeros(119)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from chgnet.model.dynamics import CHGNetCalculator
    for module in ("chgnet.model.model", "chgnet.graph.converter"):
        monkeypatch.setattr(importlib.import_module(module), "TORCH_DTYPE", torch.float64)
    calculator = CHGNetCalculator(use_device="cpu", on_isolated_atoms="ignore")
    weights = calculator.model.composition_model.fc.weight[0].detach().double().numpy()
    calculator.model.composition_model = None
    calculator.model.double()
    return calculator, np.concatenate([[0.0], weights])


@pytest.mark.parametrize("name", ["chgnet", "diep"])
def test_energies_forces_and_stress_are_the_packages(name, monkeypatch):
    import torch

    field = potentials.load(name)
    ours = {label: field.evaluate(make(), stress=True) for label, make in CELLS.items()}
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        calculator, references = in_double(name, monkeypatch)
        for label, make in CELLS.items():
            system = make()
            atoms = atoms_from_system(system)
            atoms.wrap()
            atoms.calc = calculator
            energy = atoms.get_potential_energy() + references[system.numbers].sum()
            assert ours[label].energy_eV == pytest.approx(energy, abs=1e-5), label
            np.testing.assert_allclose(ours[label].forces_eV_per_A, atoms.get_forces(), atol=1e-4, err_msg=label)
            stress = atoms.get_stress(voigt=False)
            np.testing.assert_allclose(ours[label].stress_eV_per_A3, stress, atol=1e-5, err_msg=label)
    finally:
        torch.set_default_dtype(default)


@pytest.mark.parametrize("name", ["chgnet", "diep"])
def test_forces_do_not_depend_on_when_the_list_was_built(name):
    # An old list and a new one must give the same bits, or a run that goes on would part from one that never stopped.
    walking, system = potentials.load(name), rock_salt(noise_A=0.1)
    generator, positions = np.random.default_rng(4), system.positions_A
    for _ in range(6):
        positions = positions + generator.normal(scale=0.06, size=positions.shape)
        moved = AtomicSystem(system.numbers, positions, system.lattice_A)
        old, new = walking.evaluate(moved), potentials.load(name).evaluate(moved)
        assert old.energy_eV == new.energy_eV
        np.testing.assert_array_equal(old.forces_eV_per_A, new.forces_eV_per_A)


@pytest.mark.parametrize("name", ["lennard-jones", "chgnet", "diep", pytest.param("nep89", marks=pytest.mark.nep)])
def test_a_cell_is_the_same_alone_and_among_others(name):
    field = nep89_or_skip() if name == "nep89" else potentials.load(name)
    systems = [thiophosphate(), rock_salt(noise_A=0.1), rock_salt(noise_A=0.1, seed=5), skewed()]
    together = field.compute_batch(Cells.of(systems), np.concatenate([system.positions_A for system in systems]))
    atoms = np.cumsum([0] + [len(system) for system in systems])
    for index, system in enumerate(systems):
        alone = potentials.load(name).evaluate(system)
        assert together.energies_eV[index] == alone.energy_eV
        np.testing.assert_array_equal(together.forces_eV_per_A[atoms[index] : atoms[index + 1]], alone.forces_eV_per_A)


def test_diep_is_smooth_in_every_direction():
    # Forces are minus the gradient: central differences of the energy in double-precision frames.
    field, system = potentials.load("diep"), thiophosphate()
    forces = field.evaluate(system).forces_eV_per_A
    for atom, axis in ((0, 0), (5, 1), (12, 2)):
        energies = []
        for sign in (1, -1):
            moved = system.positions_A.copy()
            moved[atom, axis] += sign * 0.01
            energies.append(field.evaluate(AtomicSystem(system.numbers, moved, system.lattice_A)).energy_eV)
        # Single precision of 100 eV over 0.02 A: 5e-4; the third derivative adds as much.
        assert (energies[1] - energies[0]) / 0.02 == pytest.approx(forces[atom, axis], abs=3e-3)


def test_a_list_is_kept_while_it_is_good_and_no_longer(monkeypatch):
    pytest.importorskip("torch")
    from vitrion_workflows.potentials.graph import neighbours

    built = []
    build = neighbours._build
    monkeypatch.setattr(neighbours, "_build", lambda *arguments: built.append(1) or build(*arguments))
    lists, system = SkinLists(4.0, device="cpu", skin_A=1.0), rock_salt(noise_A=0.1)
    step = np.zeros_like(system.positions_A)
    for moved_A, builds in ((0.0, 1), (0.49, 1), (0.51, 2), (0.8, 2), (1.02, 3)):
        step[0, 0] = moved_A
        edges = lists.edges([(system.positions_A + step, system.lattice_A)])
        assert len(built) == builds
        lengths = edges.bond_vectors_A.norm(dim=1)
        assert float(lengths.max()) < 4.0
        assert (edges.first[edges.reverse] == edges.second).all()
