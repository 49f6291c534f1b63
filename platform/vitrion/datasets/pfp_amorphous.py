"""Ten amorphous lithium cells and their labels from an earlier project; its two mistakes are corrected or refused."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrion.datasets.formulas import reduced
from vitrion.datasets.records import DatasetContent, DatasetLabel, DatasetStructure
from vitrion_models.errors import InputError
from vitrion_workflows.formats.cif import read
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.schemas import Convention, GateOutcome, LabelState, StructureKind

TABLE, LABELS, CELL = "table", "labels", "cell_{index}"
SHIFTED = (
    "id_min_vol",
    "formula",
    "volumes",
    "potential_energies",
    "min_hydrostatic_pressure",
    "structure_cif",
    "x_fit",
    "argmin",
    "hydrostatic_pressures",
    "temperature",
)
FRAME_INTERVAL_PS, ASSUMED_INTERVAL_PS = 0.2, 1.0
PRODUCTION_PS, LEAST_PRODUCTION_PS = 2.5, 10.0
LINE = re.compile(r"Index: (\d+), Diffusivity: ([0-9.eE+-]+) cm\^2/sec")
REASON = "frames 0.2 ps apart were taken as 1 ps: the published value is five times too small"


def load(files: Mapping[str, Path]) -> DatasetContent:
    """Read the cells with their gates and the labels, multiplied by five and rejected; the gas cell is refused.

    Raises:
        InputError: a file has another content.
    """
    rows = [unshifted(row) for row in _json_rows(files[TABLE])]
    values = _values(files[LABELS])
    structures: list[DatasetStructure] = []
    labels: list[DatasetLabel] = []
    refused: dict[str, str] = {}
    for index, row in enumerate(rows, start=1):
        record = _cell(str(index), row, files[CELL.format(index=index)])
        failed = [gate for gate in record.gates if not gate.passed]
        if failed:
            refused[record.name] = "; ".join(gate.message for gate in failed)
        structures.append(record)
        if not failed:
            labels.append(_label(record, row, values[index]))
    return DatasetContent(
        structures=tuple(structures),
        labels=tuple(labels),
        refused=refused,
        notes=(
            "the keys of top10.json are shifted by one column against their values",
            f"labels: {REASON}; they come from {PRODUCTION_PS} ps runs and stay rejected",
        ),
    )


def unshifted(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its first ten values, each stored one key too early, under their own keys."""
    values = dict(zip(SHIFTED[1:], (row[key] for key in SHIFTED), strict=False))
    return {**{key: value for key, value in row.items() if key not in SHIFTED}, **values}


def _json_rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as fault:
        raise InputError(f"{path}: not valid JSON") from fault
    if not rows or not set(SHIFTED) <= rows[0].keys():
        raise InputError(f"{path}: not the table of PFP cells; its keys have other names")
    return rows


def _values(path: Path) -> dict[int, float]:
    values = {int(index): float(value) for index, value in LINE.findall(path.read_text(encoding="utf-8"))}
    if not values:
        raise InputError(f"{path}: contains no diffusivities")
    return values


def _cell(name: str, row: Mapping[str, Any], path: Path) -> DatasetStructure:
    with naming(path):
        (entry,) = read(path)
    structure = entry.structure
    formula = structure.composition.reduced_formula
    if formula != reduced(str(row["formula"])):
        raise InputError(f"{path}: the cell is {formula}, its row says {row['formula']}")
    from vitrion_workflows.amorphous.imported_cells import structure_gates  # noqa: PLC0415 - the cell gates are slow to import

    gates = structure_gates(structure)
    return DatasetStructure(name=name, structure=structure, kind=StructureKind.AMORPHOUS, gates=gates)


def _label(record: DatasetStructure, row: Mapping[str, Any], raw_cm2_s: float) -> DatasetLabel:
    factor = ASSUMED_INTERVAL_PS / FRAME_INTERVAL_PS
    gates = (
        GateOutcome(
            name="production_length",
            passed=False,
            value=PRODUCTION_PS,
            lower=LEAST_PRODUCTION_PS,
            unit="ps",
            message=f"{PRODUCTION_PS} ps analysed, at least {LEAST_PRODUCTION_PS} ps needed",
        ),
        GateOutcome(name="interval", passed=False, message="the source gives no interval"),
        GateOutcome(name="weights_identity", passed=False, message="the source gives no hash of the potential"),
    )
    return DatasetLabel(
        name=record.name,
        formula=record.structure.composition.reduced_formula,
        structure=record.name,
        property="tracer_diffusivity",
        species="Li",
        temperature_K=float(row["temperature"]),
        value=raw_cm2_s * factor,
        unit="cm2/s",
        convention=Convention.EINSTEIN_3D.value,
        potential="pfp",
        state=LabelState.REJECTED,
        method="MD with PFP (Matlantis), NVT",
        gates=gates,
        raw_value=raw_cm2_s,
        factor=factor,
        factor_reason=REASON,
    )
