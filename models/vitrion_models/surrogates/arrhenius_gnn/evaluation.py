"""The frozen test: metrics of the surrogate beside those of its baselines. Nothing here feeds back into the model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitrion_models.surrogates.arrhenius import inverse_temperature
from vitrion_models.surrogates.arrhenius_gnn.dataset import LabelSet, material_descriptors
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate
from vitrion_models.surrogates.baselines import fit_forest, fit_temperature_only
from vitrion_models.surrogates.observation import Observation, species_number
from vitrion_models.training.metrics import regression_metrics


def frozen_test_metrics(
    model: ArrheniusSurrogate,
    data: LabelSet,
    test: Sequence[Observation],
) -> ArrheniusSurrogate:
    """The model with its metrics on the frozen test, and those of its baselines fitted on the same training labels.

    Upper bounds are left out of the metrics. Without a test label there are none.

    Args:
        model: trained.
        data: its training labels.
        test: labels of the frozen test.
    """
    compared = sorted((one for one in test if not one.censored), key=lambda one: one.key)
    if not compared:
        return model
    materials = [one.material for one in compared]
    temperatures = np.array([one.temperature_K for one in compared])
    truth = np.array([one.log10_D for one in compared])
    x = inverse_temperature(temperatures, model.reference_K)
    rows = material_descriptors(materials, mobile_number=species_number(model.species))
    answer = model.predict(materials, temperatures)
    forest = fit_forest(data.descriptors[data.labels.material], data.labels.x, data.labels.y, seed=model.seed)
    metrics = {
        "surrogate": regression_metrics(
            truth, answer.mean, deviation=answer.label_std, lower_95=answer.lower_95, upper_95=answer.upper_95
        ),
        "temperature_only": regression_metrics(truth, fit_temperature_only(data.labels, model.config).predict(x)),
        "random_forest": regression_metrics(truth, forest.predict(rows, x)),
    }
    return replace(model, metrics=metrics)
