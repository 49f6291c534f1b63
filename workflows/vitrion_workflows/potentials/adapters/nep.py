"""NEP89, a neuroevolution potential of 89 elements, evaluated by nep-adapters' native library."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.errors import CheckpointError, InputError, first_line
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.devices import one_thread
from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.force_field import BatchForces, Cells, ForceField, ForceResult, wrapped
from vitrion_workflows.potentials.weights.package import Package, require_weights, sha256_of, weights_folder

NEP89_SHA256 = "75168ece02e840e4a32644f982b78d43cba697f5b64b4c8134ab66c7a8c28be1"
NEP89_FILE = "nep89.txt"
ADVICE = "vitrion potentials install nep89"
PACKAGE = Package("nep_adapters", "nep-adapters", "pip install 'vitrion[nep]'")
PERIODIC = (1, 1, 1)
BACKENDS = ("cpu", "cuda")  # nep-adapters takes no index of a GPU


class NepForceField(ForceField):
    """A NEP file evaluated by nep-adapters' native library, arrays in and out."""

    def __init__(self, path: Path, *, name: str, weights_sha256: str, device: str) -> None:
        with one_thread():
            from nep_adapters.errors import NepAdaptersError  # noqa: PLC0415 - an optional package
            from nep_adapters.runtime import load_model  # noqa: PLC0415
        try:
            model = load_model(device, str(path))
        except NepAdaptersError as error:
            reason = first_line(error)
            raise CheckpointError(f"{path}: nep-adapters cannot use it on {device}: {reason}") from error
        elements = header_elements(path)
        super().__init__(
            name=name,
            version=f"{name} (nep-adapters {version('nep-adapters')})",
            weights_sha256=weights_sha256,
            elements=frozenset(elements),
        )
        self._model: Any = model
        self._types = np.full(len(chemical_symbols), -1, dtype=np.int32)
        self._types[[atomic_numbers[symbol] for symbol in elements]] = np.arange(len(elements))

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`. GPUMD's virial is pressure-positive: stress = -virial / volume."""
        # GPUMD keeps lattice vectors as columns.
        energies, forces, virials = self._model.calculate(
            self._types[numbers],
            np.ascontiguousarray(lattice_A.T).reshape(1, 9),
            wrapped(positions_A, lattice_A),
            np.array([len(numbers)], dtype=np.int32),
            PERIODIC,
        )
        tensor: FloatArray | None = None
        if stress:
            virial = virials.sum(axis=0).reshape(3, 3)
            tensor = -0.5 * (virial + virial.T) / abs(np.linalg.det(lattice_A))
        return ForceResult(float(energies.sum()), forces, tensor)

    def compute_batch(self, cells: Cells, positions_A: FloatArray) -> BatchForces:
        """See `ForceField.compute_batch`: one native call for all cells."""
        energies, forces, _virials = self._model.calculate(
            self._types[cells.numbers],
            np.ascontiguousarray(cells.lattices_A.transpose(0, 2, 1)).reshape(-1, 9),
            cells.wrapped(positions_A),
            cells.counts.astype(np.int32),
            PERIODIC,
        )
        return BatchForces(np.add.reduceat(energies, cells.starts), forces)


def header_elements(path: Path) -> tuple[str, ...]:
    """Return the chemical symbols of a NEP file, in the order of its types.

    Raises:
        CheckpointError: it is not a NEP file.
    """
    with path.open("rb") as stream:
        fields = stream.readline(4096).decode("ascii", errors="replace").split()
    count = int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0
    symbols = tuple(fields[2 : 2 + count])
    if not fields or not fields[0].startswith("nep") or not symbols or not set(symbols) <= set(chemical_symbols):
        raise CheckpointError(f"{path} is not a NEP file, its first line names no elements: {ADVICE}")
    return symbols


def require_backend(name: str, device: str) -> None:
    """Refuse a GPU with an index.

    Raises:
        InputError: nep-adapters has no such device.
    """
    if device not in BACKENDS:
        raise InputError(f"device {device!r}: {name} runs on cpu or cuda; choose a GPU by CUDA_VISIBLE_DEVICES")


def load_nep89(_argument: str, device: str) -> NepForceField:
    """Load NEP89 from the folder of installed weights.

    Raises:
        MissingDependencyError: nep-adapters or the file is missing.
        InputError: the device is a GPU with an index.
        CheckpointError: the file is another one.
    """
    PACKAGE.require("nep89")
    require_backend("nep89", device)
    path = weights_folder() / NEP89_FILE
    require_weights(path, sha256=NEP89_SHA256, name="nep89", advice=ADVICE)
    return NepForceField(path, name="nep89", weights_sha256=NEP89_SHA256, device=device)


def probe_nep89(_argument: str) -> Availability:
    """Check that NEP89 can run."""
    return PACKAGE.probe(_probe_file)


def _probe_file() -> Availability:
    path = weights_folder() / NEP89_FILE
    if not path.is_file():
        return Availability(ok=False, reason=f"no {path}: {ADVICE}")
    if sha256_of(path) != NEP89_SHA256:
        return Availability(ok=False, reason=f"{path} has another sha256: {ADVICE}")
    return Availability(ok=True, reason=str(path))


ENTRIES = (
    PotentialEntry(
        name="nep89",
        version="2025-04",
        weights_sha256=NEP89_SHA256,
        licence="GPL-3.0 (weights' package and nep-adapters)",
        functional="several data sets, mainly PBE (see its paper)",
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed="fast: 25-45 microseconds an atom and step on one core",
        citation="T. Liang et al., NEP89: Universal neuroevolution potential for inorganic and organic materials "
        "across 89 elements, arXiv:2504.21286 (2025)",
        how_to_install=f"{PACKAGE.advice}; {ADVICE}",
        loader=load_nep89,
        probe=probe_nep89,
    ),
)
