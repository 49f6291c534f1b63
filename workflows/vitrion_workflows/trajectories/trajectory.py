"""A trajectory in memory: unwrapped positions with their frame interval, temperatures and thermostat."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray, standard_masses_u
from vitrion_workflows.formats.frames import FEWEST_FRAMES
from vitrion_workflows.formats.thermostats import thermostat_fault

# One number for each frame.
SERIES = ("temperatures_K", "potential_energies_eV", "volumes_A3")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Frames of one molecular-dynamics run, mapped to its mean cell where the cell changes.

    Attributes:
        numbers: atomic numbers, shape (N,).
        positions_A: unwrapped Cartesian positions, shape (F, N, 3), frame 0 being the start.
        lattice_A: lattice vectors as rows, shape (3, 3).
        frame_interval_ps: time between consecutive frames.
        temperatures_K: kinetic temperature of each frame, shape (F,), or None where unknown.
        potential_energies_eV: potential energy of each frame, shape (F,), or None where unknown.
        masses_u: atomic masses, shape (N,); standard weights where not given.
        source: file or run it came from, for messages.
        velocities_A_per_ps: shape (F, N, 3), or None where they are not stored.
        set_temperature_K: constant temperature of the thermostat; None where unknown, changing or absent.
        thermostat: ``langevin``, ``nose-hoover`` or ``nve``, as `MDPlan` has it; empty where unknown.
        friction_per_ps: Langevin friction, or 1/tau of the chain; None for ``nve`` and where unknown.
        volumes_A3: of each frame, shape (F,); None for a fixed cell.
        remarks: sentences on what was left out or assumed when the files were read.
    """

    numbers: IntArray
    positions_A: FloatArray
    lattice_A: FloatArray
    frame_interval_ps: float
    temperatures_K: FloatArray | None = None
    potential_energies_eV: FloatArray | None = None
    masses_u: FloatArray = field(default_factory=lambda: np.empty(0))
    source: str = ""
    velocities_A_per_ps: FloatArray | None = None
    set_temperature_K: float | None = None
    thermostat: str = ""
    friction_per_ps: float | None = None
    volumes_A3: FloatArray | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse frames that cannot be analysed.

        Raises:
            InputError: one frame, changing atom counts, non-finite positions, no positive frame interval, velocities of
                another shape, a series without one number for each frame, or an unknown thermostat or one without its
                friction.
        """
        if self.positions_A.ndim != 3 or self.positions_A.shape[1:] != (len(self.numbers), 3):  # noqa: PLR2004
            raise self._fault(f"positions must have shape (frames, {len(self.numbers)}, 3)")
        if len(self.positions_A) < FEWEST_FRAMES:
            raise self._fault(f"a trajectory needs two frames or more, not {len(self.positions_A)}")
        if not np.isfinite(self.positions_A).all():
            raise self._fault("positions are not finite numbers")
        if not (np.isfinite(self.frame_interval_ps) and self.frame_interval_ps > 0):
            raise self._fault("the frame interval must be a positive number of ps")
        velocities = self.velocities_A_per_ps
        if velocities is not None and not (
            velocities.shape == self.positions_A.shape and np.isfinite(velocities).all()
        ):
            raise self._fault("velocities must be finite, one for each position")
        self._check_series()
        self._check_thermostat()
        if not len(self.masses_u):
            object.__setattr__(self, "masses_u", standard_masses_u(self.numbers))

    def first(self, frames: int) -> "Trajectory":
        """Return the first frames with their series; all frames where there are no more.

        Raises:
            InputError: fewer than two.
        """
        shortened: dict[str, Any] = {}
        for name in ("positions_A", "velocities_A_per_ps", *SERIES):
            values = getattr(self, name)
            shortened[name] = None if values is None else values[:frames]
        return replace(self, **shortened)

    def spread_frames(self, count: int, *, first: int = 0) -> list[AtomicSystem]:
        """Return frames as far apart as the run allows, its last among them.

        Args:
            count: number of frames; all where there are no more.
            first: index of the first of them.
        """
        indices = np.unique(np.linspace(first, len(self) - 1, count).round().astype(int))
        return [AtomicSystem(self.numbers, self.positions_A[index], self.lattice_A) for index in indices]

    def _check_series(self) -> None:
        for name in SERIES:
            values = getattr(self, name)
            if values is not None and values.shape != (len(self),):
                raise self._fault(f"{name} has shape {values.shape} for {len(self)} frames: give one number for each")
            if values is not None and not np.isfinite(values).all():
                raise self._fault(f"{name} are not all finite numbers: correct them, or leave them out")
        kelvin = self.temperatures_K
        if kelvin is not None and not (kelvin.min() >= 0 and kelvin.max() > 0):
            raise self._fault("temperatures_K are not temperatures in K: correct them, or leave them out")

    def _check_thermostat(self) -> None:
        fault = thermostat_fault(self.thermostat, self.friction_per_ps) if self.thermostat else ""
        if not self.thermostat and self.friction_per_ps is not None:
            fault = "friction_per_ps without a thermostat: state the thermostat, too"
        if fault:
            raise self._fault(fault)

    def _fault(self, message: str) -> InputError:
        return InputError(f"{self.source}: {message}" if self.source else message)

    def __len__(self) -> int:
        return len(self.positions_A)
