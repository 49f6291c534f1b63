"""Stored form of the amorphous diffusion model; there is one version so far."""

from typing import Any

import torch

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.guidance import HardCores
from vitrion_models.generators.amorphous_diffusion.model import AmorphousDiffusion
from vitrion_models.generators.contract import TrainingMetrics
from vitrion_models.training.checkpoint import Arrays, Manifest, Upgrade

VERSION = 1
UPGRADES: dict[int, Upgrade] = {}


def describe(model: AmorphousDiffusion) -> tuple[Arrays, Manifest]:
    """Return the weights of a model and its manifest of JSON values."""
    arrays = {name: tensor.numpy() for name, tensor in model.denoiser.state_dict().items()}
    manifest: dict[str, Any] = {
        "config": model.config.model_dump(mode="json"),
        "metrics": model.metrics.model_dump(mode="json"),
        "training_hash": model.training_hash,
        "parent_sha256": model.parent_sha256,
        "cores": [list(row) for row in model.cores.as_rows()],
        "unseen_share": model.cores.default_ratio,
    }
    return arrays, manifest


def restore(arrays: Arrays, manifest: Manifest) -> AmorphousDiffusion:
    """Return the model of a checkpoint of the present version.

    Raises:
        ValueError: the manifest does not fit.
        RuntimeError: the weights do not fit.
        LookupError: something is missing in it.
    """
    config = AmorphousDiffusionConfig.model_validate(manifest["config"])
    denoiser = Denoiser(config)
    denoiser.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return AmorphousDiffusion(
        denoiser=denoiser.requires_grad_(requires_grad=False),
        cores=HardCores.from_rows(manifest["cores"], manifest["unseen_share"]),
        config=config,
        metrics=TrainingMetrics.model_validate(manifest["metrics"]),
        training_hash=manifest["training_hash"],
        parent_sha256=manifest["parent_sha256"],
    )
