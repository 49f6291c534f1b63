"""The checker itself: it passes what is right and finds each wrong that is planted."""

import numpy as np
import pytest
from model_force_fields import nep89_or_skip, rock_salt

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials import ForceResult
from vitrion_workflows.potentials.checking import check_force_field
from vitrion_workflows.potentials.lennard_jones import LennardJonesForceField


def test_lennard_jones_passes_to_rounding():
    reports = potentials.check("lennard-jones")
    assert all(report.passed for report in reports)
    assert max(report.deviation for report in reports if "," in report.name) < 1e-10
    assert {report.name for report in reports} >= {
        "forces are minus the gradient",
        "stress is the strain derivative",
        "energy, cell doubled",
        "forces, atoms moved by lattice vectors",
    }


@pytest.mark.nep
def test_nep89_passes():
    nep89_or_skip()
    reports = potentials.check("nep89")
    assert all(report.passed for report in reports)
    # Double precision: finite differences of 1e-3 A agree to their own third-order error.
    assert max(report.deviation for report in reports) < 2e-3


class Wrong(LennardJonesForceField):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        right = super().compute(numbers, positions_A, lattice_A, stress=stress)
        energy, forces, tensor = right.energy_eV, right.forces_eV_per_A, right.stress_eV_per_A3
        match self.fault:
            case "sign of forces":
                forces = -forces
            case "sign of stress":
                tensor = None if tensor is None else -tensor
            case "no stress":
                tensor = None
            case "fixed axis":
                energy += 1e-2 * float(np.cos(positions_A[:, 2]).sum())
            case "order":
                energy += 1e-2 * float(positions_A[0, 0] - positions_A[-1, 0])
            case "unwrapped":
                energy += 1e-3 * float((positions_A @ np.linalg.inv(lattice_A)).sum())
            case "not extensive":
                energy /= len(numbers)
        return ForceResult(energy, forces, tensor)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("sign of forces", "forces are minus the gradient"),
        ("sign of stress", "stress is the strain derivative"),
        ("no stress", "stress is the strain derivative"),
        ("fixed axis", "energy, cell rotated"),
        ("fixed axis", "energy, cell moved"),
        ("order", "energy, atoms in another order"),
        ("unwrapped", "energy, atoms moved by lattice vectors"),
        ("not extensive", "energy, cell doubled"),
    ],
)
def test_each_planted_fault_is_found(fault, found):
    reports = check_force_field(Wrong(fault), rock_salt(noise_A=0.15))
    assert found in {report.name for report in reports if not report.passed}


def test_result_shape_is_that_of_the_cell():
    system = AtomicSystem([3], [[0.0, 0, 0]], np.eye(3) * 3)
    assert all(report.passed for report in check_force_field(potentials.load("lennard-jones"), system))
