"""Checks of a label's numbers, and fields that follow from others."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from vitrion.database.records import ImportedLabel, LabelRecord
from vitrion.database.repositories.cells import composition_fields
from vitrion.keys import is_sha256, short_key
from vitrion_workflows.schemas import LabelState, failed_gates
from vitrion_workflows.schemas.label import GATE_VERSION
from vitrion_workflows.structure.formula import element_amounts

CONVERSION_TOLERANCE = 1e-3


def record_faults(record: LabelRecord) -> list[str]:
    """Return the faults of an exported label: its key, its cell, its gate version, and what its state must have."""
    from vitrion_workflows.labelling.statement import label_faults  # noqa: PLC0415 - slow import

    faults = label_faults(record)
    if not is_sha256(record.key):
        faults.append(f"key {short_key(record.key)!r} is not 64 hexadecimal digits")
    if (record.structure_fingerprint is None) == (record.composition is None):
        faults.append("give structure_fingerprint or composition, and not both")
    if record.gate_version is not None and record.gate_version > GATE_VERSION:
        faults.append(f"gate_version {record.gate_version} is newer than {GATE_VERSION}: upgrade Vitrion")
    if record.state is LabelState.PUBLISHED and (record.method or record.protocol):
        faults.append("state is published, but it has the method or protocol of a run")
    if record.state is LabelState.ACCEPTED:
        needed = ("value", "interval_95", "weights_sha256", "method", "gates", "gate_version")
        if missing := [name for name in needed if getattr(record, name) in (None, (), "")]:
            faults.append(f"an accepted label must have {', '.join(missing)}")
        if failed := failed_gates(record.gates):
            faults.append(f"an accepted label failed the gates {', '.join(failed)}")
    return faults


def import_faults(label: ImportedLabel) -> list[str]:
    """Return the faults of a label from elsewhere: its numbers, and a value that is not the published one converted."""
    from vitrion_workflows.labelling.statement import label_faults  # noqa: PLC0415 - slow import

    faults = label_faults(label)
    if label.source_value is None or label.conversion_factor is None or label.value is None:
        return faults
    if not math.isclose(label.source_value * label.conversion_factor, label.value, rel_tol=CONVERSION_TOLERANCE):
        faults.append(f"value {label.value:.4g} is not the published {label.source_value:.4g} times its factor")
    return faults


def composition_key(composition: str) -> str:
    """Return the sha256 that replaces the structure's fingerprint in the key of a label of a composition."""
    return hashlib.sha256(f"composition:{fields_of_composition(composition)['formula']}".encode()).hexdigest()


def fields_of_composition(text: str) -> Mapping[str, Any]:
    """Return formulas and elements of a composition given as a formula."""
    return composition_fields(tuple(sorted(element_amounts(text).items())))
