"""Stored labels as cases of the error model."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vitrion.database.records import LabelRecord, StructureRecord
from vitrion_workflows.model_error.effects import USUAL_ATOMS, USUAL_LOG10_D, Case
from vitrion_workflows.schemas.volume import RULE, VolumeEstimates
from vitrion_workflows.volumes.rule import choose_volume

if TYPE_CHECKING:
    from vitrion.database.database import Database


def cases_of_labels(db: "Database", rows: Sequence[LabelRecord]) -> list[Case]:
    """Return labels as cases of the error model, with what is known of their forces, cells and volumes."""
    fingerprints = sorted({row.structure_fingerprint for row in rows if row.structure_fingerprint})
    cells = {cell.fingerprint: cell for cell in db.structures.search(fingerprint=fingerprints)} if fingerprints else {}
    return [_case(row, cells.get(row.structure_fingerprint or "")) for row in rows]


def typical_volume(cases: Sequence[Case]) -> tuple[float, float] | None:
    """Return mean and standard deviation of ln(volume of a cell / true volume) over labels.

    Args:
        cases: of labels.

    Returns:
        None where most of them have no estimate of the true volume.
    """
    ratios = [(case.ln_volume_ratio, case.ln_volume_stderr) for case in cases if case.ln_volume_ratio is not None]
    if 2 * len(ratios) <= len(cases):
        return None
    means, stderrs = np.array(ratios).T
    return float(means.mean()), float(math.hypot(means.std(), np.sqrt((stderrs**2).mean())))


def _case(row: LabelRecord, cell: StructureRecord | None) -> Case:
    agreement = row.force_check.agreement if row.force_check else None
    ratio, stderr = _ln_volume_ratio(row, cell)
    return Case(
        compound=row.reduced_formula,
        elements=frozenset(row.elements),
        temperature_K=row.temperature_K,
        force_r2=agreement.r2 if agreement else None,
        ln_volume_ratio=ratio,
        ln_volume_stderr=stderr,
        log10_D=USUAL_LOG10_D if row.log10_value is None else row.log10_value,
        atoms=row.n_atoms or USUAL_ATOMS,
    )


def _ln_volume_ratio(row: LabelRecord, cell: StructureRecord | None) -> tuple[float | None, float]:
    """Return ln(volume of the run / best estimate at its temperature) and the standard error of the estimate."""
    best = _best_estimate(cell.volumes) if cell is not None and cell.volumes is not None else None
    if cell is None or best is None:
        return None, 0.0
    scaled = row.start.volume_A3_per_atom if row.start else None
    volume = scaled or cell.volume_A3 / cell.n_atoms
    return math.log(volume / best.at(row.temperature_K)), best.ln_stderr_at(row.temperature_K)


def _best_estimate(volumes: VolumeEstimates) -> VolumeEstimates | None:
    if volumes.rule == RULE:
        return volumes
    if not volumes.estimates:
        return None
    expansion = volumes.ln_expansion_per_K, volumes.ln_expansion_stderr_per_K
    return choose_volume(RULE, volumes.estimates, temperature_K=volumes.temperature_K, ln_expansion=expansion)
