"""Lines of results of `benchmarks/aimd.py`: their identity, their trajectories, and the comparisons that are stored."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from vitrion_workflows import potentials
from vitrion_workflows.model_error.aimd_comparisons import WEIGHTS_DIGITS, AimdComparison
from vitrion_workflows.structure.composition import parse_formula

PRODUCTION = "nep89"
ACCEPTED = "accepted"
FRAME_EVERY = 5  # carbonates bend faster than frames 20 fs apart show
STEP_FS = 2.0
THERMOSTAT, RATE_PER_PS = "nose-hoover", 10.0  # with it 8 ps know their temperature


def identity(line: Mapping[str, Any]) -> tuple[str, str, str, int, str]:
    """Return the row, route and seed of a line."""
    return line["potential"], line["route"], line["formula"], line["temperature_K"], str(line["seed"])


def run_folder(potential: str, route: str, formula: str, temperature_K: float, seed: int | str) -> str:
    """Return the name of the folder of a run, with what makes it: one of another thermostat is not taken for it."""
    name = f"{route}_{formula}_{temperature_K:g}K_{seed}_{THERMOSTAT}{RATE_PER_PS:g}_{FRAME_EVERY * STEP_FS:g}fs"
    return name if potential == PRODUCTION else f"{potential}_{name}"


def comparisons(lines: Iterable[Mapping[str, Any]]) -> list[AimdComparison]:
    """Return the accepted labels as the rows that `model_error.aimd_comparisons` stores."""
    accepted = [line for line in lines if line.get("state") == ACCEPTED]
    weights = {name: potentials.load(name).weights_sha256 for name in {line["potential"] for line in accepted}}
    return [
        AimdComparison(
            potential=line["potential"],
            weights=weights[line["potential"]][:WEIGHTS_DIGITS],
            route=line["route"],
            compound=parse_formula(line["formula"]).reduced_formula,
            temperature_K=line["temperature_K"],
            seed=str(line["seed"]),
            log10_D_aimd=math.log10(line["aimd_cm2_per_s"]),
            log10_ratio=line["log10_ratio"],
            log10_stderr=line["log10_stderr"],
            ln_volume_ratio=math.log(line["volume_ratio"]),
            force_r2=line.get("force_r2"),
            force_reference=line.get("force_reference"),
        )
        for line in accepted
    ]
