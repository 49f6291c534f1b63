"""Physical checks of a potential, valid for any weights: gradients, symmetries, conservation and coverage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii

from vitrion_models.errors import InputError, VitrionError, first_line
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.potentials.checks.conservation import energy_drift_eV_per_atom_ps
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.registry import load

# Differences of fourth order: single-precision energies of 30 eV limit them to some 3e-4 eV/A, the formula to 1e-6.
STEP_A = 1e-2
STRAIN_STEP = 2e-3
STENCIL = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))
FORCE_LIMIT_eV_PER_A = 5e-3
VIRIAL_LIMIT_eV = 2e-2
SYMMETRY_LIMIT_eV_PER_ATOM = 2e-5
SYMMETRY_LIMIT_eV_PER_A = 2e-3
# A GPU sums in any order; the effect of a stored previous cell would be larger.
REPEAT_LIMIT_eV_PER_A = 1e-5
# Temperature error of 4 K at a friction of 1/ps, below half a per cent of the temperatures of labels.
DRIFT_LIMIT_eV_PER_ATOM_PS = 1e-3
PROBED_ATOMS = 4
PREFERRED = ("Li", "Cl")
# Nearest neighbours of rock salt and simple cubic cells, over the sum of covalent radii.
LOOSENESS = 1.115
OUTSIDER_EDGE_A = 4.0


@dataclass(frozen=True)
class CheckReport:
    """Outcome of one check.

    Attributes:
        name: property that was checked.
        passed: True if the deviation lies within the limit.
        deviation: greatest deviation.
        limit: greatest allowed deviation.
        unit: unit of both.
    """

    name: str
    passed: bool
    deviation: float
    limit: float
    unit: str


def check(
    potential: str | ForceField,
    *,
    system: AtomicSystem | None = None,
    elements: Sequence[str] = (),
    device: str = "cpu",
    seed: int = 0,
) -> tuple[CheckReport, ...]:
    """Check a potential by name, which also checks its sha256, or a loaded one.

    The checks are: forces against the numerical gradient, stress against the strain derivative, invariance to
    translation, rotation, order of atoms, wrapping and supercell, reproducibility, energy conservation in a short run,
    forces for each covered element, and refusal of all others.

    Args:
        potential: registry name, or a loaded potential.
        system: test cell; a disturbed rock-salt cell when None.
        elements: one or two elements of that cell; lithium and chlorine, or others of the coverage, when empty.
        device: device for a potential given by name.
        seed: seed of displacements, rotations and velocities.

    Raises:
        InputError: there is no such potential, it does not cover the elements, or computes no forces for them.
        MissingDependencyError: its package or weights are missing.
        CheckpointError: its weights are not those of the registry.

    Example:
        >>> from vitrion_workflows import potentials
        >>> all(report.passed for report in potentials.check("lennard-jones"))
        True
    """
    force_field = load(potential, device=device) if isinstance(potential, str) else potential
    cell = disturbed_cell(force_field, elements=elements, seed=seed) if system is None else system
    return check_force_field(force_field, cell, seed=seed)


def check_force_field(force_field: ForceField, system: AtomicSystem, *, seed: int = 0) -> tuple[CheckReport, ...]:
    """Check a loaded potential on a given cell; see `check`."""
    _require_forces(force_field, system)
    generator = np.random.default_rng(seed)
    drift = energy_drift_eV_per_atom_ps(force_field, system, seed=seed)
    reports = [
        _report("forces are minus the gradient", _force_error(force_field, system), FORCE_LIMIT_eV_PER_A, "eV/A"),
        _report("stress is the strain derivative", _stress_error(force_field, system), VIRIAL_LIMIT_eV, "eV"),
        _report("reproducible", _memory(force_field, system, generator), REPEAT_LIMIT_eV_PER_A, "eV/A"),
        _report("energy is conserved", drift, DRIFT_LIMIT_eV_PER_ATOM_PS, "eV/atom/ps"),
        _report("covered elements without forces", _without_forces(force_field), 0, "elements"),
        _report("other elements not refused", _not_refused(force_field), 0, "elements"),
    ]
    for label, change in _CHANGES.items():
        energy, force = _symmetry_error(force_field, system, change, generator)
        reports.append(_report(f"energy, {label}", energy, SYMMETRY_LIMIT_eV_PER_ATOM, "eV/atom"))
        reports.append(_report(f"forces, {label}", force, SYMMETRY_LIMIT_eV_PER_A, "eV/A"))
    return tuple(reports)


def disturbed_cell(force_field: ForceField, *, seed: int, elements: Sequence[str] = ()) -> AtomicSystem:
    """Return a sheared, rattled rock-salt cell of eight atoms.

    Args:
        force_field: potential whose coverage gives the elements where none are named: LiCl, or two others.
        seed: seed of the displacements.
        elements: one or two chemical symbols.

    Raises:
        InputError: they are not elements.
    """
    from ase.build import bulk  # noqa: PLC0415 - heavy beside the rest

    covered = PREFERRED if set(PREFERRED) <= force_field.elements else tuple(sorted(force_field.elements))[:2]
    pair = tuple(elements)[:2] or covered
    unknown = sorted(set(elements) - set(chemical_symbols[1:]))
    if unknown:
        raise InputError(f"{', '.join(unknown)} are not elements: give chemical symbols, for example Li,Cl")
    radii_A = [covalent_radii[atomic_numbers[symbol]] for symbol in (pair[0], pair[-1])]
    atoms = bulk(f"{pair[0]}{pair[-1]}", "rocksalt", a=2 * LOOSENESS * sum(radii_A), cubic=True)
    generator = np.random.default_rng(seed)
    strain = np.eye(3) + generator.normal(scale=0.02, size=(3, 3))
    positions = (atoms.positions + generator.normal(scale=0.1, size=atoms.positions.shape)) @ strain
    return AtomicSystem(atoms.numbers, positions, atoms.cell.array @ strain)


def _report(name: str, deviation: float, limit: float, unit: str) -> CheckReport:
    return CheckReport(name=name, passed=bool(deviation <= limit), deviation=deviation, limit=limit, unit=unit)


def _require_forces(force_field: ForceField, system: AtomicSystem) -> None:
    try:
        force_field.evaluate(system, stress=True)
    except VitrionError:
        raise
    except Exception as error:
        # Exception classes of any package: the potential cannot compute the test cell.
        symbols = ", ".join(sorted({chemical_symbols[number] for number in system.numbers}))
        raise InputError(
            f"potential {force_field.name} gives no forces and stress for {symbols} ({first_line(error)}): "
            "give elements that it covers"
        ) from error


def _force_error(force_field: ForceField, system: AtomicSystem) -> float:
    forces = force_field.evaluate(system).forces_eV_per_A
    worst = 0.0
    for atom in np.unique(np.linspace(0, len(system) - 1, PROBED_ATOMS).round().astype(int)):
        for axis in range(3):
            slope = 0.0
            for steps, weight in STENCIL:
                moved = system.positions_A.copy()
                moved[atom, axis] += steps * STEP_A
                energy = force_field.evaluate(AtomicSystem(system.numbers, moved, system.lattice_A)).energy_eV
                slope += weight * energy / STEP_A
            worst = max(worst, abs(-slope - forces[atom, axis]))
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
            slope = sum(
                weight * force_field.evaluate(_strained(system, steps * strain)).energy_eV / STRAIN_STEP
                for steps, weight in STENCIL
            )
            both = np.array([stress[row, column], stress[column, row]]) * system.volume_A3
            worst = max(worst, float(np.abs(slope - both).max()))
    return worst


def _strained(system: AtomicSystem, strain: FloatArray) -> AtomicSystem:
    deformation = np.eye(3) + strain
    return AtomicSystem(system.numbers, system.positions_A @ deformation, system.lattice_A @ deformation)


def _memory(force_field: ForceField, system: AtomicSystem, generator: np.random.Generator) -> float:
    first = force_field.evaluate(system).forces_eV_per_A
    moved = system.positions_A + generator.normal(scale=0.1, size=system.positions_A.shape)
    force_field.evaluate(AtomicSystem(system.numbers, moved, system.lattice_A))
    again = force_field.evaluate(system).forces_eV_per_A
    return float(np.abs(again - first).max())


def _without_forces(force_field: ForceField) -> int:
    """Count the covered elements without finite energy and forces in a cell of one atom."""
    failed = 0
    for symbol in sorted(force_field.elements):
        number = atomic_numbers[symbol]
        edge_A = 2 * LOOSENESS * covalent_radii[number]
        try:
            result = force_field.evaluate(_single_atom(number, edge_A))
        except Exception:  # noqa: BLE001 - exceptions of any package
            failed += 1
        else:
            failed += not np.isfinite(result.energy_eV + float(result.forces_eV_per_A.sum()))
    return failed


def _not_refused(force_field: ForceField) -> int:
    """Count the elements outside the coverage that are computed instead of refused by name."""
    accepted = 0
    for symbol in sorted(set(chemical_symbols[1:]) - force_field.elements):
        try:
            force_field.evaluate(_single_atom(atomic_numbers[symbol], OUTSIDER_EDGE_A))
        except InputError as error:
            accepted += symbol not in str(error)
        except Exception:  # noqa: BLE001 - a crash is not a refusal
            accepted += 1
        else:
            accepted += 1
    return accepted


def _single_atom(number: int, edge_A: float) -> AtomicSystem:
    return AtomicSystem(np.array([number]), np.array([[0.1, 0.2, 0.3]]), np.eye(3) * edge_A)


# Returns the changed cell and its expected forces, from those of the original, shape (N, 3).
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
