"""Volumes of cells on the command line: options, and lines on the estimates."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from vitrion_workflows.schemas.volume import VolumeEstimates, VolumeRule


def volume_rule(text: str) -> "VolumeRule":
    """Return the rule that a text names.

    Raises:
        InputError: neither a rule nor a possible volume.
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - these are slow to import

    from vitrion_workflows.schemas.volume import VolumeRule  # noqa: PLC0415

    rules: TypeAdapter[VolumeRule] = TypeAdapter(VolumeRule)
    try:
        return rules.validate_python(float(text) if _is_number(text) else text)
    except ValidationError as error:
        raise InputError(
            f"--volume {text} is neither rule, zero-pressure, reference, twin or measured, nor a volume of 2 to 500 A3 "
            "per atom"
        ) from error


def describe_volumes(volumes: "VolumeEstimates") -> str:
    """Return one line: the chosen volume with its error, and by how much the estimates differ."""
    chosen = (
        f"volume by {volumes.rule!r}: {volumes.volume_A3_per_atom:.2f} A3/atom at {volumes.temperature_K:g} K, "
        f"standard error {100 * volumes.ln_stderr:.0f} %"
    )
    if not volumes.disagrees:
        return chosen
    percent = 100 * math.expm1(volumes.ln_spread)
    return f"{chosen}; WARNING: the estimates differ by {percent:.0f} % (`docs/design/volume.md`)"


def run_volume(
    cell: "Structure", volumes: "VolumeEstimates | None", temperature_K: float, *, keep: bool | None
) -> float | None:
    """Return the volume of a label's run, A3 per atom; None for that of the cell.

    Args:
        cell: the cell.
        volumes: estimates stored with it, for a cell made by Vitrion.
        temperature_K: of the run.
        keep: whether the cell keeps its volume; None decides by whether there are stored estimates.

    Raises:
        InputError: the cell is to be scaled and nothing is known of its volume.
    """
    if keep or (keep is None and volumes is None):
        return None
    return (volumes or _estimates(cell, temperature_K)).of_label(temperature_K)


@dataclass(frozen=True)
class VolumeComparison:
    """Volume of a cell that ran at its own, beside that estimated for a melt or glass of it at the temperature.

    Attributes:
        cell_A3_per_atom: volume of the cell.
        estimated_A3_per_atom: volume of a melt or glass; None where nothing is known of it.
        ln_stderr: standard error of the logarithm of the estimate.
        reason: why there is no estimate.
    """

    cell_A3_per_atom: float
    estimated_A3_per_atom: float | None = None
    ln_stderr: float | None = None
    reason: str = ""


def compare_volume(cell: "Structure", temperature_K: float) -> VolumeComparison:
    """Compare the volume of a cell with that estimated for a melt or glass of it at a temperature."""
    own = float(cell.volume) / len(cell)
    try:
        volumes = _estimates(cell, temperature_K)
    except InputError as fault:
        return VolumeComparison(own, reason=str(fault))
    return VolumeComparison(own, volumes.at(temperature_K), volumes.ln_stderr_at(temperature_K))


def describe_comparison(compared: VolumeComparison, *, is_crystal: bool) -> str:
    """Return both volumes in one line; a warning where a melt or glass is far from the estimate for it."""
    from vitrion_workflows.schemas.volume import DISAGREEMENT  # noqa: PLC0415 - slow to import

    own, estimated, ln_stderr = compared.cell_A3_per_atom, compared.estimated_A3_per_atom, compared.ln_stderr
    begin = f"run at the cell's own {own:.2f} A3/atom"
    if estimated is None or ln_stderr is None:
        return f"{begin}; no estimate for a melt or glass ({compared.reason})"
    line = f"{begin}; a melt or glass is estimated at {estimated:.2f} A3/atom, standard error {100 * ln_stderr:.0f} %"
    if abs(math.log(own / estimated)) <= DISAGREEMENT:
        return line
    if is_crystal:
        return f"{line} (--scale-volume runs a crystal at that)"
    return f"{line}. WARNING: more than 10 % apart (--scale-volume takes the estimate)"


def _estimates(cell: "Structure", temperature_K: float) -> "VolumeEstimates":
    from vitrion_workflows.schemas.volume import RULE  # noqa: PLC0415
    from vitrion_workflows.volumes.estimates import volume_estimates  # noqa: PLC0415 - crystallography is slow to import

    return volume_estimates(cell.composition.reduced_formula, rule=RULE, temperature_K=temperature_K)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
