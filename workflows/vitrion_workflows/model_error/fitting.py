"""Fit of the hyper-parameters of the error model: empirical Bayes over all comparisons with AIMD."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from vitrion_models.system import FloatArray
from vitrion_models.uncertainty.mixed_effects import MixedModel
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison
from vitrion_workflows.model_error.effects import USUAL_R2
from vitrion_workflows.model_error.hyperparameters import Hyperparameters, Tiers
from vitrion_workflows.model_error.observations import case_of_comparison, observe_aimd, observe_expansion

# Assumed before any comparison; the tier of the potential stays.
START = Hyperparameters(
    level=Tiers(potential=0.2, chemistry=0.08, compound=0.1),
    slope=Tiers(potential=0.2, chemistry=0.15, compound=0.2),
    forces=0.3,
    cell=0.05,
    expansion=Tiers(potential=0.1, chemistry=0.08, compound=0.07),
    expansion_slope=Tiers(potential=0.1, chemistry=0.08, compound=0.05),
    scatter={},
    typical_r2={},
)
# Deviation of the logarithm of each fitted number from its start, and of a class's scatter from that of all classes.
START_DEVIATION, SCATTER_DEVIATION = 0.7, 0.4


def fit_hyperparameters(rows: Sequence[AimdComparison], *, start: Hyperparameters = START) -> Hyperparameters:
    """Return the hyper-parameters of the greatest marginal likelihood times a log-normal prior about the start.

    Args:
        rows: comparisons of the potentials with AIMD.
        start: assumed values, centre of the prior.
    """
    r2_of = defaultdict(list)
    for row in rows:
        if row.force_r2 is not None:
            r2_of[case_of_comparison(row).chemistry].append(row.force_r2)
    chemistries = sorted({case_of_comparison(row).chemistry for row in rows})
    base = start.model_copy(
        update={
            "typical_r2": {name: float(np.median(r2_of[name])) if r2_of[name] else USUAL_R2 for name in chemistries}
        }
    )
    forces = MixedModel([observe_aimd(row, base) for row in rows])
    volumes = MixedModel(observe_expansion(rows))

    def of(logs: FloatArray) -> Hyperparameters:
        factors = np.exp(logs)
        level, slope, expansion, expansion_slope = (factors[place : place + 2] for place in (0, 2, 4, 6))
        return base.model_copy(
            update={
                "level": _scaled(base.level, level),
                "slope": _scaled(base.slope, slope),
                "expansion": _scaled(base.expansion, expansion),
                "expansion_slope": _scaled(base.expansion_slope, expansion_slope),
                "forces": base.forces * factors[8],
                "cell": base.cell * factors[9],
                "scatter": dict(zip(chemistries, factors[10:].tolist(), strict=True)),
            }
        )

    def loss(logs: FloatArray) -> float:
        parameters = of(logs)
        evidence = forces.log_marginal_likelihood(parameters.deviation)
        evidence += volumes.log_marginal_likelihood(parameters.deviation)
        prior = (logs[:10] ** 2).sum() / START_DEVIATION**2 + (logs[10:] ** 2).sum() / SCATTER_DEVIATION**2
        return float(0.5 * prior - evidence)

    size = 10 + len(chemistries)
    best = minimize(loss, np.zeros(size), method="L-BFGS-B", bounds=[(-3, 3)] * size)
    return of(best.x)


def _scaled(tiers: Tiers, factors: FloatArray) -> Tiers:
    chemistry, compound = (float(factor) for factor in factors)
    return tiers.model_copy(update={"chemistry": tiers.chemistry * chemistry, "compound": tiers.compound * compound})


def write_hyperparameters(parameters: Hyperparameters, path: Path) -> None:
    """Write hyper-parameters, rounded to three significant digits, as `fitted_hyperparameters` reads them."""
    rounded = json.loads(parameters.model_dump_json(), parse_float=lambda text: float(f"{float(text):.3g}"))
    path.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
