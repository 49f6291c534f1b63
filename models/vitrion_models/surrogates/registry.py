"""Surrogates by name: training, storing and loading."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from vitrion_models.errors import InputError
from vitrion_models.samples import Sample
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig
from vitrion_models.training.architectures import Architectures

LONG_DIGEST = re.compile("([0-9a-f]{12})[0-9a-f]{52}")

_FOLDER = "vitrion_models.surrogates.arrhenius_gnn"
# The kernel is the same architecture without crystal networks.
ARCHITECTURES: Architectures[TrainedSurrogate] = Architectures(
    kind="surrogate",
    folders={
        "arrhenius_gnn": _FOLDER,
        "arrhenius_kernel": _FOLDER,
        "multi_fidelity": "vitrion_models.surrogates.multi_fidelity",
    },
)
dumps, save, loads, load = ARCHITECTURES.dumps, ARCHITECTURES.save, ARCHITECTURES.loads, ARCHITECTURES.load


def train(
    samples: Sequence[Sample],
    *,
    test_keys: Collection[str],
    config: SurrogateConfig | None = None,
    seed: int,
    parent: TrainedSurrogate | None = None,
    on_progress: Progress | None = None,
) -> TrainedSurrogate:
    """Train a surrogate; equal samples, in any order, with an equal seed give an equal model.

    Args:
        samples: labels of one mobile species and one source, those of the frozen test included; of several sources
            where the configuration names them as fidelities.
        test_keys: keys of the frozen test: used for nothing but the metrics.
        config: architecture and hyper-parameters; `ArrheniusGNNConfig()` if None.
        seed: of folds, initial weights and order of batches.
        parent: model whose crystal networks to start from, where that leaks no held-out group.
        on_progress: called with the completed fraction and the present step.

    Raises:
        InputError: no training label, a test key without its label, a group on both sides, two labels of one key,
            several mobile species, a source besides those expected, or a material without the mobile species.
    """
    chosen = ArrheniusGNNConfig() if config is None else config
    _require_sources(samples, chosen.fidelities if isinstance(chosen, MultiFidelityConfig) else ())
    trainer = ARCHITECTURES.trainer(chosen.architecture)
    trained = trainer.train(
        samples, test_keys=test_keys, config=chosen, seed=seed, parent=parent, on_progress=on_progress
    )
    return ARCHITECTURES.identified(trained)


def _require_sources(samples: Sequence[Sample], fidelities: Sequence[str]) -> None:
    counts = Counter(sample.source for sample in samples)
    if fidelities and (others := sorted(counts.keys() - set(fidelities))):
        raise InputError(f"labels of {_shortened(others[0])} are of none of the fidelities: name it among them")
    if not fidelities and len(counts) > 1:
        listed = ", ".join(f"{_shortened(source)}: {counts[source]}" for source in sorted(counts))
        raise InputError(f"the training labels come from {len(counts)} sources ({listed}): select those of one source")


def _shortened(source: str) -> str:
    return LONG_DIGEST.sub(r"\1", source) or "not stated"
