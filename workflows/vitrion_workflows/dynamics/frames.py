"""Frames of a run in progress, with the quantities stored with each."""

from dataclasses import dataclass, field

import numpy as np

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.trajectories.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Frames:
    """Consecutive frames.

    Attributes:
        positions_A: unwrapped, shape (F, N, 3).
        temperatures_K: kinetic, shape (F,).
        potential_energies_eV: shape (F,).
    """

    positions_A: FloatArray
    temperatures_K: FloatArray
    potential_energies_eV: FloatArray

    def __len__(self) -> int:
        return len(self.positions_A)

    def trajectory(
        self,
        *,
        numbers: IntArray,
        lattice_A: FloatArray,
        frame_interval_ps: float,
        masses_u: FloatArray,
        source: str,
        set_temperature_K: float | None = None,
        thermostat: str = "",
        friction_per_ps: float | None = None,
    ) -> Trajectory:
        """Return the frames as a `Trajectory`.

        Args:
            numbers: atomic numbers, shape (N,).
            lattice_A: lattice vectors as rows, shape (3, 3).
            frame_interval_ps: time between frames.
            masses_u: shape (N,).
            source: name for messages.
            set_temperature_K: of the thermostat, or None.
            thermostat: name.
            friction_per_ps: of the thermostat, or None.
        """
        return Trajectory(
            numbers=numbers,
            positions_A=self.positions_A,
            lattice_A=lattice_A,
            frame_interval_ps=frame_interval_ps,
            temperatures_K=self.temperatures_K,
            potential_energies_eV=self.potential_energies_eV,
            masses_u=masses_u,
            source=source,
            set_temperature_K=set_temperature_K,
            thermostat=thermostat,
            friction_per_ps=friction_per_ps,
        )


def join(parts: list[Frames]) -> Frames:
    """Return the frames of several parts, one after the other."""
    return Frames(
        positions_A=np.concatenate([part.positions_A for part in parts]),
        temperatures_K=np.concatenate([part.temperatures_K for part in parts]),
        potential_energies_eV=np.concatenate([part.potential_energies_eV for part in parts]),
    )


@dataclass
class FrameBuffer:
    """Frames not yet written, the only mutable part of a run."""

    positions: list[FloatArray] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.positions)

    def add(self, positions_A: FloatArray, temperature: float, energy: float) -> None:
        """Append a frame.

        Args:
            positions_A: unwrapped, shape (N, 3); kept, not copied.
            temperature: kinetic, in K.
            energy: potential, in eV.
        """
        self.positions.append(positions_A)
        self.temperatures.append(temperature)
        self.energies.append(energy)

    def content(self) -> Frames:
        """Return the collected frames."""
        return Frames(
            positions_A=np.array(self.positions),
            temperatures_K=np.array(self.temperatures),
            potential_energies_eV=np.array(self.energies),
        )

    def drain(self) -> Frames:
        """Return the collected frames and empty the buffer."""
        frames = self.content()
        self.positions, self.temperatures, self.energies = [], [], []
        return frames
