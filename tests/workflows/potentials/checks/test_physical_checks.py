"""The checker itself: it passes what is right and finds each wrong that is planted."""

# ruff: noqa: ARG001, ARG005 - each fault takes the whole of what it could change
import dataclasses

import numpy as np
import pytest
from model_force_fields import FreeParticles, nep89_or_skip, rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.adapters.lennard_jones import LennardJonesForceField
from vitrion_workflows.potentials.checks.conservation import energy_drift_eV_per_atom_ps
from vitrion_workflows.potentials.checks.physical_checks import check_force_field, disturbed_cell


def failed(reports):
    return {report.name for report in reports if not report.passed}


def test_lennard_jones_passes_to_rounding():
    reports = potentials.check("lennard-jones")
    assert not failed(reports)
    assert max(report.deviation for report in reports if "," in report.name) < 1e-10
    assert {report.name for report in reports} >= {
        "forces are minus the gradient",
        "stress is the strain derivative",
        "energy is conserved",
        "other elements not refused",
        "energy, cell doubled",
        "forces, atoms moved by lattice vectors",
    }


@pytest.mark.nep
def test_nep89_passes():
    nep89_or_skip()
    reports = potentials.check("nep89")
    assert not failed(reports)
    assert max(report.deviation for report in reports) < 2e-3


def on_one_atom(right, cell):
    # On none of the atoms that are probed, in no other cell: only the run notices.
    push = np.zeros_like(right.forces_eV_per_A)
    if len(push) == 8:
        push[1, 0], push[6, 0] = 0.05, -0.05
    return {"forces_eV_per_A": right.forces_eV_per_A + push}


def across_no_boundary(right, cell):
    numbers, positions_A, lattice_A = cell
    alone = LennardJonesForceField().compute(numbers, positions_A, lattice_A + np.eye(3) * 20)
    return {"energy_eV": alone.energy_eV}


def stress(change):
    def fault(right, cell):
        tensor = right.stress_eV_per_A3
        return {"stress_eV_per_A3": None if tensor is None else change(tensor)}

    return fault


def energy(change):
    return lambda right, cell: {"energy_eV": change(right.energy_eV, *cell)}


def forces(change):
    return lambda right, cell: {"forces_eV_per_A": change(right.forces_eV_per_A, cell[0])}


FAULTS = {
    "none": lambda right, cell: {},
    "sign of forces": forces(lambda given, numbers: -given),
    "forces 2 % too large": forces(lambda given, numbers: 1.02 * given),
    "forces in another order": forces(lambda given, numbers: given[np.argsort(numbers, kind="stable")]),
    "force on one atom": on_one_atom,
    "sign of stress": stress(lambda tensor: -tensor),
    "stress in GPa": stress(lambda tensor: tensor * 160.2),
    "stress not symmetric": stress(lambda tensor: tensor + 1e-3 * np.tri(3, k=-1)),
    "no stress": stress(lambda tensor: None),
    "fixed axis": energy(lambda given, n, x, cell: given + 1e-2 * float(np.cos(x[:, 2]).sum())),
    "order": energy(lambda given, n, x, cell: given + 1e-2 * float(x[0, 0] - x[-1, 0])),
    "unwrapped": energy(lambda given, n, x, cell: given + 1e-3 * float((x @ np.linalg.inv(cell)).sum())),
    "not periodic": across_no_boundary,
    "not extensive": energy(lambda given, n, x, cell: given / len(n)),
    "an element with NaN": energy(lambda given, n, x, cell: np.nan if 92 in n else given),
}


