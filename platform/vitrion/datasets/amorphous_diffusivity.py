"""The 792-row table of AIMD lithium diffusivities in amorphous and molten phases (Zheng et al., arXiv 2402.00177)."""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from vitrion.datasets.conventions import REASONS, einstein_factor
from vitrion.datasets.formulas import chemical_system, reduced
from vitrion.datasets.records import DatasetContent, DatasetLabel
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import Convention, LabelState


def grouped_parts(groups: Mapping[str, str], *, parts: Mapping[str, float], seed: int) -> dict[str, str]:
    """Assign every record to a part so that no group is in two parts.

    Groups are taken in a random order drawn from their names and the seed; each goes to the part that lacks most of its
    share, so that the parts come as near to their shares of the records as whole groups allow.

    Args:
        groups: record name -> group (chemical system, formula).
        parts: part -> share of the records; the shares add up to one.
        seed: another seed gives another split.

    Returns:
        Record name -> part.
    """
    sizes = Counter(groups.values())
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).hexdigest())
    filled = dict.fromkeys(parts, 0)
    chosen: dict[str, str] = {}
    for group in order:
        # The part that lacks most of its share; the first of equals.
        part = max(parts, key=lambda name: parts[name] * len(groups) - filled[name])
        chosen[group] = part
        filled[part] += sizes[group]
    return {record: chosen[group] for record, group in groups.items()}


FILE = "table"
CM2_PER_S_PER_UNIT = 1e-3  # the column is printed in 1e-3 cm2/s
SPLIT_SEED = 20240201
FOLDS = 5


def load(files: Mapping[str, Path], *, convention: Convention | None = Convention.SLOPE_HALF) -> DatasetContent:
    """Read the labels of the table, converted to the Einstein value (cm2/s), and a split grouped by chemical system.

    Args:
        files: path of the table.
        convention: of its diffusivities. Slope/2 of the summed MSD was verified by 56 independent refits.

    Raises:
        InputError: the table has other columns, or its convention is not stated.
    """
    path = files[FILE]
    factor = einstein_factor(convention, source=path.name)
    reason = "" if convention is None else REASONS[convention]
    labels = tuple(_label(row, factor=factor, reason=reason) for row in _rows(path))
    systems = {label.name: chemical_system(label.formula) for label in labels}
    folds = {f"fold{index}": 1 / FOLDS for index in range(FOLDS)}
    return DatasetContent(
        labels=labels,
        splits={
            "chemsys_test": grouped_parts(systems, parts={"train": 0.8, "test": 0.2}, seed=SPLIT_SEED),
            "chemsys_5fold": grouped_parts(systems, parts=folds, seed=SPLIT_SEED),
        },
        notes=(
            "values are a third of the published column, which is slope/2 of the summed MSD",
            "at 1000 K the authors left out D below about 5e-6 cm2/s",
            "the source gives no interval: the labels have none",
        ),
    )


def volumes_A3_per_atom(path: Path) -> dict[tuple[str, float], float]:
    """Return the volume of an atom in each run of the table, by reduced formula and temperature in K.

    The column ``AAV`` is not explained by its source: it is the volume of the run (docs/design/aimd-comparison.md). A
    compound with several runs at one temperature has their mean.

    Raises:
        InputError: the table has other columns.
    """
    volumes: dict[tuple[str, float], list[float]] = {}
    for row in _rows(path):
        volumes.setdefault((reduced(row["formula"]), float(row["temperature"])), []).append(float(row["AAV"]))
    return {key: sum(values) / len(values) for key, values in volumes.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=" "))
    if not rows or not {"formula", "diff_coeff_mul_thousand", "temperature"} <= rows[0].keys():
        raise InputError(f"{path}: not the table of amorphous diffusivities; its columns have other names")
    return rows


def _label(row: dict[str, str], *, factor: float, reason: str) -> DatasetLabel:
    raw_cm2_s = float(row["diff_coeff_mul_thousand"]) * CM2_PER_S_PER_UNIT
    return DatasetLabel(
        name=row["Unnamed: 0"],
        formula=reduced(row["formula"]),
        structure=None,
        property="tracer_diffusivity",
        species="Li",
        temperature_K=float(row["temperature"]),
        value=raw_cm2_s * factor,
        unit="cm2/s",
        convention=Convention.EINSTEIN_3D.value,
        potential="pbe",
        state=LabelState.PUBLISHED,
        method="AIMD (PBE)",
        raw_value=raw_cm2_s,
        factor=factor,
        factor_reason=reason,
        reference="arXiv:2402.00177",
    )
