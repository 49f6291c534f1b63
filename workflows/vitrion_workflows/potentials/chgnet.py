"""CHGNet 0.3.0: its weights lie inside the package."""

import contextlib
import io
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from ase.units import GPa

from vitrion_models.errors import MissingDependencyError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceField, ForceResult, wrapped
from vitrion_workflows.potentials.weights import require_weights

CHGNET_SHA256 = "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1"
WEIGHTS = Path("pretrained") / "0.3.0" / "chgnet_0.3.0_e29f68s314m37.pth.tar"
ADVICE = "pip install chgnet"
# Trained on elements 1-94 without Po, At, Rn, Fr and Ra (its paper: 89 elements).
ABSENT = {"Po", "At", "Rn", "Fr", "Ra"}
CHGNET_ELEMENTS = frozenset(chemical_symbols[1:95]) - ABSENT


class ChgnetForceField(ForceField):
    """CHGNet through its graph converter, without ASE between."""

    def __init__(self, path: Path, *, device: str) -> None:
        super().__init__(
            name="chgnet",
            version=f"0.3.0 (chgnet {version('chgnet')})",
            weights_sha256=CHGNET_SHA256,
            elements=CHGNET_ELEMENTS,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party deprecations at import are not the caller's business
            import torch  # noqa: PLC0415 - seconds to import, and only this potential needs it
            from chgnet.model.model import CHGNet  # noqa: PLC0415

        stored = torch.load(path, map_location="cpu", weights_only=True)
        with contextlib.redirect_stdout(io.StringIO()):  # it greets
            model = CHGNet.from_dict(stored["model"])
        model.graph_converter.set_isolated_atom_response("ignore")
        self._device = device
        self._model: Any = model.to(device).eval()

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`. CHGNet gives energy per atom and stress in GPa, in single precision."""
        from pymatgen.core import Lattice, Structure  # noqa: PLC0415 - as torch above

        structure = Structure(
            Lattice(lattice_A),
            numbers.tolist(),
            wrapped(positions_A, lattice_A),
            coords_are_cartesian=True,
        )
        graph = self._model.graph_converter(structure)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Converting a tensor with requires_grad", UserWarning)  # inside chgnet
            result = self._model.predict_graph(graph.to(self._device), task="efs" if stress else "ef")
        tensor = np.asarray(result["s"], dtype=np.float64) * GPa if stress else None
        return ForceResult(
            float(result["e"]) * len(numbers),
            np.asarray(result["f"], dtype=np.float64),
            tensor,
        )


def load_chgnet(_argument: str, device: str) -> ChgnetForceField:
    """CHGNet with the weights of its package.

    Raises:
        MissingDependencyError: the package or its weights are missing.
        CheckpointError: the package carries other weights.
    """
    path = _weights_path()
    if path is None:
        raise MissingDependencyError(f"potential chgnet needs the package chgnet: {ADVICE}")
    require_weights(path, sha256=CHGNET_SHA256, name="chgnet", advice=ADVICE)
    return ChgnetForceField(path, device=device)


def probe_chgnet(_argument: str) -> Availability:
    """Whether CHGNet can run, and if not what to do."""
    path = _weights_path()
    if path is None:
        return Availability(ok=False, reason=f"chgnet is not installed: {ADVICE}")
    if not path.is_file():
        return Availability(ok=False, reason=f"no {path}: {ADVICE}")
    return Availability(ok=True, reason=str(path))


def _weights_path() -> Path | None:
    # find_spec does not run the package, which would import torch.
    found = find_spec("chgnet")
    return None if found is None or found.origin is None else Path(found.origin).parent / WEIGHTS
