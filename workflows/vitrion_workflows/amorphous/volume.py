"""Equilibrium volume of a melt: the root of pressure against volume.

As in MPMorph (Aykol et al., Sci. Adv. 4, eaaq0148 (2018)) and atomate2's `EquilibriumVolumeMaker`: short NVT runs at
several volumes, a fit of pressure against volume, its root. Two differences (measured in docs/design/volume.md):
the root is used only between two volumes of opposite pressure (atomate2 extrapolates when its attempts are spent), and
the pressure is the mean over a run (atomate2 takes that of the last frame).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K, GPA_PER_eV_A3
from vitrion_models.errors import VitrionError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks, MDStage, run_stage
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol, VolumePoint, VolumeRecord
from vitrion_workflows.trajectories.trajectory import Trajectory

GROWTH = 1.15  # factor between successive volumes while all pressures have one sign
MOST_BRACKETING_RUNS = 6
REFINEMENTS = 2
SAMPLES = 24  # frames whose pressure is evaluated in each run
DISCARDED_SHARE = 1 / 3  # of a run: equilibration at the new volume
BLOCKS = 4
REAL_ROOT = 1e-9
CURVED_FIT_FROM = 5  # points; with fewer a parabola fits the noise

PressureRun: TypeAlias = Callable[[float], VolumePoint]
RunCallback: TypeAlias = Callable[[Trajectory, VolumePoint], None]


class VolumeSearchFailed(VitrionError):  # noqa: N818 - a result as much as an error
    """No two volumes of opposite pressure were found."""


def search_volume(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    protocol: CellProtocol,
    seed: int,
    callbacks: Callbacks = NO_CALLBACKS,
    on_run: RunCallback | None = None,
) -> tuple[AtomicSystem, VolumeRecord]:
    """Find the equilibrium volume of a melt at the melt temperature of a protocol.

    Args:
        system: a cell without overlaps.
        force_field: potential.
        protocol: temperature, time step and length of the runs.
        seed: seed of velocities and thermostat noise; each run derives its own.
        callbacks: progress callback and stop condition.
        on_run: called after each run with its frames and its pressure, also where the search fails in the end.

    Returns:
        The molten cell scaled to its equilibrium volume, and the record of the search.

    Raises:
        VolumeSearchFailed: the pressure had one sign at all volumes.
        StoppedError: the run was stopped by `callbacks`.
    """
    molten = system
    runs = 0

    def pressure_at(volume_A3: float) -> VolumePoint:
        nonlocal molten, runs
        stage = MDStage(
            name=f"volume {runs + 1}",
            # The first run also melts the packing.
            duration_ps=protocol.volume_ps * (1 if runs else 2),
            temperature_K=protocol.melt_temperature_K,
            frames=SAMPLES * (1 if runs else 2),
        )
        result = run_stage(
            scale_to(molten, volume_A3), force_field, stage, protocol=protocol, seed=seed + runs, callbacks=callbacks
        )
        molten = result.system
        runs += 1
        point = mean_pressure(result.trajectory, force_field, temperature_K=protocol.melt_temperature_K)
        if on_run is not None:
            on_run(result.trajectory, point)
        return point

    points = bracket_and_refine(pressure_at, system.volume_A3, atoms=len(system))
    volume_A3, stderr_A3 = zero_pressure(points)
    record = VolumeRecord(
        temperature_K=protocol.melt_temperature_K, volume_A3=volume_A3, stderr_A3=stderr_A3, points=tuple(points)
    )
    return scale_to(molten, volume_A3), record


def bracket_and_refine(pressure_at: PressureRun, start_A3: float, *, atoms: int) -> list[VolumePoint]:
    """Run volumes until two neighbouring ones have pressures of opposite sign, then refine between them.

    Args:
        pressure_at: runs one volume.
        start_A3: first volume.
        atoms: number of atoms, for the error message.

    Raises:
        VolumeSearchFailed: six volumes in a row, twice the first or half of it, had one sign.
    """
    points = [pressure_at(start_A3)]
    while _bracket(points) is None:
        if len(points) == MOST_BRACKETING_RUNS:
            tried = sorted(point.volume_A3 / atoms for point in points)
            pressures = [point.pressure_GPa for point in points]
            raise VolumeSearchFailed(
                f"no volume of zero pressure between {tried[0]:.1f} and {tried[-1]:.1f} A3/atom (pressures "
                f"{min(pressures):.2f} to {max(pressures):.2f} GPa): lower melt_temperature_K or choose the volume "
                "by another rule",
            )
        factor = GROWTH if points[-1].pressure_GPa > 0 else 1.0 / GROWTH
        points.append(pressure_at(points[-1].volume_A3 * factor))
    for _ in range(REFINEMENTS):
        points.append(pressure_at(zero_pressure(points)[0]))
    return points


def zero_pressure(points: list[VolumePoint]) -> tuple[float, float]:
    """Return the volume of zero pressure from a fit through the points, and its standard error, both in A^3.

    Pressure is fitted against ln V with a line, or a parabola from five points on; all points have equal weight, since
    the standard error of a run of a few correlation times is itself uncertain by a factor of two. The root must have a
    negative slope and lie between the smallest volume under pressure and the largest under tension; otherwise the
    chord between the two neighbouring points of opposite sign is used.

    Raises:
        VolumeSearchFailed: all pressures have one sign.
    """
    bracket = _bracket(points)
    if bracket is None:
        raise VolumeSearchFailed("all pressures have one sign: add volumes until they change sign")
    low, high = bracket
    slope = (high.pressure_GPa - low.pressure_GPa) / np.log(high.volume_A3 / low.volume_A3)
    root = float(np.log(low.volume_A3) - low.pressure_GPa / slope)
    if len(points) > len(bracket):
        fitted = _fitted_root(points, near=root)
        root, slope = fitted or (root, slope)
    volume = float(np.exp(root))
    stderr_GPa = float(np.sqrt(np.mean([point.stderr_GPa**2 for point in points]) / len(points)))
    # Noise between two neighbouring volumes can make the chord steep: the error follows the smaller overall slope.
    ends = min(points, key=_volume), max(points, key=_volume)
    overall = (ends[1].pressure_GPa - ends[0].pressure_GPa) / np.log(ends[1].volume_A3 / ends[0].volume_A3)
    smaller = min(abs(slope), abs(float(overall))) or abs(slope)
    return volume, float(volume * stderr_GPa / smaller)


def _volume(point: VolumePoint) -> float:
    return point.volume_A3


def _fitted_root(points: list[VolumePoint], *, near: float) -> tuple[float, float] | None:
    # ln V at the root of the fit nearest to that of the chord, and the slope there.
    x = np.log([point.volume_A3 for point in points])
    pressures = np.array([point.pressure_GPa for point in points])
    least, greatest = x[pressures > 0].min(), x[pressures <= 0].max()
    fit = np.polynomial.Polynomial.fit(x, pressures, 2 if len(points) >= CURVED_FIT_FROM else 1)
    slope = fit.deriv()
    roots = [float(root.real) for root in fit.roots() if abs(root.imag) < REAL_ROOT]
    inside = [root for root in roots if least <= root <= greatest and slope(root) < 0]
    if not inside:
        return None
    nearest = min(inside, key=lambda root: abs(root - near))
    return nearest, float(slope(nearest))


def mean_pressure(trajectory: Trajectory, force_field: ForceField, *, temperature_K: float) -> VolumePoint:
    """Return the mean pressure of a run at fixed volume, p = N k T / V - tr(sigma) / 3 with the static stress sigma.

    Args:
        trajectory: frames of the run; the first third is discarded.
        force_field: potential, evaluated again on the frames.
        temperature_K: set temperature, which has the mean of the instantaneous one and no noise.
    """
    first = int(np.ceil(len(trajectory) * DISCARDED_SHARE))
    volume = float(abs(np.linalg.det(trajectory.lattice_A)))
    kinetic = len(trajectory.numbers) * BOLTZMANN_eV_PER_K * temperature_K / volume
    samples = np.array(
        [
            kinetic - np.trace(_stress(force_field, trajectory, positions)) / 3.0
            for positions in trajectory.positions_A[first:]
        ]
    )
    blocks = np.array([block.mean() for block in np.array_split(samples, min(BLOCKS, len(samples)))])
    stderr = blocks.std(ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else abs(samples[0])
    return VolumePoint(
        volume_A3=volume,
        pressure_GPa=float(samples.mean()) * GPA_PER_eV_A3,
        stderr_GPa=float(stderr) * GPA_PER_eV_A3,
    )


def scale_to(system: AtomicSystem, volume_A3: float) -> AtomicSystem:
    """Scale a cell isotropically to a volume, fractional coordinates kept."""
    return system.scaled((volume_A3 / system.volume_A3) ** (1.0 / 3.0))


def _stress(force_field: ForceField, trajectory: Trajectory, positions_A: np.ndarray) -> np.ndarray:
    frame = AtomicSystem(trajectory.numbers, positions_A, trajectory.lattice_A)
    stress = force_field.evaluate(frame, stress=True).stress_eV_per_A3
    if stress is None:
        raise VolumeSearchFailed(
            f"potential {force_field.name} does not compute a stress: choose the volume by another rule"
        )
    return stress


def _bracket(points: list[VolumePoint]) -> tuple[VolumePoint, VolumePoint] | None:
    ordered = sorted(points, key=lambda point: point.volume_A3)
    for low, high in pairwise(ordered):
        if low.pressure_GPa > 0 >= high.pressure_GPa:
            return low, high
    return None
