"""Change of the diffusivity of melts with their volume, d log10 D / d ln V, by class of anion and temperature.

    python benchmarks/volume_sensitivity.py RESULTS.jsonl ... [--write]

The results are those of `benchmarks/aimd.py` by two or more routes (zero-pressure, aimd-volume, scaled:1.10), which
differ in volume alone. Accepted labels of one compound, temperature and potential are compared with each other, so that
the error of the forces, and that of AIMD, drop out. The model is linear and Gaussian,

    log10 D = a(compound, T) + S ln V + e,    S = level + slope x + u(class) + v(class) x + w(compound),

with x = 1000/T - 1000/1500, the deviations of u, v, w and of e beyond the statistical error by maximum marginal
likelihood. `--write` stores level and slope of each class in the package.
One JSON line a figure: name, value, unit, baseline (0), standard error.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from figures import earlier_lines, emit
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

import vitrion_workflows.model_error.volume_sensitivity as package
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.structure.composition import parse_formula

CLASSES = ("alloy", "chalcogenide", "halide", "oxide", "oxoanion", "pnictide", "tetrelide")
SMALLEST_SPREAD = 0.02  # of ln V within one compound and temperature
INTERCEPT_STDERR, LEVEL_STDERR, SLOPE_STDERR = 5.0, 3.0, 6.0  # wide: nothing is assumed about these
# Starting values and modes of the weak priors of the deviations: class level, class slope, compound, cell.
DEVIATIONS = np.array([0.3, 1.0, 0.5, 0.04])
LOG_PRIOR_STDERR = 1.0


@dataclass(frozen=True)
class Run:
    """One accepted label."""

    compound: str
    chemistry: str
    temperature_K: float
    potential: str
    ln_volume: float
    log10_D: float
    stderr: float

    @property
    def x(self) -> float:
        """1000/T - 1000/1500."""
        return 1000 / self.temperature_K - 1000 / package.REFERENCE_TEMPERATURE_K

    @property
    def group(self) -> tuple[str, str, float]:
        """Runs that differ in volume alone."""
        return self.potential, self.compound, self.temperature_K

    @property
    def jumps(self) -> float:
        """Growth of the scatter between cells with the rarity of jumps: 1 at 1e-4 cm2/s."""
        return float(min(10 ** (-0.5 * (self.log10_D + 4)), 4.0))


def runs_of_lines(lines: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Return the accepted labels of compounds that ran at two volumes or more."""
    groups: dict[tuple[str, str, float], list[Run]] = defaultdict(list)
    for line in lines:
        if line.get("state") == "accepted" and line.get("log10_ratio") is not None:
            composition = parse_formula(line["formula"])
            run = Run(
                compound=composition.reduced_formula,
                chemistry=anion_class([element.symbol for element in composition]),
                temperature_K=float(line["temperature_K"]),
                potential=line["potential"],
                ln_volume=math.log(line["volume_A3_per_atom"]),
                log10_D=math.log10(line["value_cm2_per_s"]),
                stderr=line["log10_stderr"],
            )
            groups[run.group].append(run)
    return [
        run for group in groups.values() if np.ptp([run.ln_volume for run in group]) > SMALLEST_SPREAD for run in group
    ]


