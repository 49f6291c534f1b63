"""Limits of a campaign's accuracy, each under its own heading."""

from collections.abc import Callable

import numpy as np

from vitrion.report.data import ReportData
from vitrion.report.findings import labels_note, reference_note
from vitrion.report.model_error import model_error_note
from vitrion.report.numbers import count, diffusivity

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
    "The potential": reference_note,
    "Against first principles": model_error_note,
    "Few labels": _few_labels,
}
