"""DIEP 2.0, trained on MatPES r2SCAN: the weights of its package, evaluated by our own network."""

import json
from importlib.metadata import version
from pathlib import Path

from ase.data import atomic_numbers

from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.graph.force_field import GraphForceField
from vitrion_workflows.potentials.weights.package import Package, PackagedWeights

DIEP_SHA256 = "3be1df5dbe3d15e1d35a2ca1d3c50a6b212ea2d248c89e02d84fa780eb609576"
PACKAGE = Package("diep", "diep", "pip install diep")
WEIGHTS = PackagedWeights("diep", PACKAGE, "pretrained_models/diep_fold1/state.pt", DIEP_SHA256)
DESCRIPTION = "model.json"


class DiepForceField(GraphForceField):
    """DIEP's weights in our own evaluation of its network (`diep.network`); the package's code is not run."""

    def __init__(self, weights: Path, *, device: str) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and only the graph networks need it

        from vitrion_workflows.potentials.diep.network import DiepNetwork  # noqa: PLC0415 - imports torch

        arguments = json.loads(weights.with_name(DESCRIPTION).read_text())["kwargs"]["model"]["init_args"]
        symbols = arguments["element_types"]
        super().__init__(
            DiepNetwork(
                torch.load(weights, map_location="cpu", weights_only=True),
                arguments,
                numbers=torch.tensor([atomic_numbers[symbol] for symbol in symbols]),
                device=device,
            ),
            name="diep",
            version=f"2.0 fold1 (diep {version('diep')})",
            weights_sha256=DIEP_SHA256,
            elements=frozenset(symbols),
            device=device,
        )


def load_diep(_argument: str, device: str) -> DiepForceField:
    """Load DIEP with the weights of its package.

    Raises:
        MissingDependencyError: the package or its weights are missing.
        CheckpointError: the package carries other weights.
    """
    return DiepForceField(WEIGHTS.require(), device=device)


ENTRIES = (
    PotentialEntry(
        name="diep",
        version="2.0 fold1",
        weights_sha256=DIEP_SHA256,
        licence="BSD-3-Clause",
        functional="r2SCAN (MatPES)",
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed="slow: about 1.4 milliseconds an atom and step on one core",
        citation="S. A. Tawfik et al., Digital Discovery (2024), doi:10.1039/d4dd00246f; "
        "A. D. Kaplan et al., arXiv:2503.04070 (2025)",
        how_to_install=PACKAGE.advice,
        optional=False,
        loader=load_diep,
        probe=WEIGHTS.probe,
    ),
)
