"""Comparisons with AIMD: rows that come back from their table, and the error of AIMD itself."""

import csv
import math
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitrion_workflows.model_error import aimd_comparisons as module
from vitrion_workflows.model_error.aimd_comparisons import (
    aimd_comparisons,
    aimd_stderr_decades,
    write_comparisons,
)
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256


def test_rows_are_of_the_weights_that_are_installed():
    rows = aimd_comparisons()
    assert len({row.compound for row in rows}) >= 100
    assert all(row.is_of("nep89", NEP89_SHA256) for row in rows if row.potential == "nep89")
    assert not rows[0].is_of("nep89", "c" * 64)
    assert all(1 < 10**row.log10_D_aimd * 1e6 < 1e4 and abs(row.log10_ratio) < 2 for row in rows)
    assert len({(row.potential, row.route, row.compound, row.temperature_K, row.seed) for row in rows}) == len(rows)


def test_rows_come_back_from_a_table(tmp_path, monkeypatch):
    rows = [*aimd_comparisons()[:5], replace(aimd_comparisons()[5], force_r2=None, force_reference=None)]
    path = tmp_path / "table.csv"
    write_comparisons(reversed(rows), path)
    monkeypatch.setattr(module, "files", lambda _package: tmp_path)
    monkeypatch.setattr(module, "TABLE", "table.csv")
    assert set(aimd_comparisons.__wrapped__()) == set(rows)


def test_the_error_of_aimd_grows_as_jumps_become_rare():
    assert aimd_stderr_decades(-4.0) == pytest.approx(0.074)
    assert aimd_stderr_decades(-5.0) == pytest.approx(0.074 * math.sqrt(10))
    assert aimd_stderr_decades(-9.0) == pytest.approx(0.35)


def test_the_error_of_aimd_is_that_of_departures_from_an_arrhenius_law():
    """Contrasts of four temperatures that a line leaves, over their expected deviation: robust deviation near one."""
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if mirror is None:
        pytest.skip("VITRION_DATA_MIRROR is not set: no AIMD table")
    by_formula = defaultdict(list)
    with (Path(mirror) / "aimd_li_diffusivity" / "labels_tidy.csv").open() as stream:
        for row in csv.DictReader(stream):
            by_formula[row["formula"]].append(
                (1000 / float(row["temperature_K"]), math.log10(float(row["D_einstein_slope6_cm2_s"])))
            )
    squares = []
    for points in by_formula.values():
        if len(points) < 4:
            continue
        x, logs = np.array(points).T
        left = np.linalg.svd(np.column_stack([np.ones(4), x]))[0][:, 2:]
        covariance = left.T @ np.diag([aimd_stderr_decades(value) ** 2 for value in logs]) @ left
        contrast = left.T @ logs
        squares.append(float(contrast @ np.linalg.solve(covariance, contrast)))
    # Heavy tails: the errors are large for few formulas, so that most are smaller than the stated deviation.
    assert 0.2 < np.median(squares) / (2 * math.log(2)) < 1.0
    assert 0.5 < np.mean(squares) / 2 < 2.0
