import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from vitrion_models.errors import InputError
from vitrion_models.training import regression_metrics


def test_metrics_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    truth, mean, deviation = rng.normal(size=30), rng.normal(size=30), rng.uniform(0.5, 2, 30)
    metrics = regression_metrics(
        truth, mean, deviation=deviation, lower_95=mean - 2 * deviation, upper_95=mean + 2 * deviation
    )
    assert metrics.rmse == pytest.approx(root_mean_squared_error(truth, mean))
    assert metrics.mae == pytest.approx(mean_absolute_error(truth, mean))
    assert metrics.nll == pytest.approx(-norm.logpdf(truth, mean, deviation).mean())
    assert metrics.coverage_95 == pytest.approx((np.abs(truth - mean) <= 2 * deviation).mean())
    assert metrics.mean_width_95 == pytest.approx(4 * deviation.mean())
    assert metrics.as_dict()["count"] == 30


def test_what_a_model_does_not_give_is_absent():
    metrics = regression_metrics(np.zeros(2), np.ones(2))
    assert (metrics.nll, metrics.coverage_95, metrics.mean_width_95) == (None, None, None)


def test_refuses_no_labels():
    with pytest.raises(InputError, match="label"):
        regression_metrics(np.zeros(0), np.zeros(0))
