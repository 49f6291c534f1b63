"""Limits of a campaign's accuracy, each under its own heading."""

from collections.abc import Callable
from itertools import groupby

import numpy as np

from vitrion.report.data import ReportData
from vitrion.report.findings import labels_note, reference_note
from vitrion.report.numbers import count, diffusivity, formula, plain, signed
from vitrion_workflows.model_error.compound_error import CompoundError


def model_error_note(data: ReportData) -> str:
    """Return the offset and standard deviation of log10(D / true D) by class of compound; empty without labels."""
    errors = sorted(data.model_errors.items(), key=lambda entry: (entry[1].chemistry, entry[0]))
    if not errors:
        return ""
    first = errors[0][1]
    if not first.is_measured:
        return (
            f"{data.potential} was compared neither with ab initio molecular dynamics nor, here, with a reference "
            "potential: its systematic error is unknown and not in the error bars. The selection of labels assumed "
            f"{signed(first.offset_decades)} ± {plain(first.stderr_decades)} decades, as found for other potentials."
        )
    by_class = groupby(errors, key=lambda entry: entry[1].chemistry)
    classes = [_of_class(chemistry, list(members)) for chemistry, members in by_class]
    return (
        f"Estimated systematic error of {data.potential} at {data.target_temperature_K:.0f} K in decades, mean ± "
        f"standard deviation for one compound (with its evidence): {'; '.join(classes)}. It is not in the error bars, "
        f"longer runs do not reduce it, and the selection of labels takes it into account."
    )


def _of_class(chemistry: str, members: list[tuple[str, CompoundError]]) -> str:
    """Return one figure for a class if all its compounds have the same, else one for each compound."""
    figures = {(round(error.offset_decades, 2), round(error.stderr_decades, 2)) for _, error in members}
    listed = members[:1] if len(figures) == 1 else members
    parts = [
        f"{f'{chemistry}s' if len(figures) == 1 else formula(name)} {signed(error.offset_decades)} ± "
        f"{plain(error.stderr_decades)}"
        for name, error in listed
    ]
    return f"{', '.join(parts)} ({members[0][1].evidence.replace(';', ',')})"


PS_IN_S = 1e-12
FEW_LABELS = 50


def limits(data: ReportData) -> list[tuple[str, str]]:
    """Return the headings and texts that apply to this campaign."""
    return [(heading, words) for heading, write in _LIMITS.items() if (words := write(data))]


def _short_runs(data: ReportData) -> str:
    lengths = sorted({label.production_ps for label in data.labels if label.production_ps})
    if not lengths:
        return ""
    span = f"{lengths[0]:g} ps" if len(lengths) == 1 else f"{lengths[0]:g} to {lengths[-1]:g} ps"
    return (
        f"Labels come from trajectories of {span}. Rarer events are not sampled; diffusivities below the resolution "
        "are censored, and the error bars cover only fluctuations within a run."
    )


def _small_cells(data: ReportData) -> str:
    sizes = sorted(cell.atoms for cell in data.cells)
    if not sizes:
        return ""
    held = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
    return (
        f"Cells hold {held} atoms. Periodic images slow a diffusing ion in a melt by an amount that "
        "decreases as the inverse of the cell's edge (Yeh and Hummer, J. Phys. Chem. B 108, 15873 (2004)). This is not "
        "corrected here, and one cell is one sample of the glass."
    )


def _fast_cooling(data: ReportData) -> str:
    rates = [cell.quench_rate_K_per_ps for cell in data.cells if cell.quench_rate_K_per_ps]
    if not rates:
        return ""
    return (
        f"Melts were cooled at {diffusivity(float(np.median(rates)) / PS_IN_S)} K/s; splat quenching reaches about 10⁶ "
        "K/s. Fast cooling retains more disorder of the melt, and ions tend to be more mobile."
    )


def _volumes(data: ReportData) -> str:
    """Return how well the volumes of the cells are known; empty where they have no estimates."""
    known = [(cell, cell.volumes) for cell in data.cells if cell.volumes is not None and cell.volumes.ln_stderr]
    if not known:
        return ""
    target_K = data.target_temperature_K
    stderr = 100 * float(np.median([volumes.ln_stderr_at(target_K) for _, volumes in known]))
    differing = sorted({formula(cell.formula) for cell, volumes in known if volumes.disagrees})
    words = (
        f"The volume of a cell follows from several estimates, to {stderr:.0f} % at {target_K:.0f} K in the median "
        f"(docs/design/volume.md); one part in ten of the volume is some 0.1 decades of D."
    )
    return f"{words} The estimates differ by more than 10 % for {', '.join(differing)}." if differing else words


def _few_labels(data: ReportData) -> str:
    labels = len(data.accepted_labels)
    if labels >= FEW_LABELS:
        return ""
    return (
        f"{count(labels, 'accepted label')} train a graph network to a rough ranking only. Use the surrogate's "
        "intervals, not its means, and run the overnight example before choosing what to synthesize."
    )


_LIMITS: dict[str, Callable[[ReportData], str]] = {
    "The error of a label": labels_note,
    "Short runs": _short_runs,
    "Small cells": _small_cells,
    "Fast cooling": _fast_cooling,
    "Volumes": _volumes,
    "The potential": reference_note,
    "Against first principles": model_error_note,
    "Few labels": _few_labels,
}