class Wrong(LennardJonesForceField):
    """A good potential that no longer covers xenon, with one fault."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault
        self.elements -= {"Xe"}

    def require_elements(self, numbers):
        if 54 in numbers:
            raise InputError("potential wrong does not cover Xe")
        super().require_elements(numbers)

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        right = super().compute(numbers, positions_A, lattice_A, stress=stress)
        return dataclasses.replace(right, **FAULTS[self.fault](right, (numbers, positions_A, lattice_A)))


class Remembers(Wrong):
    """A little of the forces before."""

    before = 0.0

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        right = super().compute(numbers, positions_A, lattice_A, stress=stress)
        kept, self.before = self.before, right.forces_eV_per_A.max()
        return dataclasses.replace(right, forces_eV_per_A=right.forces_eV_per_A - 1e-4 * kept)


class AcceptsAnything(Wrong):
    def require_elements(self, numbers):
        pass


class Crashes(Wrong):
    def compute(self, numbers, *others, **options):
        if 92 in numbers:
            raise KeyError(92)
        return super().compute(numbers, *others, **options)


@pytest.mark.parametrize(
    ("fault", "failed_check"),
    [
        ("sign of forces", "forces are minus the gradient"),
        ("sign of forces", "energy is conserved"),
        ("forces 2 % too large", "forces are minus the gradient"),
        ("force on one atom", "energy is conserved"),
        ("sign of stress", "stress is the strain derivative"),
        ("stress in GPa", "stress is the strain derivative"),
        ("stress not symmetric", "stress is the strain derivative"),
        ("no stress", "stress is the strain derivative"),
        ("fixed axis", "energy, cell rotated"),
        ("fixed axis", "energy, cell moved"),
        ("order", "energy, atoms in another order"),
        ("forces in another order", "forces, atoms in another order"),
        ("unwrapped", "energy, atoms moved by lattice vectors"),
        ("not periodic", "energy, cell doubled"),
        ("not periodic", "energy, atoms moved by lattice vectors"),
        ("not extensive", "energy, cell doubled"),
        ("an element with NaN", "covered elements without forces"),
    ],
)
def test_each_planted_fault_is_found(fault, failed_check):
    assert failed_check in failed(check_force_field(Wrong(fault), disturbed_cell(Wrong("none"), seed=0)))


@pytest.mark.parametrize(
    ("kind", "failed_check"),
    [
        (Remembers, "reproducible"),
        (AcceptsAnything, "other elements not refused"),
        (Crashes, "covered elements without forces"),
    ],
)
def test_each_wrong_behaviour_is_found(kind, failed_check):
    assert failed(potentials.check(kind("none"))) == {failed_check}


def test_without_a_fault_the_same_adapter_passes():
    assert not failed(potentials.check(Wrong("none")))


def test_a_non_conservative_force_is_detected_by_the_drift_alone():
    reports = potentials.check(Wrong("force on one atom"))
    assert "forces are minus the gradient" not in failed(reports)
    assert "energy is conserved" in failed(reports)


def test_drift_is_the_work_of_a_force_that_has_no_energy():
    # From rest, E(t) = F^2 t^2 / (2 m); its slope by regression over [0, T] is F^2 T / (2 m). The velocities drawn at
    # the start add F v t, which cancels between atoms since their momenta do.
    class Pulled(FreeParticles):
        def compute(self, numbers, positions_A, lattice_A, **options):
            right = super().compute(numbers, positions_A, lattice_A, **options)
            return dataclasses.replace(right, forces_eV_per_A=np.tile([0.5, 0, 0], (len(numbers), 1)))

    iodine = AtomicSystem([53] * 2, [[0, 0, 0], [4, 4, 4]], np.eye(3) * 8)
    drift = energy_drift_eV_per_atom_ps(Pulled(), iodine, seed=0)
    mass_eV_ps2_per_A2 = 126.904 * 1.0364269e-4
    assert drift == pytest.approx(0.5**2 * 0.2 / (2 * mass_eV_ps2_per_A2), rel=1e-3)
    assert energy_drift_eV_per_atom_ps(FreeParticles(), iodine, seed=0) < 1e-12


def test_the_cell_is_of_elements_the_potential_covers():
    assert set(disturbed_cell(potentials.load("lennard-jones"), seed=0).numbers) == {3, 17}
    assert set(disturbed_cell(potentials.load("lennard-jones"), seed=0, elements=("Na", "F")).numbers) == {9, 11}
    assert set(disturbed_cell(FreeParticles(), seed=0).numbers) == {3, 53}
    with pytest.raises(InputError, match="Xx"):
        disturbed_cell(FreeParticles(), seed=0, elements=("Xx",))


def test_an_ase_calculator_is_checked_on_the_elements_it_states():
    reports = potentials.check("ase:ase.calculators.emt:EMT@Cu,Au")
    # EMT's cutoff is not smooth and its alloys are rough, but nothing of what an adapter does is wrong.
    assert not {name for name in failed(reports) if "," in name or "element" in name}
    with error_in_one_line(InputError, r"gives no forces and stress for Cl, Li \(No EMT-potential for"):
        potentials.check("ase:ase.calculators.emt:EMT")
    reports = potentials.check("ase:ase.calculators.emt:EMT", elements=("Cu", "Au"))
    assert "covered elements without forces" in failed(reports)


def test_result_shape_is_that_of_the_cell():
    system = AtomicSystem([3], [[0.0, 0, 0]], np.eye(3) * 3)
    assert not failed(check_force_field(potentials.load("lennard-jones"), system))


def test_a_cell_of_ones_own_can_be_given():
    assert not failed(potentials.check("lennard-jones", system=rock_salt(noise_A=0.15)))
