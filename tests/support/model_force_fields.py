"""Force fields with closed-form answers, and cells, for the tests of the engine and of the potentials."""

# ruff: noqa: ARG002 - model fields keep the signature of real ones
import os

import numpy as np
import pytest

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials import ForceField, ForceResult
from vitrion_workflows.schemas.geometry import atoms_from_system


class FreeParticles(ForceField):
    """No forces at all."""

    def __init__(self):
        super().__init__(name="free", version="1", weights_sha256="0" * 64, elements=frozenset({"Li", "I"}))

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        return ForceResult(0.0, np.zeros_like(positions_A), np.zeros((3, 3)) if stress else None)


class HarmonicWells(ForceField):
    """Each atom tied to the place it started from: an Einstein crystal."""

    def __init__(self, sites_A, spring_eV_per_A2):
        super().__init__(name="wells", version="1", weights_sha256="1" * 64, elements=frozenset({"Li", "I"}))
        self.sites_A = sites_A
        self.spring = spring_eV_per_A2

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        away = positions_A - self.sites_A
        return ForceResult(0.5 * self.spring * float((away**2).sum()), -self.spring * away)


class Poisoned(FreeParticles):
    """Free particles until a given call, then NaN."""

    def __init__(self, calls):
        super().__init__()
        self.calls_left = calls

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        self.calls_left -= 1
        value = 0.0 if self.calls_left > 0 else np.nan
        return ForceResult(0.0, np.full_like(positions_A, value))


def rock_salt(*, edge_A=5.2, repeats=1, symbols=(3, 17), noise_A=0.0, seed=0):
    """Rock-salt cell of 8 atoms times repeats cubed, with Gaussian displacements."""
    corners = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    basis = np.concatenate([corners, corners + 0.5])
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (cells[:, None] + basis).reshape(-1, 3) * edge_A
    numbers = np.tile(np.repeat(symbols, 4), len(cells))
    positions = positions + np.random.default_rng(seed).normal(scale=noise_A, size=positions.shape)
    return AtomicSystem(numbers, positions, np.eye(3) * edge_A * repeats)


def scattered(numbers, *, edge_A=20.0, seed=0):
    """Atoms anywhere in a cubic cell."""
    positions = np.random.default_rng(seed).uniform(0, edge_A, (len(numbers), 3))
    return AtomicSystem(np.asarray(numbers), positions, np.eye(3) * edge_A)


def calculated(system, calculator):
    """Return the answer of an ASE calculator for a cell, stress included."""
    atoms = atoms_from_system(system)
    atoms.calc = calculator
    return ForceResult(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False))


def assert_same_forces(given, expected, *, energy_eV, force_eV_per_A, stress_eV_per_A3):
    """Check energy, forces and stress within absolute tolerances."""
    assert given.energy_eV == pytest.approx(expected.energy_eV, abs=energy_eV)
    np.testing.assert_allclose(given.forces_eV_per_A, expected.forces_eV_per_A, atol=force_eV_per_A)
    np.testing.assert_allclose(given.stress_eV_per_A3, expected.stress_eV_per_A3, atol=stress_eV_per_A3)


def nep89_or_skip():
    """NEP89, or a skip that says why (a failure where VITRION_REQUIRE_NEP=1)."""
    available = potentials.installed("nep89")
    if not available.ok:
        if os.environ.get("VITRION_REQUIRE_NEP") == "1":
            pytest.fail(f"VITRION_REQUIRE_NEP=1, but {available.reason}")
        pytest.skip(f"nep89: {available.reason}")
    return potentials.load("nep89")
