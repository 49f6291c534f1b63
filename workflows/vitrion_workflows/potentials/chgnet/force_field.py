"""CHGNet: the checkpoints 0.3.0, 0.2.0 and r2SCAN of its package, evaluated by our own network."""

from importlib.metadata import version
from pathlib import Path

from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, MPTRJ, PotentialEntry
from vitrion_workflows.potentials.graph.force_field import GraphForceField
from vitrion_workflows.potentials.weights.package import Package, PackagedWeights

PACKAGE = Package("chgnet", "chgnet", "pip install chgnet")
PAPER = "B. Deng et al., Nature Machine Intelligence 5, 1031 (2023)"


class ChgnetForceField(GraphForceField):
    """CHGNet's weights in our own evaluation of its network (`chgnet.network`); the package's code is not run."""

    def __init__(self, path: Path, *, name: str, release: str, weights_sha256: str, device: str) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and only the graph networks need it

        from vitrion_workflows.potentials.chgnet.network import ChgnetNetwork  # noqa: PLC0415 - imports torch

        checkpoint = torch.load(path, map_location="cpu", weights_only=True)["model"]
        super().__init__(
            ChgnetNetwork(checkpoint["state_dict"], checkpoint["model_args"], device=device),
            name=name,
            version=f"{release} (chgnet {version('chgnet')})",
            weights_sha256=weights_sha256,
            elements=MATERIALS_PROJECT_ELEMENTS,
            device=device,
        )


def _entry(
    name: str, release: str, file: str, sha256: str, *, functional: str, milliseconds: str, citation: str = PAPER
) -> PotentialEntry:
    weights = PackagedWeights(name, PACKAGE, f"pretrained/{release}/{file}", sha256)

    def load(_argument: str, device: str) -> ChgnetForceField:
        return ChgnetForceField(weights.require(), name=name, release=release, weights_sha256=sha256, device=device)

    return PotentialEntry(
        name=name,
        version=release,
        weights_sha256=sha256,
        licence="BSD-3-Clause",
        functional=functional,
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed=f"slow: about {milliseconds} milliseconds an atom and step on one core",
        citation=citation,
        how_to_install=PACKAGE.advice,
        optional=False,
        loader=load,
        probe=weights.probe,
    )


ENTRIES = (
    _entry(
        "chgnet",
        "0.3.0",
        "chgnet_0.3.0_e29f68s314m37.pth.tar",
        "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1",
        functional=MPTRJ,
        milliseconds="0.9",
    ),
    _entry(
        "chgnet:0.2.0",
        "0.2.0",
        "chgnet_0.2.0_e30f77s348m32.pth.tar",
        "ef624f78b6db9d315b4ef256f1bb3207449924191b91720dc17d3f60c5df980e",
        functional=MPTRJ,
        milliseconds="0.5",
    ),
    _entry(
        "chgnet:r2scan",
        "r2scan",
        "chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
        "8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad",
        functional="r2SCAN (Materials Project), by transfer from PBE",
        milliseconds="0.9",
        citation=f"{PAPER}; X. Huang et al., arXiv:2504.05565 (2025)",
    ),
)
