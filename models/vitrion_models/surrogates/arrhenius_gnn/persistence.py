"""The surrogate as an artefact, and back."""

from typing import Any

import numpy as np

from vitrion_models.errors import CheckpointError
from vitrion_models.graphs import element_table
from vitrion_models.surrogates.arrhenius_gnn.config import (
    KERNEL_ARCHITECTURE,
    ArrheniusGNNConfig,
    ArrheniusKernelConfig,
)
from vitrion_models.surrogates.arrhenius_gnn.head import ArrheniusHead
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate, Domain
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.registry import KIND, SCHEMA_VERSION
from vitrion_models.training import checkpoint
from vitrion_models.training.checkpoint import Arrays, Manifest
from vitrion_models.training.metrics import RegressionMetrics
from vitrion_models.uncertainty import ScoreQuantile

NETWORK_PREFIX = "network"


def artefact(model: ArrheniusSurrogate) -> bytes:
    """Bytes of a model; a pure function of it."""
    arrays: dict[str, Any] = {
        "element_table": element_table(),
        "head.descriptors": model.head.descriptors,
        "head.weights": model.head.weights,
        "head.curvature": model.head.curvature,
        "head.own": model.head.own,
        "scores": model.scores,
    }
    for index, network in enumerate(model.networks):
        for name, tensor in network.state_dict().items():
            arrays[f"{NETWORK_PREFIX}.{index}.{name}"] = tensor.numpy()
    manifest = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
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
        "own_errors": [[name, deviation] for name, deviation in model.own_errors.items()],
        "training_keys": list(model.training_keys),
        "test_keys": list(model.test_keys),
        "metrics": {name: metrics.as_dict() for name, metrics in model.metrics.items()},
        "seed": model.seed,
        "parent_sha256": model.parent_sha256,
    }
    return checkpoint.pack(arrays, manifest)


def restore(arrays: Arrays, manifest: Manifest, *, source: str) -> ArrheniusSurrogate:
    """The model of an artefact.

    Raises:
        CheckpointError: something is missing in it, or it was trained on another table of elements.
    """
    try:
        if not np.allclose(arrays["element_table"], element_table(), atol=1e-9):
            raise CheckpointError(f"{source} was trained on another table of elements than the installed: train again")
        config = _config(manifest["config"])
        domain = {**manifest["domain"], "elements": tuple(manifest["domain"]["elements"])}
        return ArrheniusSurrogate(
            config=config,
            species=manifest["species"],
            source=manifest.get("source", ""),  # artefacts from before it was kept
            reference_K=manifest["reference_K"],
            head=ArrheniusHead(
                descriptors=arrays["head.descriptors"],
                weights=arrays["head.weights"],
                curvature=arrays["head.curvature"],
                amplitude=manifest["amplitude"],
                noise=manifest["noise"],
                config=config,
                # Artefacts from before there were such errors have none.
                own=arrays.get("head.own", np.zeros((len(arrays["head.descriptors"]), 0))),
            ),
            networks=_networks(arrays, config, count=len(manifest["network_groups"])),
            network_groups=tuple(tuple(groups) for groups in manifest["network_groups"]),
            graph_share=manifest["graph_share"],
            scores=arrays["scores"],
            score_groups=tuple(manifest["score_groups"]),
            quantile=ScoreQuantile(**manifest["quantile"]),
            domain=Domain(**domain),
            own_errors=dict(manifest.get("own_errors", [])),
            training_keys=tuple(manifest["training_keys"]),
            test_keys=tuple(manifest["test_keys"]),
            metrics={name: RegressionMetrics(**values) for name, values in manifest["metrics"].items()},
            seed=manifest["seed"],
            parent_sha256=manifest["parent_sha256"],
        )
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{source}: the surrogate is incomplete ({error!s:.80}): train it again") from error


def _config(values: dict[str, Any]) -> SurrogateConfig:
    """Return the configuration; artefacts of the kernel used to hold the networks' numbers, too."""
    architecture = ArrheniusKernelConfig if values["architecture"] == KERNEL_ARCHITECTURE else ArrheniusGNNConfig
    return architecture(**{name: value for name, value in values.items() if name in architecture.model_fields})


def _networks(arrays: Arrays, config: SurrogateConfig, *, count: int) -> tuple[Any, ...]:
    if not count or not isinstance(config, ArrheniusGNNConfig):
        return ()
    import torch  # noqa: PLC0415 - only where there are networks

    from vitrion_models.surrogates.arrhenius_gnn.network import CrystalNetwork  # noqa: PLC0415

    networks = []
    for index in range(count):
        prefix = f"{NETWORK_PREFIX}.{index}."
        state = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        network = CrystalNetwork(config)
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in state.items()})
        networks.append(network.eval())
    return tuple(networks)
