"""Fits of `benchmarks/volumes.py`: volume from the composition and errors of sources, compositions left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.volume_estimate import volume_of_elements
from vitrion_workflows.volumes.composition import (
    ELEMENT,
    SLOPE,
    CompositionModel,
    features,
    reduced_temperature,
)

# Prior standard deviations of the coefficients of `volumes.composition`.
PRIOR = {"all": 0.3, "ions": 0.5, SLOPE: 0.15}
CLASS_PRIOR, CLASS_SLOPE_PRIOR, ELEMENT_PRIOR = 0.15, 0.1, 0.3
# Offset of AIMD's volumes from those of nature in a class, where so many of its compounds were measured.
AIMD, AIMD_PRIOR, FEWEST_MEASURED = "aimd", 0.15, 3
# Of one compound: start of the estimate by class and its weight in compounds, expansion, and noise of one volume.
COMPOUND_START, COMPOUND_WEIGHT, SLOPE_DEVIATION, NOISE = 0.07, 5.0, 0.04, 0.01
ROUNDS = 4
FEWEST = 8  # values of which a deviation is taken
# Of the error of a source: over all compounds, by class, its change for 1000 K, over compounds of a class.
BIAS_PRIOR = {"all": 0.15, "class": 0.1, "slope": 0.1}
BIAS_COMPOUND = 0.08
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Observation:
    """Volume of one compound at one temperature, by ab initio molecular dynamics or from a measured density."""

    formula: str
    temperature_K: float
    ln_volume: float
    stderr: float
    kind: str

    @property
    def chemistry(self) -> str:
        """Class of the compound."""
        return anion_class([element.symbol for element in parse_formula(self.formula)])


@dataclass(frozen=True, eq=False)
class CompositionFit:
    """Fitted model of nature's volumes, ln(V of AIMD / V of nature) by class, and residuals with compounds left out."""

    model: CompositionModel
    aimd_offset: Mapping[str, float]
    residuals: FloatArray
    stderr: FloatArray


def fit_composition(observations: Sequence[Observation]) -> CompositionFit:
    """Fit `CompositionModel`, with the deviation over compounds by class from the compounds left out.

    The volumes of AIMD have an offset of their own in each class, which the model of nature's volumes leaves out.
    """
    measured = measured_classes(observations)
    rows = [
        features(parse_formula(entry.formula), entry.temperature_K)
        | ({f"{AIMD} {entry.chemistry}": 1.0} if entry.kind == AIMD and entry.chemistry in measured else {})
        for entry in observations
    ]
    names = tuple(sorted({name for row in rows for name in row}))
    design = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    base = np.log([volume_of_elements(parse_formula(entry.formula)) for entry in observations])
    values = np.array([entry.ln_volume for entry in observations]) - base
    prior = np.array([_prior(name) for name in names])
    t = np.array([reduced_temperature(entry.temperature_K) for entry in observations])
    chemistries = [entry.chemistry for entry in observations]
    same = _same(observations)
    noise = np.array([NOISE**2 + entry.stderr**2 for entry in observations])
    deviation = dict.fromkeys(sorted(set(chemistries)), COMPOUND_START)
    for _ in range(ROUNDS):
        own = np.array([deviation[name] for name in chemistries])
        scatter = same * (np.outer(own, own) + SLOPE_DEVIATION**2 * np.outer(t, t)) + np.diag(noise)
        residuals, stderr = left_out((design * prior**2) @ design.T + scatter, values, same)
        deviation = _rescaled(deviation, observations, residuals / stderr)
    gain = np.linalg.solve((design * prior**2) @ design.T + scatter, design * prior**2)
    mean, covariance = gain.T @ values, np.diag(prior**2) - (design * prior**2).T @ gain
    nature = np.array([not name.startswith(AIMD) for name in names])
    model = CompositionModel(
        names=tuple(name for name in names if not name.startswith(AIMD)),
        mean=mean[nature],
        covariance=covariance[np.ix_(nature, nature)],
        element_deviation=ELEMENT_PRIOR,
        compound_deviation=deviation,
        slope_deviation=SLOPE_DEVIATION,
    )
    coefficients = dict(zip(names, (float(value) for value in mean), strict=True))
    offsets = {name: coefficients.get(f"{AIMD} {name}", 0.0) for name in deviation}
    return CompositionFit(model, offsets, residuals, stderr)


def measured_classes(observations: Sequence[Observation]) -> set[str]:
    """Return the classes with enough measured compounds to tell AIMD's volumes from those of nature."""
    compounds = {(entry.chemistry, entry.formula) for entry in observations if entry.kind != AIMD}
    counts = Counter(chemistry for chemistry, _ in compounds)
    return {chemistry for chemistry, count in counts.items() if count >= FEWEST_MEASURED}


