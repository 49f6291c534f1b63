"""CHGNet 0.3.0: its weights lie inside the package."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_models.errors import MissingDependencyError
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.graph_force_field import GraphForceField
from vitrion_workflows.potentials.weights import require_weights

CHGNET_SHA256 = "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1"
WEIGHTS = Path("pretrained") / "0.3.0" / "chgnet_0.3.0_e29f68s314m37.pth.tar"
ADVICE = "pip install chgnet"
# Trained on elements 1-94 without Po, At, Rn, Fr and Ra (its paper: 89 elements).
ABSENT = {"Po", "At", "Rn", "Fr", "Ra"}
CHGNET_ELEMENTS = frozenset(chemical_symbols[1:95]) - ABSENT


class ChgnetForceField(GraphForceField):
    """CHGNet's weights in our own evaluation of its network (`chgnet_network`); the package's code is not run."""

    def __init__(self, path: Path, *, name: str, release: str, weights_sha256: str, device: str) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and only the graph networks need it

        from vitrion_workflows.potentials.chgnet_network import ChgnetNetwork  # noqa: PLC0415 - imports torch

        stored = torch.load(path, map_location="cpu", weights_only=True)["model"]
        super().__init__(
            ChgnetNetwork(stored["state_dict"], stored["model_args"], device=device),
            name=name,
            version=f"{release} (chgnet {version('chgnet')})",
            weights_sha256=weights_sha256,
            elements=CHGNET_ELEMENTS,
            device=device,
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
    return ChgnetForceField(path, name="chgnet", release="0.3.0", weights_sha256=CHGNET_SHA256, device=device)


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
