"""Check a potential by what must hold whatever its weights: gradients and symmetries."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.registry import load

STEP_A = 1e-3
STRAIN_STEP = 1e-3
# Single-precision potentials limit what finite differences can show: 1e-6 of an energy of 100 eV over 2e-3 A.
GRADIENT_LIMIT_eV_PER_A = 5e-2
SYMMETRY_LIMIT_eV_PER_ATOM = 2e-5
SYMMETRY_LIMIT_eV_PER_A = 2e-3
PROBED_ATOMS = 4


@dataclass(frozen=True)
class CheckReport:
    """One property of a potential, measured.

    Attributes:
        name: what was checked.
        passed: whether the deviation lies within the limit.
        deviation: greatest deviation found.
        limit: greatest that is allowed.
        unit: of both.
    """

    name: str
    passed: bool
    deviation: float
    limit: float
    unit: str


def check(name: str, *, device: str = "cpu", seed: int = 0) -> tuple[CheckReport, ...]:
    """Load a potential (which checks its sha256) and test it on a disturbed cell of its own elements.

    Forces against minus the numerical gradient, stress against the numerical derivative by strain, and invariance to
    translation, rotation, order of atoms, wrapping and supercell.

    Raises:
        InputError: there is no such potential.
        MissingDependencyError: its package or weights are missing.
        CheckpointError: its weights are not the ones the registry names.
    """
    force_field = load(name, device=device)
    system = disturbed_cell(force_field, seed=seed)
    return check_force_field(force_field, system, seed=seed)


def check_force_field(force_field: ForceField, system: AtomicSystem, *, seed: int = 0) -> tuple[CheckReport, ...]:
    """The same for a loaded potential and a cell of one's own."""
    generator = np.random.default_rng(seed)
    reports = [
        _report("forces are minus the gradient", _force_error(force_field, system), GRADIENT_LIMIT_eV_PER_A, "eV/A"),
        _report("stress is the strain derivative", _stress_error(force_field, system), GRADIENT_LIMIT_eV_PER_A, "eV"),
    ]
    for label, change in _CHANGES.items():
        energy, force = _symmetry_error(force_field, system, change, generator)
        reports.append(_report(f"energy, {label}", energy, SYMMETRY_LIMIT_eV_PER_ATOM, "eV/atom"))
        reports.append(_report(f"forces, {label}", force, SYMMETRY_LIMIT_eV_PER_A, "eV/A"))
    return tuple(reports)


def disturbed_cell(force_field: ForceField, *, seed: int) -> AtomicSystem:
    """A sheared, rattled rock-salt cell of eight atoms: LiCl, or two elements that the potential covers.

    Args:
        force_field: gives the elements.
        seed: of the displacements.
    """
    from ase.build import bulk  # noqa: PLC0415 - heavy beside the rest

    pair = ("Li", "Cl") if {"Li", "Cl"} <= force_field.elements else tuple(sorted(force_field.elements))[:2]
    atoms = bulk(f"{pair[0]}{pair[-1]}", "rocksalt", a=5.13, cubic=True)
    generator = np.random.default_rng(seed)
    strain = np.eye(3) + generator.normal(scale=0.02, size=(3, 3))
    positions = (atoms.positions + generator.normal(scale=0.1, size=atoms.positions.shape)) @ strain
    return AtomicSystem(atoms.numbers, positions, atoms.cell.array @ strain)


def _report(name: str, deviation: float, limit: float, unit: str) -> CheckReport:
    return CheckReport(name=name, passed=bool(deviation <= limit), deviation=deviation, limit=limit, unit=unit)


def _force_error(force_field: ForceField, system: AtomicSystem) -> float:
    forces = force_field.evaluate(system).forces_eV_per_A
    worst = 0.0
    for atom in range(min(PROBED_ATOMS, len(system))):
        for axis in range(3):
            energies = []
            for sign in (1, -1):
                moved = system.positions_A.copy()
                moved[atom, axis] += sign * STEP_A
                energies.append(
                    force_field.evaluate(AtomicSystem(system.numbers, moved, system.lattice_A)).energy_eV,
                )
            numerical = -(energies[0] - energies[1]) / (2 * STEP_A)
            worst = max(worst, abs(numerical - forces[atom, axis]))
    return float(worst)


