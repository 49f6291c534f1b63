"""Architectures by name: how each is trained and read back."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.surrogates.arrhenius_gnn.config import GRAPH_ARCHITECTURE, KERNEL_ARCHITECTURE, ArrheniusGNNConfig
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.observation import Observation
from vitrion_models.training import checkpoint

KIND = "surrogate"
SCHEMA_VERSION = 1
LONG_DIGEST = re.compile("([0-9a-f]{12})[0-9a-f]{52}")


_FOLDER = "vitrion_models.surrogates.arrhenius_gnn"
ARCHITECTURES = {GRAPH_ARCHITECTURE: _FOLDER, KERNEL_ARCHITECTURE: _FOLDER}
"""Name -> package with ``trainer.train`` and ``persistence.restore``: the Arrhenius head with and without networks."""


def train(
    observations: Sequence[Observation],
    *,
    test_keys: Collection[str],
    config: SurrogateConfig | None = None,
    seed: int,
    parent: TrainedSurrogate | None = None,
    on_progress: Progress | None = None,
) -> TrainedSurrogate:
    """Train a surrogate; the same observations, in any order, with the same seed give the same model.

    Args:
        observations: labels, of one mobile species; those of the frozen test among them.
        test_keys: keys of the frozen test: used for nothing but the metrics.
        config: architecture and hyper-parameters; the defaults where None.
        seed: of folds, initial weights and order of batches.
        parent: model whose graph networks to start from, where that leaks no held-out group.
        on_progress: called with the fraction done and what is being done.

    Raises:
        InputError: no training label, a test key without its label, a group on both sides, two labels of one key,
            several mobile species or sources, or a material without the mobile species.
    """
    chosen = ArrheniusGNNConfig() if config is None else config
    _require_one_source(observations)
    module = import_module(f"{ARCHITECTURES[chosen.architecture]}.trainer")
    trained = module.train(
        observations, test_keys=test_keys, config=chosen, seed=seed, parent=parent, on_progress=on_progress
    )
    return cast("TrainedSurrogate", trained)


def _require_one_source(observations: Sequence[Observation]) -> None:
    found = Counter(observation.source for observation in observations)
    if len(found) > 1:
        short = {source: LONG_DIGEST.sub(r"\1", source) or "none stated" for source in sorted(found)}
        told = ", ".join(f"{short[source]}: {found[source]}" for source in short)
        raise InputError(f"the labels to be learned come from {len(found)} sources ({told}): choose those of one")


def loads(content: bytes, *, source: str = "the artefact") -> TrainedSurrogate:
    """A surrogate from the bytes of its artefact.

    Args:
        content: what `TrainedSurrogate.dumps` gave.
        source: where they come from, for messages.

    Raises:
        CheckpointError: damaged, no surrogate, of a newer schema, or of an unknown architecture.
    """
    arrays, manifest = checkpoint.unpack(content, source=source)
    checkpoint.require(manifest, kind=KIND, schema_version=SCHEMA_VERSION, source=source)
    name = manifest.get("architecture")
    if name not in ARCHITECTURES:
        raise CheckpointError(f"{source} is a surrogate of the unknown architecture {name!r}: upgrade Vitrion")
    module = import_module(f"{ARCHITECTURES[name]}.persistence")
    return cast("TrainedSurrogate", module.restore(arrays, manifest, source=source))


def load(path: Path) -> TrainedSurrogate:
    """A surrogate from its folder, or from the artefact file itself.

    Raises:
        CheckpointError: none there, or see `loads`.
    """
    return loads(checkpoint.read(Path(path)), source=str(path))
