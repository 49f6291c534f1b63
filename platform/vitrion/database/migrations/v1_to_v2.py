"""Layout 1 to 2: gate versions, arm names, and no empty values in place of absent ones."""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

# mongoengine stored {} or [] where a field had no value.
_LABEL_PARTS = ("msd", "motion", "protocol", "method", "interval_68", "interval_95", "fit_window_ps")
_STRUCTURE_PARTS = ("protocol", "method")
_ARMS = {"referee": "reference"}


def upgrade_label(document: Document) -> Document:
    """Return the label with a gate version: 0 for a run of layout 1, whose gates were others; none for an import."""
    label = _without_empty(document, _LABEL_PARTS)
    label.pop("rules", None)
    if label.get("dataset") is None:
        label["gate_version"] = 0
    return _with_arm(label)


def upgrade_structure(document: Document) -> Document:
    """Return the structure without empty parts; whether its volume was searched for is its `volume_search`."""
    structure = _without_empty(document, _STRUCTURE_PARTS)
    if "protocol" in structure:
        structure["protocol"] = _without_volume_search(structure["protocol"])
    return structure


def upgrade_campaign(document: Document) -> Document:
    """Return the campaign with the present keys of its configuration."""
    configuration = _renamed(document["configuration"])
    if "test_compositions" in (surrogate := dict(configuration.get("surrogate", {}))):
        configuration |= {"test_compositions": surrogate.pop("test_compositions"), "surrogate": surrogate}
    if "samples" in (generator := dict(configuration.get("generator", {}))):
        configuration |= {
            "generated_cells": generator["samples"],
            "generator": {"training_steps": generator["steps"]},
        }
    if "protocol" in (cells := configuration.get("cells", {})):
        searched = cells["protocol"].get("volume_search", True)
        rule = {"volume": "zero-pressure" if searched else "twin"}
        configuration |= {"cells": rule | cells | {"protocol": _without_volume_search(cells["protocol"])}}
    return document | {"configuration": configuration}


def upgrade_cycle(document: Document) -> Document:
    """Return the cycle with the arm and the budget of `reference`, formerly `referee`."""
    proposals = [_with_arm(proposal) for proposal in document.get("proposals", [])]
    return document | {"proposals": proposals, "budget": _renamed(document.get("budget", {}))}


UPGRADES: dict[str, Callable[[Document], Document]] = {
    "labels": upgrade_label,
    "structures": upgrade_structure,
    "campaigns": upgrade_campaign,
    "cycles": upgrade_cycle,
}


def _without_empty(document: Document, names: tuple[str, ...]) -> Document:
    return {name: value for name, value in document.items() if name not in names or value}


def _without_volume_search(protocol: Document) -> Document:
    return {name: value for name, value in protocol.items() if name != "volume_search"}


def _with_arm(document: Document) -> Document:
    arm = document.get("arm")
    return document | {"arm": _ARMS.get(arm, arm)} if arm is not None else dict(document)


def _renamed(section: Document) -> Document:
    return {_ARMS.get(name, name): value for name, value in section.items()}