def left_out(covariance: FloatArray, values: FloatArray, same: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return residual and standard error of each value predicted without those of its compound.

    For a Gaussian process with covariance K and a block b of one compound, the residual is ((K^-1)_bb)^-1 (K^-1 y)_b
    and its covariance ((K^-1)_bb)^-1.

    Args:
        covariance: of the values, noise included, shape (M, M).
        values: shape (M,).
        same: 1 where two values are of one compound, shape (M, M).
    """
    inverse = np.linalg.inv(covariance)
    weights = inverse @ values
    residuals, variance = np.zeros(len(values)), np.zeros(len(values))
    for block in {tuple(np.flatnonzero(row)) for row in same}:
        places = np.array(block)
        block_covariance = np.linalg.inv(inverse[np.ix_(places, places)])
        residuals[places] = block_covariance @ weights[places]
        variance[places] = np.diag(block_covariance)
    return residuals, np.sqrt(variance)


@dataclass(frozen=True, eq=False)
class BiasFit:
    """Error of one source: by class, its slope, and the residuals with compounds left out."""

    by_class: Mapping[str, float]
    slope: float
    deviation: float
    residuals: FloatArray


def fit_bias(observations: Sequence[Observation], ln_ratio: FloatArray, *, with_slope: bool = True) -> BiasFit:
    """Fit the mean error of a source.

    Args:
        observations: with which the source is compared.
        ln_ratio: ln of the source's volume over that of nature, shape (M,).
        with_slope: the error changes with temperature.
    """
    classes = sorted({entry.chemistry for entry in observations})
    design = np.array(
        [
            [1.0, with_slope * reduced_temperature(entry.temperature_K), *(entry.chemistry == name for name in classes)]
            for entry in observations
        ]
    )
    prior = np.array([BIAS_PRIOR["all"], BIAS_PRIOR["slope"], *[BIAS_PRIOR["class"]] * len(classes)])
    same = _same(observations)
    scatter = BIAS_COMPOUND**2 * same + np.diag([0.03**2 + entry.stderr**2 for entry in observations])
    covariance = (design * prior**2) @ design.T + scatter
    residuals, _ = left_out(covariance, ln_ratio, same)
    coefficients = prior**2 * (design.T @ np.linalg.solve(covariance, ln_ratio))
    by_class = {name: float(coefficients[0] + coefficients[2 + place]) for place, name in enumerate(classes)}
    # Of AIMD and of measurements apart, the larger: there are fewer measurements, and they are what counts.
    compared = np.array([entry.kind == AIMD for entry in observations])
    sizes = [np.abs(residuals[kind]) for kind in (compared, ~compared) if kind.sum() >= FEWEST]
    deviation = max(float(np.quantile(size, 0.95)) for size in sizes or [np.abs(residuals)]) / NORMAL_95
    return BiasFit(by_class, float(coefficients[1]), deviation, residuals)


def content(fit: CompositionFit) -> dict[str, Any]:
    """Return the model as it is stored."""
    model = fit.model
    return {
        "names": list(model.names),
        "mean": [round(float(value), 5) for value in model.mean],
        "covariance_1e6": [
            [round(float(value) * 1e6) for value in row[: place + 1]] for place, row in enumerate(model.covariance)
        ],
        "element_deviation": model.element_deviation,
        "compound_deviation": {name: round(value, 4) for name, value in model.compound_deviation.items()},
        "slope_deviation": model.slope_deviation,
    }


def _prior(name: str) -> float:
    if name.startswith(AIMD):
        return AIMD_PRIOR
    if name.startswith(ELEMENT):
        return ELEMENT_PRIOR
    if name.startswith(f"{SLOPE} "):
        return CLASS_SLOPE_PRIOR
    return PRIOR.get(name, CLASS_PRIOR)


def _same(observations: Sequence[Observation]) -> FloatArray:
    formulas = np.array([parse_formula(entry.formula).reduced_formula for entry in observations])
    return np.asarray(formulas[:, None] == formulas[None, :], dtype=float)


def _rescaled(
    deviation: Mapping[str, float], observations: Sequence[Observation], standardized: FloatArray
) -> dict[str, float]:
    """Scale the deviation of each class by the root mean square of its residuals, each compound counting once."""
    squares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for entry, z in zip(observations, standardized, strict=True):
        squares[entry.chemistry][entry.formula].append(float(z) ** 2)
    scaled = {}
    for name, compounds in squares.items():
        total = sum(float(np.mean(values)) for values in compounds.values()) + COMPOUND_WEIGHT
        scaled[name] = deviation[name] * float(np.sqrt(total / (len(compounds) + COMPOUND_WEIGHT)))
    return scaled
