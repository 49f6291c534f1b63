"""Any ASE calculator as a potential: `ase:module.path:Class`, or `ase:module.path:Class@Cu,Au` with its elements."""

import hashlib
from importlib import import_module
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from ase import Atoms

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import ALL_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField, ForceResult, wrapped
from vitrion_workflows.potentials.weights.package import sha256_of

ADVICE = "give ase:module.path:Class, for example ase:ase.calculators.emt:EMT@Cu,Au with the elements it covers"

UNVERSIONED = "unversioned"


class AseForceField(ForceField):
    """An ASE calculator behind the array interface of `ForceField`."""

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
                f"{self.name} gives forces of shape {forces.shape} for {len(positions_A)} atoms: correct its calculator"
            )
        return ForceResult(energy, forces, tensor)


def load_ase(argument: str, _device: str) -> AseForceField:
    """Import a calculator class and instantiate it without arguments.

    A calculator shows no weights: its identity is the sha256 of its import path and of the version of its package, or
    of its source where it belongs to no package. The elements after an ``@`` are its coverage; without them no element
    is refused.

    Raises:
        InputError: the argument is not `module:Class`, the elements do not exist, or the class needs arguments.
        MissingDependencyError: the module or the class is missing.
    """
    path, at, symbols = argument.partition("@")
    elements = _elements(argument, symbols) if at else ALL_ELEMENTS
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
        raise InputError(f"ase:{argument} needs arguments: wrap it in a class without any") from error
    if not (hasattr(calculator, "get_forces") and hasattr(calculator, "get_potential_energy")):
        raise InputError(f"ase:{argument} is not a calculator with forces: {ADVICE}")
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
    """Check that the package of the calculator can be found."""
    if not argument:
        return Availability(ok=True, reason=ADVICE)
    root = argument.partition(":")[0].partition(".")[0]
    if not root.isidentifier() or find_spec(root) is None:
        return Availability(ok=False, reason=f"no package {root!r} to import: install it")
    return Availability(ok=True, reason=f"imported from {root}")


def _elements(argument: str, symbols: str) -> frozenset[str]:
    elements = frozenset(symbols.split(","))
    if not elements <= ALL_ELEMENTS:
        raise InputError(f"ase:{argument}: {symbols!r} is not a list of elements: {ADVICE}")
    return elements


def _package_version(module_name: str) -> str | None:
    distributions = packages_distributions().get(module_name.partition(".")[0])
    return version(distributions[0]) if distributions else None


def _source_sha256(module: ModuleType) -> str:
    return sha256_of(Path(module.__file__)) if module.__file__ else UNVERSIONED


ENTRIES = (
    PotentialEntry(
        name="ase:",
        version="that of the package",
        licence="that of the package",
        functional="that of the calculator",
        elements=frozenset(),
        speed="unknown: that of the calculator",
        citation="A. Hjorth Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017)",
        how_to_install=ADVICE,
        loader=load_ase,
        probe=probe_ase,
        gpu=False,
    ),
)
