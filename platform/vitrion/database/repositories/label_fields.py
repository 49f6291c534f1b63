"""Checks of a label's numbers, and fields that follow from others."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from vitrion.database.queries.filters import parsed_formula
from vitrion.database.records import ImportedLabel
from vitrion.database.repositories.cells import composition_fields
from vitrion_workflows.schemas import LabelFields, LabelState

CONVERSION_TOLERANCE = 1e-3


def statement_faults(label: LabelFields) -> list[str]:
    """Return the faults of a label's unit, convention, size and intervals; none for a rejected one."""
    from vitrion_workflows.labelling.statement import stated_faults  # noqa: PLC0415 - scipy is slow to import

    if label.state is LabelState.REJECTED:
        return []
    return stated_faults(
        property_name=label.property,
        species=label.species,
        temperature_K=label.temperature_K,
        value=label.value,
        unit=label.unit,
        convention=str(label.convention),
        interval_68=label.interval_68,
        interval_95=label.interval_95,
        log10_stderr=label.log10_stderr,
    )


def conversion_faults(label: ImportedLabel) -> list[str]:
    """Return a fault where the value is not the published number times the conversion factor."""
    if label.source_value is None or label.conversion_factor is None or label.value is None:
        return []
    if math.isclose(label.source_value * label.conversion_factor, label.value, rel_tol=CONVERSION_TOLERANCE):
        return []
    return [f"value {label.value:.4g} is not the published {label.source_value:.4g} times its factor"]


def composition_key(composition: str) -> str:
    """Return the sha256 that replaces the structure's fingerprint in the key of a label of a composition."""
    return hashlib.sha256(f"composition:{fields_of_composition(composition)['formula']}".encode()).hexdigest()


def protocol_hash(protocol: Mapping[str, Any]) -> str:
    """Return the sha256 of a protocol's JSON, for grouping."""
    return hashlib.sha256(json.dumps(protocol, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def fields_of_composition(text: str) -> Mapping[str, Any]:
    """Return formulas and elements of a composition given as a formula."""
    composition = parsed_formula(text)
    return composition_fields(tuple(sorted((element.symbol, amount) for element, amount in composition.items())))
