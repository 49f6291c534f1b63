"""Potentials that can be tuned: NEP89, and potentials tuned before."""

from pathlib import Path

from vitrion_models.errors import InputError
from vitrion_workflows import potentials
from vitrion_workflows.potentials.adapters.nep import NEP89_FILE, NepForceField
from vitrion_workflows.potentials.adapters.tuned_nep import PREFIX
from vitrion_workflows.potentials.weights.tuned import TunedWeights


def load_parent(name: str, *, device: str = "cpu") -> tuple[NepForceField, Path]:
    """Load a potential that can be tuned, its sha256 checked; return it with its file.

    Raises:
        InputError: no neuroevolution potential has this name.
        MissingDependencyError: its package or weights are missing.
        CheckpointError: its weights are damaged.
    """
    loaded = potentials.load(name, device=device)
    if not isinstance(loaded, NepForceField):
        raise InputError(f"{name} cannot be tuned: give nep89 or {PREFIX}NAME")
    tuned = name.startswith(PREFIX)
    return loaded, TunedWeights(name.removeprefix(PREFIX)).path if tuned else potentials.weights_folder() / NEP89_FILE
