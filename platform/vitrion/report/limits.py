"""What the shortness of a campaign costs in accuracy, each cost under its own heading."""

from collections.abc import Callable

import numpy as np

from vitrion.report.data import ReportData
from vitrion.report.findings import labels_note, referee_note
from vitrion.report.first_principles import first_principles_note
from vitrion.report.numbers import count, diffusivity

PS_IN_S = 1e-12
FEW_LABELS = 50


def limits(data: ReportData) -> list[tuple[str, str]]:
    """Headings and what stands under them; what does not apply to this campaign is left out."""
    return [(heading, words) for heading, write in _LIMITS.items() if (words := write(data))]


def _short_runs(data: ReportData) -> str:
    lengths = sorted({label.production_ps for label in data.labels if label.production_ps})
    if not lengths:
        return ""
    span = f"{lengths[0]:g} ps" if len(lengths) == 1 else f"{lengths[0]:g} to {lengths[-1]:g} ps"
    return (
        f"Labels rest on trajectories of {span}. What moves more rarely than that is not seen; slow ions are censored, "
        "and the error bars cover only what the run itself could fluctuate through."
    )


def _small_cells(data: ReportData) -> str:
    sizes = sorted(cell.atoms for cell in data.cells)
    if not sizes:
        return ""
    held = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
    return (
        f"Cells hold {held} atoms. Periodic images slow a diffusing ion in a melt by an amount that "
        "falls with the inverse of the cell's edge (Yeh and Hummer, J. Phys. Chem. B 108, 15873 (2004)). This is not "
        "corrected here, and one cell is one sample of a glass."
    )


def _fast_cooling(data: ReportData) -> str:
    rates = [cell.quench_rate_K_per_ps for cell in data.cells if cell.quench_rate_K_per_ps]
    if not rates:
        return ""
    return (
        f"Melts were cooled at {diffusivity(float(np.median(rates)) / PS_IN_S)} K/s; splat quenching reaches about 10⁶ "
        "K/s. Such a glass keeps more of the melt's disorder, and its ions tend to move more easily."
    )


def _few_labels(data: ReportData) -> str:
    labels = len(data.accepted_labels)
    if labels >= FEW_LABELS:
        return ""
    return (
        f"{count(labels, 'accepted label')} cannot train a graph network to more than a rough order. Read the "
        "surrogate's intervals, not its means, and run the overnight example before choosing what to make."
    )


_LIMITS: dict[str, Callable[[ReportData], str]] = {
    "The error of a label": labels_note,
    "Short runs": _short_runs,
    "Small cells": _small_cells,
    "Fast cooling": _fast_cooling,
    "The potential": referee_note,
    "Against first principles": first_principles_note,
    "Few labels": _few_labels,
}
