"""Agreement of a potential with labelled frames, and the bounds that a tuned potential must keep."""

from collections.abc import Sequence

import numpy as np

from vitrion_models.errors import InputError, VitrionError
from vitrion_workflows.force_check.agreement import force_agreement
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.force_check import ForceAgreement
from vitrion_workflows.tuning.frames import LabelledFrame

LEAST_R2 = 0.9
TARGET_R2 = 0.95  # with it diffusivities of student and teacher agree (docs/design/tuning.md)
GREATEST_PRESSURE_BIAS_GPa = 0.5


class TuningRefused(VitrionError):  # noqa: N818 - a result as much as an error
    """The tuned potential does not agree with its target well enough."""


class FrameAgreement(ForceAgreement):
    """Agreement of a potential with the frames of one group: of forces, energies and pressure.

    Attributes:
        group: composition or block.
        frames: number of frames.
        energy_scatter_eV_per_atom: standard deviation of the difference of energies per atom.
        pressure_bias_GPa: mean pressure minus that of the reference; None where the reference gives no stress.
    """

    group: str
    frames: int
    energy_scatter_eV_per_atom: float
    pressure_bias_GPa: float | None

    @property
    def is_sufficient(self) -> bool:
        """Return True if R2 is 0.9 or more and the pressure bias below 0.5 GPa."""
        pressure_ok = self.pressure_bias_GPa is None or abs(self.pressure_bias_GPa) < GREATEST_PRESSURE_BIAS_GPa
        return self.r2 >= LEAST_R2 and pressure_ok

    @property
    def is_at_target(self) -> bool:
        """Return True if R2 is 0.95 or more and the pressure bias below 0.5 GPa: no further round is needed."""
        return self.is_sufficient and self.r2 >= TARGET_R2

    def __str__(self) -> str:
        """Return the figures as one phrase."""
        pressure = "unknown" if self.pressure_bias_GPa is None else f"{self.pressure_bias_GPa:+.2f} GPa"
        return f"{self.group}: R2 {self.r2:.3f}, slope {self.slope:.2f}, pressure bias {pressure}"


def agreement_by_group(force_field: ForceField, frames: Sequence[LabelledFrame]) -> list[FrameAgreement]:
    """Compare a potential with labelled frames of one or several groups, group by group.

    Raises:
        InputError: there are no frames.
    """
    if not frames:
        raise InputError("no frames to compare with: give one or more")
    groups = dict.fromkeys(frame.group for frame in frames)
    return [_compare(force_field, [frame for frame in frames if frame.group == group]) for group in groups]


def _compare(force_field: ForceField, frames: Sequence[LabelledFrame]) -> FrameAgreement:
    results = [force_field.evaluate(frame.system, stress=True) for frame in frames]
    forces = np.concatenate([result.forces_eV_per_A for result in results])
    agreement = force_agreement(forces, np.concatenate([frame.forces_eV_per_A for frame in frames]))
    differences = [
        (result.energy_eV - frame.energy_eV) / len(frame.system) for result, frame in zip(results, frames, strict=True)
    ]
    biases = [
        result.static_pressure_GPa - frame.pressure_GPa
        for result, frame in zip(results, frames, strict=True)
        if result.static_pressure_GPa is not None and frame.pressure_GPa is not None
    ]
    return FrameAgreement(
        **agreement.model_dump(),
        group=frames[0].group,
        frames=len(frames),
        energy_scatter_eV_per_atom=float(np.std(differences)),
        pressure_bias_GPa=float(np.mean(biases)) if biases else None,
    )
