"""Selection of labels by the version of the quality gates that produced them.

A query takes the labels of the current gate version (`GATE_VERSION`) and values from elsewhere, which have none. Labels
of other versions are left out and counted: older labels were not tested by gates added later.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from vitrion_workflows.schemas.label import GATE_VERSION

CURRENT, OTHER, ANY = "current", "other", "any"

CLAUSES: dict[str, dict[str, Any]] = {
    CURRENT: {"gate_version": {"$in": [GATE_VERSION, None]}},
    # Two ranges, which the index serves: there are few such labels.
    OTHER: {"$or": [{"gate_version": {"$lt": GATE_VERSION}}, {"gate_version": {"$gt": GATE_VERSION}}]},
    ANY: {},
}


def is_current(gate_version: int | None) -> bool:
    """Return True for the current gate version, and for None: values from elsewhere, which were not gated here."""
    return gate_version is None or gate_version == GATE_VERSION


def is_outdated(gate_version: int | None) -> bool:
    """Return True for a version before the current one: the label is replaced when it is computed again."""
    return gate_version is not None and gate_version < GATE_VERSION


def count_others(gate_versions: Iterable[int | None]) -> dict[int, int]:
    """Return the number of labels of each version other than the current one, in the order of the versions."""
    others = Counter(version for version in gate_versions if version is not None and version != GATE_VERSION)
    return dict(sorted(others.items()))


def summarize_others(others: Mapping[int, int]) -> str:
    """Return one line on labels of other versions: how many, of which, and the remedy; empty where there are none.

    Args:
        others: number of labels by gate version (`count_others`).
    """
    if not others:
        return ""
    total = sum(others.values())
    subject = "1 label was" if total == 1 else f"{total} labels were"
    versions = f"version{'s' * (len(others) > 1)} {' and '.join(map(str, others))}"
    remedies = []
    if any(map(is_outdated, others)):
        remedies.append("Run `vitrion campaign retry FILE --outdated` to recompute them.")
    if not all(map(is_outdated, others)):
        remedies.append("Upgrade Vitrion to use the newer ones.")
    return f"{subject} produced with gate {versions} (current: {GATE_VERSION}). {' '.join(remedies)}"
