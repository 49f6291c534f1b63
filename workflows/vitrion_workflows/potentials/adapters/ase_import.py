"""Any ASE calculator as a potential: the adapter, and the entry `ase:module.path:Class` or `ase:...:Class@Cu,Au`."""

import hashlib
from importlib import import_module
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceField, ForceResult, wrapped
from vitrion_workflows.potentials.weights.identity import sha256_of

ADVICE = "give ase:module.path:Class, for example ase:ase.calculators.emt:EMT@Cu,Au with the elements it covers"

UNVERSIONED = "unversioned"


class AseForceField(ForceField):
    """A calculator of the Atomic Simulation Environment behind our array interface."""

    def __init__(
        self,
        calculator: Any,
        *,
        name: str,
        version: str,
        weights_sha256: str,
        elements: frozenset[str],
    ) -> None:
        super().__init__(name=name, version=version, weights_sha256=weights_sha256, elements=elements)
        self._calculator = calculator

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`."""
        atoms = Atoms(numbers=numbers, positions=wrapped(positions_A, lattice_A), cell=lattice_A, pbc=True)
        atoms.calc = self._calculator
        forces = np.asarray(atoms.get_forces(), dtype=np.float64)
        energy = float(np.asarray(atoms.get_potential_energy()).item())
        tensor = np.asarray(atoms.get_stress(voigt=False), dtype=np.float64) if stress else None
        if forces.shape != positions_A.shape:
            raise InputError(
                f"{self.name} gives forces of shape {forces.shape} for {len(positions_A)} atoms: mend its calculator"
            )
        return ForceResult(energy, forces, tensor)


def load_ase(argument: str, _device: str) -> AseForceField:
    """Import a calculator class and make it without arguments.

    Its identity is the sha256 of its import path and the version of the package it comes from, or of its source where
    no package brings it: an importable calculator shows no weights. What it covers stands after an ``@``; where nothing
    stands there, nothing is refused.

    Raises:
        InputError: the argument is no `module:Class`, names things that are no elements, or the class cannot be made
            without arguments.
        MissingDependencyError: the module or the class is not there.
    """
    path, stated, symbols = argument.partition("@")
    elements = _elements(argument, symbols) if stated else frozenset(chemical_symbols[1:])
    module_name, separator, class_name = path.partition(":")
    if not (separator and module_name and class_name):
        raise InputError(f"ase:{argument} names no calculator: {ADVICE}")
    try:
        module = import_module(module_name)
        calculator_class = getattr(module, class_name)
    except (ImportError, AttributeError) as error:
        raise MissingDependencyError(f"ase:{argument} cannot be imported ({error}): install its package") from error
    try:
        calculator = calculator_class()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"ase:{argument} cannot be made without arguments: wrap it in a class of your own") from error
    if not (hasattr(calculator, "get_forces") and hasattr(calculator, "get_potential_energy")):
        raise InputError(f"ase:{argument} is no calculator, it gives no forces: {ADVICE}")
    package_version = _package_version(module_name)
    identity = hashlib.sha256(f"{path} {package_version or _source_sha256(module)}".encode()).hexdigest()
    return AseForceField(
        calculator,
        name=f"ase:{path}",
        version=package_version or UNVERSIONED,
        weights_sha256=identity,
        elements=elements,
    )


def probe_ase(argument: str) -> Availability:
    """Whether the module of the calculator can be found."""
    if not argument:
        return Availability(ok=True, reason=ADVICE)
    root = argument.partition(":")[0].partition(".")[0]
    if not root.isidentifier() or find_spec(root) is None:
        return Availability(ok=False, reason=f"no package {root!r} to import: install it")
    return Availability(ok=True, reason=f"imported from {root}")


def _elements(argument: str, symbols: str) -> frozenset[str]:
    found = frozenset(symbols.split(","))
    if not found <= set(chemical_symbols[1:]):
        raise InputError(f"ase:{argument}: {symbols!r} is no list of elements: {ADVICE}")
    return found


def _package_version(module_name: str) -> str | None:
    distributions = packages_distributions().get(module_name.partition(".")[0])
    return version(distributions[0]) if distributions else None


def _source_sha256(module: ModuleType) -> str:
    return sha256_of(Path(module.__file__)) if module.__file__ else UNVERSIONED
