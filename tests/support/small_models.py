"""Trained models, small enough for a test."""

from model_force_fields import rock_salt

from vitrion_models import generators
from vitrion_models.surrogates import ArrheniusKernelConfig, diffusivity_sample, train


def small_surrogate(source=""):
    """Return a surrogate of six labels of three compounds; the source names their potential."""
    labels = [
        diffusivity_sample(
            amounts,
            species="Li",
            temperature_K=kelvin,
            log10_D=-3.2 - 1500 / kelvin,
            stderr=0.1,
            group=group,
            key=f"{group}-{kelvin:g}",
            source=source,
        )
        for group, amounts in {"Cl-Li": {3: 1, 17: 1}, "F-Li": {3: 1, 9: 1}, "Li-O": {3: 2, 8: 1}}.items()
        for kelvin in (1000.0, 1500.0)
    ]
    return train(labels, test_keys=(), config=ArrheniusKernelConfig(), seed=0)


def small_generator():
    """Return a generator that was trained on one cell of LiCl."""
    config = generators.AmorphousDiffusionConfig(
        channels=8, blocks=1, training_steps=20, atoms_per_step=16, sampling_steps=8
    )
    return generators.train([rock_salt(noise_A=0.1)], config=config, seed=0)


def promote(db, content, *, kind):
    """Store a model as the one in use and return its sha256."""
    sha256 = db.artefacts.put(content, name=kind)
    db.models.add(sha256, kind=kind, architecture="x", promoted=True, promotion_reason="the first")
    return sha256
