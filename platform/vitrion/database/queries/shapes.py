"""The queries that the package offers, each with the index that serves it; a test checks both back ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vitrion.database.records import INDEXES, Index


@dataclass(frozen=True)
class QueryShape:
    """A kind of query.

    Attributes:
        collection: where.
        filters: an example of its filters.
        index: the index that serves it; None where every document that the other filters leave is looked at.
        sort: an order, as in `search`.
    """

    collection: str
    filters: Mapping[str, Any]
    index: Index | None
    sort: tuple[str, ...] = field(default=())


def _named_index(collection: str, first: str | None) -> Index | None:
    """Return the index of a collection that begins with a field; None for None."""
    return None if first is None else next(index for index in INDEXES[collection] if index.keys[0][0] == first)


def _structures(index: str | None, *sort: str, **filters: Any) -> QueryShape:
    return QueryShape("structures", filters, _named_index("structures", index), sort)


def _labels(index: str | None, *sort: str, **filters: Any) -> QueryShape:
    return QueryShape("labels", filters, _named_index("labels", index), sort)


QUERY_SHAPES: tuple[QueryShape, ...] = (
    _structures("fingerprint", fingerprint="0" * 64),
    _structures("formula", formula="Li3PS4"),
    _structures("reduced_formula", reduced_formula="Li3PS4"),
    _structures("chemsys", chemsys="Li-P-S"),
    _structures("elements", elements_all=["Li", "S"]),
    _structures("elements", elements_any=["Br", "I"]),
    _structures(None, elements_none=["Co"]),
    _structures("kind", kind="amorphous"),
    _structures("kind", "density_g_cm3", kind="amorphous", density=(2.0, 3.0)),
    _structures("density_g_cm3", density=(2.0, 2.1)),
    _structures("density_g_cm3", "-density_g_cm3"),
    _structures("mobile_ion_fraction", mobile_ion_fraction=(0.3, 0.31)),
    _structures("unexpected_bonds", homonuclear_bonds=(1.0, None)),
    _structures("reference_force_eV_per_A", "reference_force_eV_per_A", reference_force=(None, 2.0)),
    _structures("twin", twin="0" * 64),
    _structures("parent", parent="0" * 64),
    _structures("origin", origin="generated"),
    _structures("dataset", dataset="obelix"),
    _structures("campaign", campaign="c", cycle=1),
    _structures("created_at", "-created_at"),
    _structures("n_atoms", n_atoms=(50, 60)),
    _structures("disordered", disordered=True),
    _structures("accepted", accepted=False),
    _labels("key", key="0" * 64),
    _labels("property", property="tracer_diffusivity"),
    _labels("structure_fingerprint", structure_fingerprint="0" * 64),
    _labels("formula", formula="Li3PS4"),
    _labels("reduced_formula", reduced_formula="Li3PS4"),
    _labels("chemsys", "temperature_K", chemsys="Li-P-S", temperature=(900.0, 1100.0)),
    _labels("elements", elements_all=["Li", "S"]),
    _labels("potential", "temperature_K", potential="nep89", temperature=(900.0, 1100.0)),
    _labels("temperature_K", temperature=(900.0, 910.0)),
    _labels("log10_value", "-log10_value", log10_value=(-5.0, None)),
    _labels("value", value=(1e-5, 1e-4)),
    _labels("force_r2", "force_r2", force_r2=(0.7, None)),
    _labels("density_g_cm3", density=(2.0, 2.1)),
    _labels("mobile_ion_fraction", mobile_ion_fraction=(0.3, 0.31)),
    _labels("unexpected_bonds", homonuclear_bonds=(1.0, None)),
    _labels("state", accepted=True),
    _labels("dataset", dataset="obelix"),
    _labels("campaign", campaign="c", cycle=1),
    _labels("arm", arm="random"),
    _labels("gate_version", gate_version=3),
    _labels("created_at", "-created_at"),
    _labels(None, elements_none=["Co"]),
)
