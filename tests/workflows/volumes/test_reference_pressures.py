import math

import numpy as np
import pytest

from vitrion_workflows.potentials import ForceField, ForceResult
from vitrion_workflows.schemas import VolumePoint
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.volumes.reference import ReferencePressures, line_root

GPA_PER_eV_A3 = 160.21766


class Constant(ForceField):
    def __init__(self, pressure_GPa):
        super().__init__(name="constant", version="1", weights_sha256="0" * 64, elements=frozenset({"Ar"}))
        self.pressure_GPa = pressure_GPa

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        del numbers, lattice_A, stress
        return ForceResult(0.0, np.zeros_like(positions_A), -np.eye(3) * self.pressure_GPa / GPA_PER_eV_A3)


def line(volumes, *, root, bulk_GPa, stderr=0.01):
    return [VolumePoint(volume_A3=v, pressure_GPa=-bulk_GPa * math.log(v / root), stderr_GPa=stderr) for v in volumes]


def test_root_of_an_exact_line():
    volume, stderr = line_root(line([900.0, 1000.0, 1100.0], root=1050.0, bulk_GPa=20.0))
    assert volume == pytest.approx(1050.0)
    assert stderr == pytest.approx(0.01 / 20.0 / math.sqrt(3), rel=0.3)


def test_stated_error_of_the_root_covers_its_scatter():
    rng = np.random.default_rng(3)
    roots = []
    for _ in range(400):
        points = line([900.0, 950.0, 1000.0, 1050.0, 1100.0], root=1020.0, bulk_GPa=20.0, stderr=0.3)
        noisy = [p.model_copy(update={"pressure_GPa": p.pressure_GPa + rng.normal(0, 0.3)}) for p in points]
        roots.append(line_root(noisy))
    inside = np.mean([abs(math.log(volume / 1020.0)) < 2 * stderr for volume, stderr in roots])
    assert inside > 0.9


@pytest.mark.parametrize(
    "points",
    [
        line([900.0, 1000.0], root=950.0, bulk_GPa=20.0),
        line([900.0, 1000.0, 1100.0], root=950.0, bulk_GPa=-20.0),
        line([900.0, 1000.0, 1100.0], root=2000.0, bulk_GPa=20.0),
    ],
    ids=["two volumes", "rises with the volume", "root far outside"],
)
def test_no_root_without_evidence(points):
    assert line_root(points) is None


def test_pressure_of_the_reference_is_that_of_the_search_plus_the_difference():
    pressures = ReferencePressures(Constant(1.0), Constant(3.5))
    run = Trajectory(np.array([18, 18]), np.zeros((10, 2, 3)), np.eye(3) * 10.0, 0.01)
    pressures(run, VolumePoint(volume_A3=1000.0, pressure_GPa=0.7, stderr_GPa=0.1))
    assert pressures.points[0].pressure_GPa == pytest.approx(0.7 + 2.5, rel=1e-6)
    assert pressures.zero_pressure() is None
