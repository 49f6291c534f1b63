"""Reference potentials with closed-form answers, in the place of those that the force check would choose."""

import numpy as np

from vitrion_workflows import potentials
from vitrion_workflows.force_check import check
from vitrion_workflows.potentials import ForceField, ForceResult
from vitrion_workflows.schemas.force_check import ForceAgreement, ForceCheck, ForceCheckState


class Scaled(ForceField):
    """The model potential times a factor, and a push on the first two atoms along the line that joins them."""

    def __init__(self, *, scale=1.0, push_eV_per_A=0.0):
        self.inner = potentials.load("lennard-jones")
        super().__init__(name="scaled", version="1", weights_sha256="e" * 64, elements=self.inner.elements)
        self.scale, self.push = scale, push_eV_per_A

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        result = self.inner.compute(numbers, positions_A, lattice_A, stress=stress)
        forces = self.scale * result.forces_eV_per_A
        line = positions_A[1] - positions_A[0]
        line /= np.linalg.norm(line)
        forces[0] -= self.push * line
        forces[1] += self.push * line
        return ForceResult(self.scale * result.energy_eV, forces, result.stress_eV_per_A3)


def put_in_place(monkeypatch, reference):
    """Compare with this reference potential, whatever the production potential and the elements."""
    monkeypatch.setattr(check, "choose_reference", lambda *_args, **_kwargs: reference)


def checked_record(r2):
    """The record of a check with this agreement."""
    agreement = ForceAgreement(r2=r2, slope=0.9, inverse_slope=0.95, mae_eV_per_A=0.2, components=360)
    return ForceCheck(
        state=ForceCheckState.MADE,
        reference="diep",
        reference_weights_sha256="e" * 64,
        frames=(10, 20),
        agreement=agreement,
        by_species={"Li": agreement},
    )
