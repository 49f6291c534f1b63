"""Stored form of the multi-fidelity surrogate: that of the Arrhenius surrogates, and the links."""

from dataclasses import astuple, fields, replace

from vitrion_models.heads.multi_fidelity import FidelityLink
from vitrion_models.surrogates.arrhenius_gnn import checkpoints as arrhenius
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_models.training.checkpoint import Arrays, Manifest, Upgrade

VERSION = 1
UPGRADES: dict[int, Upgrade] = {}


def describe(model: MultiFidelitySurrogate) -> tuple[Arrays, Manifest]:
    """Return the arrays of a model and its manifest of JSON values."""
    arrays, manifest = arrhenius.describe(model)
    return arrays, {**manifest, "links": [list(astuple(link)) for link in model.links]}


def restore(arrays: Arrays, manifest: Manifest) -> MultiFidelitySurrogate:
    """Return the model of a checkpoint of the present version.

    Raises:
        ValueError: it was trained on another table of elements, or its parts do not fit.
        LookupError: something is missing in it.
    """
    base = arrhenius.restore(arrays, manifest)
    config = MultiFidelityConfig.model_validate(manifest["config"])
    links = [FidelityLink(*values) for values in manifest["links"]]
    if config.fidelities and len(links) != len(config.fidelities) - 1:
        raise ValueError(f"it has {len(links)} links between {len(config.fidelities)} fidelities")
    parts = {part.name: getattr(base, part.name) for part in fields(base)}
    return MultiFidelitySurrogate(**{**parts, "head": replace(base.head, prior=config.multi_prior(links))})
