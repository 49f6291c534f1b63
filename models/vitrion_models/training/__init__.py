"""Grouped splits, checkpoints (safetensors + JSON), registries, metrics and the promotion of a retrained model."""

from vitrion_models.training.metrics import RegressionMetrics, regression_metrics
from vitrion_models.training.promotion import PromotionDecision, compare_on_frozen_test
from vitrion_models.training.splits import assert_disjoint, grouped_folds, grouped_split

__all__ = [
    "PromotionDecision",
    "RegressionMetrics",
    "assert_disjoint",
    "compare_on_frozen_test",
    "grouped_folds",
    "grouped_split",
    "regression_metrics",
]