@dataclass(frozen=True)
class Design:
    """The linear model of some runs: columns intercepts, level, slope, class levels, class slopes, compounds."""

    matrix: np.ndarray  # runs x columns
    kinds: np.ndarray  # of the columns: 0 fixed, 1 class level, 2 class slope, 3 compound
    fixed_stderr: np.ndarray  # columns
    values: np.ndarray  # runs
    stderr: np.ndarray  # runs
    jumps: np.ndarray  # runs

    @classmethod
    def of(cls, runs: list[Run]) -> "Design":
        """Set up the model; ln V counts from the mean of the group."""
        groups = sorted({run.group for run in runs})
        compounds = sorted({run.compound for run in runs})
        centre = {group: np.mean([run.ln_volume for run in runs if run.group == group]) for group in groups}
        h = np.array([run.ln_volume - centre[run.group] for run in runs])
        x = np.array([run.x for run in runs])
        intercepts = np.array([[run.group == group for group in groups] for run in runs], dtype=float)
        classes = np.array([[run.chemistry == name for name in CLASSES] for run in runs], dtype=float)
        own = np.array([[run.compound == name for name in compounds] for run in runs], dtype=float)
        blocks = [
            intercepts,
            h[:, None],
            (h * x)[:, None],
            classes * h[:, None],
            classes * (h * x)[:, None],
            own * h[:, None],
        ]
        kinds = [0, 0, 0, 1, 2, 3]
        fixed = [INTERCEPT_STDERR, LEVEL_STDERR, SLOPE_STDERR, 0.0, 0.0, 0.0]
        widths = [block.shape[1] for block in blocks]
        return cls(
            matrix=np.hstack(blocks),
            kinds=np.repeat(kinds, widths),
            fixed_stderr=np.repeat(fixed, widths),
            values=np.array([run.log10_D for run in runs]) - np.mean([run.log10_D for run in runs]),
            stderr=np.array([run.stderr for run in runs]),
            jumps=np.array([run.jumps for run in runs]),
        )

    def prior(self, deviations: np.ndarray) -> np.ndarray:
        """Return the prior variances of the columns."""
        scales = np.concatenate([[0.0], deviations[:3]])[self.kinds]
        variances: np.ndarray = np.where(self.kinds == 0, self.fixed_stderr, scales) ** 2
        return variances

    def covariance(self, deviations: np.ndarray) -> np.ndarray:
        """Return the marginal covariance of the values."""
        noise = self.stderr**2 + (deviations[3] * self.jumps) ** 2
        covariance: np.ndarray = (self.matrix * self.prior(deviations)) @ self.matrix.T + np.diag(noise)
        return covariance

    def loss(self, log_deviations: np.ndarray) -> float:
        """Return the negative log marginal likelihood with the weak priors of the deviations."""
        factor = cho_factor(self.covariance(np.exp(log_deviations)), lower=True)
        likelihood = 0.5 * self.values @ cho_solve(factor, self.values) + np.log(np.diag(factor[0])).sum()
        prior = 0.5 * (((log_deviations - np.log(DEVIATIONS)) / LOG_PRIOR_STDERR) ** 2).sum()
        return float(likelihood + prior)

    def posterior(self, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of the columns' coefficients."""
        prior = self.prior(deviations)
        gain = cho_solve(cho_factor(self.covariance(deviations), lower=True), self.matrix * prior).T
        return gain @ self.values, np.diag(prior) - gain @ (self.matrix * prior)


def fit(runs: list[Run]) -> dict[str, Any]:
    """Fit the model: level, slope and their covariance of each class, and the scatter over compounds."""
    design = Design.of(runs)
    deviations = np.exp(minimize(design.loss, np.log(DEVIATIONS), method="Nelder-Mead").x)
    mean, covariance = design.posterior(deviations)
    first = int(np.argmax(design.kinds == 1))  # the columns before it: ..., level, slope
    classes = {}
    for number, name in enumerate(CLASSES):
        combine = np.zeros((2, len(mean)))
        combine[0, [first - 2, first + number]] = 1.0
        combine[1, [first - 1, first + len(CLASSES) + number]] = 1.0
        level, slope = combine @ mean
        classes[name] = {
            "compounds": len({run.compound for run in runs if run.chemistry == name}),
            "level": round(float(level), 3),
            "slope": round(float(slope), 3),
            "covariance": np.round(combine @ covariance @ combine.T, 5).tolist(),
        }
    return {
        "source": "benchmarks/volume_sensitivity.py",
        "runs": len(runs),
        "temperatures_K": sorted({run.temperature_K for run in runs}),
        "class_level_stderr": round(float(deviations[0]), 3),
        "class_slope_stderr": round(float(deviations[1]), 3),
        "compound_stderr": round(float(deviations[2]), 3),
        "cell_stderr": round(float(deviations[3]), 3),
        "classes": classes,
    }


def main() -> None:
    """Fit, print, and store where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="*", help="JSON lines of benchmarks/aimd.py")
    parser.add_argument("--write", action="store_true", help="store the fit in the package")
    arguments = parser.parse_args()
    runs = runs_of_lines(line for path in arguments.results for line in earlier_lines(path))
    if not runs:
        print("volume_sensitivity: skipped, no compound ran at two volumes", file=sys.stderr)
        return
    fitted = fit(runs)
    for name, own in fitted["classes"].items():
        for kelvin in fitted["temperatures_K"]:
            x = 1000 / kelvin - 1000 / package.REFERENCE_TEMPERATURE_K
            stderr = math.sqrt(np.array([1.0, x]) @ np.array(own["covariance"]) @ np.array([1.0, x]))
            emit(
                f"volume_sensitivity_{name}_{kelvin:g}K",
                own["level"] + own["slope"] * x,
                "decades",
                0.0,
                stderr=round(stderr, 3),
                compounds=own["compounds"],
            )
    emit("volume_sensitivity_scatter_of_compounds", fitted["compound_stderr"], "decades", 0.0)
    if arguments.write:
        path = Path(package.__file__).with_suffix(".json")
        path.write_text(json.dumps(fitted, indent=2) + "\n")


if __name__ == "__main__":
    main()
