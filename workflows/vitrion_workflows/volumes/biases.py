"""Mean error of each source of volumes, by class of compounds, and the correlation between sources.

ln(V of the source / V of nature or of ab initio molecular dynamics) = b0 + b_class + a t + e for one source, with
t = (T - 1500 K) / 1000 K; fitted with Gaussian priors by `benchmarks/volumes.py` on the compositions of its table, for
the weights named there. A potential that was not compared has no bias and a wide error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrion_workflows.schemas import EstimateSource
from vitrion_workflows.volumes.composition import model_content, reduced_temperature

# Of a potential that was not compared: as wide as the differences between those that were.
UNCOMPARED_LN_STDERR = 0.15


@dataclass(frozen=True)
class SourceBias:
    """Error of one source.

    Attributes:
        by_class: mean of ln(V / V of nature) at 1500 K, by class of compounds.
        slope: its change for 1000 K.
        deviation: standard deviation over compounds.
    """

    by_class: Mapping[str, float]
    slope: float
    deviation: float

    def at(self, chemistry: str, temperature_K: float) -> float:
        """Return the mean of ln(V / V of nature) for a class of compounds at a temperature."""
        return self.by_class.get(chemistry, 0.0) + self.slope * reduced_temperature(temperature_K)


UNCOMPARED = SourceBias({}, 0.0, UNCOMPARED_LN_STDERR)


def source_bias(source: EstimateSource, detail: str, weights_sha256: str = "") -> SourceBias:
    """Return the error of a source.

    Args:
        source: of the estimate.
        detail: registry name of the potential, where the source is one.
        weights_sha256: of its weights; those of others were not compared.
    """
    content: dict[str, Any] = model_content()["sources"].get(source, {}).get(detail, {})
    if not content or content["weights_sha256"] != weights_sha256:
        return UNCOMPARED
    return SourceBias(content["by_class"], content["slope"], content["deviation"])


def correlation(first: EstimateSource, second: EstimateSource) -> float:
    """Return the correlation of the errors of two sources; zero where it was not measured."""
    if first is second:
        return 1.0
    pair = "|".join(sorted((first.value, second.value)))
    return float(model_content()["correlations"].get(pair, 0.0))