def _stress_error(force_field: ForceField, system: AtomicSystem) -> float:
    # Compared as virials (eV), so that the limit does not depend on the volume.
    stress = force_field.evaluate(system, stress=True).stress_eV_per_A3
    if stress is None:
        return float("inf")
    worst = 0.0
    for row in range(3):
        for column in range(row, 3):
            strain = np.zeros((3, 3))
            strain[row, column] += STRAIN_STEP / 2
            strain[column, row] += STRAIN_STEP / 2
            energies = [force_field.evaluate(_strained(system, sign * strain)).energy_eV for sign in (1, -1)]
            numerical = (energies[0] - energies[1]) / (2 * STRAIN_STEP)
            worst = max(worst, abs(numerical - stress[row, column] * system.volume_A3))
    return float(worst)


def _strained(system: AtomicSystem, strain: FloatArray) -> AtomicSystem:
    deformation = np.eye(3) + strain
    return AtomicSystem(system.numbers, system.positions_A @ deformation, system.lattice_A @ deformation)


# A change gives the changed cell and the forces it must have, from those of the original.
_Change = Callable[[AtomicSystem, FloatArray, np.random.Generator], tuple[AtomicSystem, FloatArray]]


def _symmetry_error(
    force_field: ForceField,
    system: AtomicSystem,
    change: _Change,
    generator: np.random.Generator,
) -> tuple[float, float]:
    before = force_field.evaluate(system)
    changed, expected = change(system, before.forces_eV_per_A, generator)
    after = force_field.evaluate(changed)
    energy = abs(after.energy_eV / len(changed) - before.energy_eV / len(system))
    return float(energy), float(np.abs(after.forces_eV_per_A - expected).max())


def _translated(
    system: AtomicSystem, forces: FloatArray, generator: np.random.Generator
) -> tuple[AtomicSystem, FloatArray]:
    return AtomicSystem(system.numbers, system.positions_A + generator.uniform(-3, 3, 3), system.lattice_A), forces


def _rotated(
    system: AtomicSystem, forces: FloatArray, generator: np.random.Generator
) -> tuple[AtomicSystem, FloatArray]:
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    turned = AtomicSystem(system.numbers, system.positions_A @ rotation, system.lattice_A @ rotation)
    return turned, forces @ rotation


def _permuted(
    system: AtomicSystem, forces: FloatArray, generator: np.random.Generator
) -> tuple[AtomicSystem, FloatArray]:
    order = generator.permutation(len(system))
    return AtomicSystem(system.numbers[order], system.positions_A[order], system.lattice_A), forces[order]


def _other_images(
    system: AtomicSystem, forces: FloatArray, generator: np.random.Generator
) -> tuple[AtomicSystem, FloatArray]:
    shifts = generator.integers(-3, 4, size=(len(system), 3)).astype(float)
    return AtomicSystem(system.numbers, system.positions_A + shifts @ system.lattice_A, system.lattice_A), forces


def _doubled(
    system: AtomicSystem, forces: FloatArray, _generator: np.random.Generator
) -> tuple[AtomicSystem, FloatArray]:
    doubled = system.lattice_A * np.array([[2.0], [1.0], [1.0]])
    positions = np.concatenate([system.positions_A, system.positions_A + system.lattice_A[0]])
    return AtomicSystem(np.tile(system.numbers, 2), positions, doubled), np.tile(forces, (2, 1))


_CHANGES: dict[str, _Change] = {
    "cell moved": _translated,
    "cell rotated": _rotated,
    "atoms in another order": _permuted,
    "atoms moved by lattice vectors": _other_images,
    "cell doubled": _doubled,
}
