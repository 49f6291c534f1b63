"""Metrics on the frozen test, of the surrogate and of its baselines. Nothing here feeds back into the model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitrion_models.backbones import DescriptorBackbone
from vitrion_models.heads.arrhenius_law import inverse_temperature
from vitrion_models.materials import atomic_number
from vitrion_models.samples import Sample
from vitrion_models.surrogates.arrhenius_gnn.dataset import LabelSet
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate
from vitrion_models.surrogates.baselines import fit_forest, fit_temperature_only
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY
from vitrion_models.training.metrics import regression_metrics


def frozen_test_metrics(model: ArrheniusSurrogate, data: LabelSet, test: Sequence[Sample]) -> ArrheniusSurrogate:
    """Return the model with its metrics on the frozen test, and those of baselines fitted on the same training labels.

    Upper bounds are left out of the metrics. Without a test label there are none.

    Args:
        model: trained.
        data: its training labels.
        test: labels of the frozen test.
    """
    compared = sorted((sample for sample in test if not sample[DIFFUSIVITY].censored), key=lambda sample: sample.key)
    if not compared:
        return model
    materials = [sample.input for sample in compared]
    temperatures = np.array([sample.temperature_K for sample in compared])
    truth = np.array([float(sample[DIFFUSIVITY].value) for sample in compared])
    x = inverse_temperature(temperatures, model.reference_K)
    embeddings = DescriptorBackbone(atomic_number(model.species))(materials)
    predicted = model.predict(materials, temperatures)
    forest = fit_forest(data.embeddings[data.labels.material], data.labels.x, data.labels.y, seed=model.seed)
    one_law = fit_temperature_only(data.labels, model.config.prior)
    metrics = {
        "surrogate": regression_metrics(
            truth,
            predicted.mean,
            deviation=predicted.label_std,
            lower_95=predicted.lower_95,
            upper_95=predicted.upper_95,
        ),
        "temperature_only": regression_metrics(truth, one_law.predict(x)),
        "random_forest": regression_metrics(truth, forest.predict(embeddings, x)),
    }
    return replace(model, metrics=metrics)
