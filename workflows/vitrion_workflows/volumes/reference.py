"""Zero pressure of a reference potential, from the frames of the production potential's volume search.

The pressure of the reference at each volume is that of the search plus the mean difference of the two static pressures
on a few frames, which scatters far less than either pressure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vitrion_models.system import AtomicSystem
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import VolumePoint
from vitrion_workflows.trajectories.trajectory import Trajectory

FRAMES_PER_VOLUME = 4
SHARE_DISCARDED = 1 / 3  # of each run, as by the search
FEWEST_VOLUMES = 3
# How far outside of the volumes of the search a root of the line is accepted, in ln V.
FARTHEST_ROOT = 0.15


@dataclass
class ReferencePressures:
    """Pressures of a reference potential on the runs of a search; an instance is the search's `on_run`.

    Attributes:
        production: potential of the search.
        reference: the other one.
        points: one for each run so far.
    """

    production: ForceField
    reference: ForceField
    points: list[VolumePoint] = field(default_factory=list)

    def __call__(self, trajectory: Trajectory, point: VolumePoint) -> None:
        """Add the pressure at the volume of one run."""
        first = math.ceil(len(trajectory) * SHARE_DISCARDED)
        frames = trajectory.spread_frames(FRAMES_PER_VOLUME, first=first)
        differences = [_pressure_GPa(self.reference, frame) - _pressure_GPa(self.production, frame) for frame in frames]
        scatter = float(np.std(differences, ddof=1)) / math.sqrt(len(differences)) if len(differences) > 1 else 0.0
        self.points.append(
            VolumePoint(
                volume_A3=point.volume_A3,
                pressure_GPa=point.pressure_GPa + float(np.mean(differences)),
                stderr_GPa=math.hypot(point.stderr_GPa, scatter),
            )
        )

    def zero_pressure(self) -> tuple[float, float] | None:
        """Return volume of zero pressure, A3, and the standard error of its logarithm; see `line_root`."""
        return line_root(self.points)


def line_root(points: Sequence[VolumePoint]) -> tuple[float, float] | None:
    """Return the root of the line of pressure against ln V, and the standard error of its logarithm.

    Returns:
        Volume in A3 and error; None for fewer than three volumes, a pressure that does not fall with the volume, or a
        root far outside of the volumes.
    """
    if len(points) < FEWEST_VOLUMES:
        return None
    x = np.log([point.volume_A3 for point in points])
    pressures = np.array([point.pressure_GPa for point in points])
    centred = x - x.mean()
    slope = float(centred @ pressures / (centred @ centred))
    if slope >= 0:
        return None
    root = float(x.mean() - pressures.mean() / slope)
    if not x.min() - FARTHEST_ROOT <= root <= x.max() + FARTHEST_ROOT:
        return None
    residuals = pressures - pressures.mean() - slope * centred
    stated = float(np.mean([point.stderr_GPa**2 for point in points]))
    variance = max(float(residuals @ residuals) / (len(points) - 2), stated)
    distance = root - float(x.mean())
    stderr_GPa = math.sqrt(variance * (1.0 / len(points) + distance**2 / float(centred @ centred)))
    return math.exp(root), stderr_GPa / abs(slope)


def _pressure_GPa(force_field: ForceField, frame: AtomicSystem) -> float:
    pressure_GPa = force_field.evaluate(frame, stress=True).static_pressure_GPa
    if pressure_GPa is None:
        raise ValueError(f"potential {force_field.name} does not compute a stress")
    return pressure_GPa
