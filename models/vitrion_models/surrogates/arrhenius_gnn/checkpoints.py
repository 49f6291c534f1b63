"""Stored form of the Arrhenius surrogates, and upgrades of older ones."""

from typing import Any

import numpy as np
from pydantic import TypeAdapter

from vitrion_models.graphs import element_table
from vitrion_models.heads.arrhenius import ArrheniusHead
from vitrion_models.surrogates.arrhenius_gnn.config import (
    KERNEL_ARCHITECTURE,
    ArrheniusGNNConfig,
    ArrheniusKernelConfig,
)
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate, Domain
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.training.checkpoint import Arrays, Manifest, Upgrade
from vitrion_models.training.metrics import RegressionMetrics
from vitrion_models.uncertainty import ScoreQuantile

VERSION = 2
NETWORK_PREFIX = "network"


def upgrade_v1_to_v2(arrays: Arrays, manifest: Manifest) -> tuple[Arrays, Manifest]:
    """Divide networks into backbone and head, rename the compounds' errors, clean the kernel's configuration."""
    renamed = {_v2_name(name): array for name, array in arrays.items()}
    # The first artefacts had neither a source nor errors of compounds.
    renamed.setdefault("head.compound_errors", np.zeros((len(arrays["head.descriptors"]), 0)))
    upgraded = {"source": "", "own_errors": [], **manifest}
    upgraded["compound_errors"] = upgraded.pop("own_errors")
    config = manifest["config"]
    if config["architecture"] == KERNEL_ARCHITECTURE:
        kept = ArrheniusKernelConfig.model_fields
        config = {name: value for name, value in config.items() if name in kept}
    return renamed, {**upgraded, "config": config}


def _v2_name(name: str) -> str:
    if not name.startswith(NETWORK_PREFIX):
        return {"head.own": "head.compound_errors", "head.descriptors": "head.embeddings"}.get(name, name)
    prefix, index, parameter = name.split(".", 2)
    part = parameter.replace("out.", "head.", 1) if parameter.startswith("out.") else f"backbone.{parameter}"
    return f"{prefix}.{index}.{part}"


UPGRADES: dict[int, Upgrade] = {1: upgrade_v1_to_v2}


def describe(model: ArrheniusSurrogate) -> tuple[Arrays, Manifest]:
    """Return the arrays of a model and its manifest of JSON values."""
    arrays: Arrays = {
        "element_table": element_table(),
        "head.embeddings": model.head.embeddings,
        "head.weights": model.head.weights,
        "head.curvature": model.head.curvature,
        "head.compound_errors": model.head.compound_errors,
        "scores": model.scores,
    }
    for index, network in enumerate(model.networks):
        for name, tensor in network.state_dict().items():
            arrays[f"{NETWORK_PREFIX}.{index}.{name}"] = tensor.numpy()
    manifest: Manifest = {
        "architecture": model.architecture,
        "config": model.config.model_dump(mode="json"),
        "species": model.species,
        "source": model.source,
        "reference_K": model.reference_K,
        "amplitude": model.head.amplitude,
        "noise": model.head.noise,
        "graph_share": model.graph_share,
        "network_groups": [list(groups) for groups in model.network_groups],
        "score_groups": list(model.score_groups),
        "quantile": vars(model.quantile),
        "domain": {**vars(model.domain), "elements": list(model.domain.elements)},
        "compound_errors": [[name, deviation] for name, deviation in model.compound_errors.items()],
        "training_keys": list(model.training_keys),
        "test_keys": list(model.test_keys),
        "metrics": {name: metrics.as_dict() for name, metrics in model.metrics.items()},
        "seed": model.seed,
        "parent_sha256": model.parent_sha256,
    }
    return arrays, manifest


def restore(arrays: Arrays, manifest: Manifest) -> ArrheniusSurrogate:
    """Return the model of a checkpoint of the present version.

    Raises:
        ValueError: it was trained on another table of elements, or its parts do not fit.
        LookupError: something is missing in it.
    """
    if not np.allclose(arrays["element_table"], element_table(), atol=1e-9):
        raise ValueError("it was trained on another table of elements")
    config: SurrogateConfig = TypeAdapter(SurrogateConfig).validate_python(manifest["config"])
    return ArrheniusSurrogate(
        config=config,
        species=manifest["species"],
        source=manifest["source"],
        reference_K=manifest["reference_K"],
        head=ArrheniusHead(
            embeddings=arrays["head.embeddings"],
            weights=arrays["head.weights"],
            curvature=arrays["head.curvature"],
            amplitude=manifest["amplitude"],
            noise=manifest["noise"],
            prior=config.prior,
            compound_errors=arrays["head.compound_errors"],
        ),
        networks=_networks(arrays, config, count=len(manifest["network_groups"])),
        network_groups=tuple(tuple(groups) for groups in manifest["network_groups"]),
        graph_share=manifest["graph_share"],
        scores=arrays["scores"],
        score_groups=tuple(manifest["score_groups"]),
        quantile=ScoreQuantile(**manifest["quantile"]),
        domain=Domain(**{**manifest["domain"], "elements": tuple(manifest["domain"]["elements"])}),
        compound_errors=dict(manifest["compound_errors"]),
        training_keys=tuple(manifest["training_keys"]),
        test_keys=tuple(manifest["test_keys"]),
        metrics={name: RegressionMetrics(**values) for name, values in manifest["metrics"].items()},
        seed=manifest["seed"],
        parent_sha256=manifest["parent_sha256"],
    )


def _networks(arrays: Arrays, config: SurrogateConfig, *, count: int) -> tuple[Any, ...]:
    if not count or not isinstance(config, ArrheniusGNNConfig):
        return ()
    import torch  # noqa: PLC0415 - only where there are networks

    from vitrion_models.surrogates.arrhenius_gnn.ensemble import build_network  # noqa: PLC0415

    networks = []
    for index in range(count):
        prefix = f"{NETWORK_PREFIX}.{index}."
        state = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        network = build_network(config)
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in state.items()})
        networks.append(network.eval())
    return tuple(networks)
