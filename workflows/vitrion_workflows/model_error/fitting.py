"""Fit of the hyper-parameters of the error model: empirical Bayes over all comparisons with AIMD."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from vitrion_models.system import FloatArray
from vitrion_models.uncertainty.mixed_effects import Effect, MixedModel
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison
from vitrion_workflows.model_error.effects import USUAL_R2
from vitrion_workflows.model_error.hyperparameters import SCATTERED, Hyperparameters, Tiers
from vitrion_workflows.model_error.observations import case_of_comparison, observe_aimd, observe_expansion

# Assumed before any comparison; the tier of the potential stays.
START = Hyperparameters(
    level=Tiers(potential=0.2, chemistry=0.08, compound=0.1),
    slope=Tiers(potential=0.2, chemistry=0.2, compound=0.35),
    sensitivity=Tiers(potential=0.5, chemistry=0.6, compound=0.6),
    forces=0.3,
    cell=0.05,
    aimd=1.0,
    expansion=Tiers(potential=0.1, chemistry=0.08, compound=0.07),
    expansion_slope=Tiers(potential=0.1, chemistry=0.08, compound=0.05),
    scatter={},
    typical_r2={},
)
# Deviation of the logarithm of each fitted number from its start, and of a class's scatter from that of all classes.
START_DEVIATION, SCATTER_DEVIATION = 0.4, 0.4
# Quantities whose class and compound tiers are fitted, and single numbers; a class has none of these for itself.
TIERED = ("level", "slope", "sensitivity", "expansion", "expansion_slope")
SINGLE = ("forces", "cell", "aimd")
SHARED = 2 * len(TIERED) + len(SINGLE)


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
    models = [MixedModel([observe_aimd(row, base) for row in rows]), MixedModel(observe_expansion(rows))]
    size = SHARED + len(chemistries)
    # Deviations are products of the fitted factors: which factors each effect has.
    factors_of = [np.array([_factors(effect, chemistries) for effect in model.places]) for model in models]

    def of(logs: FloatArray) -> Hyperparameters:
        factors = np.exp(logs).tolist()
        changed: dict[str, object] = {
            name: _scaled(getattr(base, name), *factors[2 * place : 2 * place + 2]) for place, name in enumerate(TIERED)
        }
        changed |= {
            name: getattr(base, name) * factor
            for name, factor in zip(SINGLE, factors[2 * len(TIERED) : SHARED], strict=True)
        }
        return base.model_copy(update={**changed, "scatter": dict(zip(chemistries, factors[SHARED:], strict=True))})

    prior_stderr = np.repeat([START_DEVIATION, SCATTER_DEVIATION], [SHARED, len(chemistries)])

    def loss(logs: FloatArray) -> tuple[float, FloatArray]:
        parameters = of(logs)
        value, gradient = 0.5 * float(np.sum((logs / prior_stderr) ** 2)), logs / prior_stderr**2
        for model, factors in zip(models, factors_of, strict=True):
            evidence, by_effect = model.log_marginal_likelihood(parameters.deviation)
            value, gradient = value - evidence, gradient - by_effect @ factors
        return value, gradient

    best = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=[(-3, 3)] * size)
    return of(best.x)


def _factors(effect: Effect, chemistries: Sequence[str]) -> list[float]:
    """Return 1 for each fitted number that is a factor of the effect's deviation, 0 for the others."""
    quantity, *rest = effect
    names = []
    if quantity in TIERED and rest[0] != "potential":
        names.append(f"{quantity} {rest[0]}")
        if rest[0] == "compound" and quantity in SCATTERED:
            names.append(rest[2])
    elif quantity in SINGLE:
        names.append(quantity)
    tiers = [f"{name} {tier}" for name in TIERED for tier in ("chemistry", "compound")]
    return [float(name in names) for name in (*tiers, *SINGLE, *chemistries)]


def _scaled(tiers: Tiers, chemistry: float, compound: float) -> Tiers:
    return tiers.model_copy(update={"chemistry": tiers.chemistry * chemistry, "compound": tiers.compound * compound})


def write_hyperparameters(parameters: Hyperparameters, path: Path) -> None:
    """Write hyper-parameters, rounded to three significant digits, as `fitted_hyperparameters` reads them."""
    rounded = json.loads(parameters.model_dump_json(), parse_float=lambda text: float(f"{float(text):.3g}"))
    path.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
